"""The public failover benchmark: what a caller gets from a gateway whose upstream fails."""
