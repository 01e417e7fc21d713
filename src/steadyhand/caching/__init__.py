"""Answers kept for the next time that exactly the same is asked: hot, warm and cold."""
