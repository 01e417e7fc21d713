"""Steadyhand: an LLM platform whose gateway always answers inside its latency budget."""

__version__ = "0.1.0"
