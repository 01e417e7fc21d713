"""Objectives: what a route promises, how much of its error budget is left, and who is told."""
