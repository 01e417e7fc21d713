"""How well the check of grounding tells, what it costs, and what comparing arms by it risks."""
