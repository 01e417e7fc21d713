"""Steadyhand's own measurements: what a gateway costs, against others in the same run."""
