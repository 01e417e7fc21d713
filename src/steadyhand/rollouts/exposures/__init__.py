"""Requests of rollouts, read from the shipped records."""
