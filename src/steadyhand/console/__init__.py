"""The console's built files: ``make console`` makes them of ``console/``; a wheel has them."""

from pathlib import Path


def folder() -> Path:
    """Return where they are; it does not exist where they were not built."""
    return Path(__file__).with_name("static")
