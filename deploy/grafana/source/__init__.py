"""Grafana's dashboards of Steadyhand, as code."""
