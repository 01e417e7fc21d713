"""Curated answers: how often they are right, how sure they are, what they cost."""
