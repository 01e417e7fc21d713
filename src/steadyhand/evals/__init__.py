"""Evaluations: of answers given, and of changes before they are made."""
