"""Rungs: one file each, named for its ``kind``."""
