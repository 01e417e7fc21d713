"""How soon latency drift is seen, and how often it is seen where there is none."""
