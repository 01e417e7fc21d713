"""Alerting: whoever is wanted is told, by webhook, once, whatever fails on the way."""
