"""REST of rollouts and incidents."""
