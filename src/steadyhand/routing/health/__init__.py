"""Health of each deployment: how fast it is, whether that drifts, how much it may be asked."""
