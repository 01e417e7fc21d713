"""Argo CD, as far as a roll-back needs it: its REST API, and which call comes next."""
