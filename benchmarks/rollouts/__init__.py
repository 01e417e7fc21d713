"""Benchmarks of rollouts: simulated ones for the statistics, real ones for cost and delay."""
