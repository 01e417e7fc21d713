"""Evaluations: of answers that were given, and of changes before they are made."""
