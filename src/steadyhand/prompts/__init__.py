"""Prompts: typed variables, templates as data, and the labelled text that they become."""
