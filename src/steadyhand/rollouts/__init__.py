"""Rollouts: a candidate meets a part of the traffic, is compared, and is promoted or taken back."""
