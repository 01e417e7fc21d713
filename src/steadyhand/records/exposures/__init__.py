"""What rollouts have to know of requests, and where it is kept."""
