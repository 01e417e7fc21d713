"""Climb the ladder: do what the planner says, note what happens, ask it again."""
