"""Narrow ports to databases and caches, and the drivers behind them."""
