"""Drivers: what carries a roll-back to where gateways run. A file a kind."""
