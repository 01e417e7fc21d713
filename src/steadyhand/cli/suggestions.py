"""Name what was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the nearest known names, or an empty string."""
    nearest = get_close_matches(wrong, list(known), n=2)
    return f"did you mean {' or '.join(map(repr, nearest))}?" if nearest else ""
