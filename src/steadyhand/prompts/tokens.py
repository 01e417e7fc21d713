"""About how many tokens a text has. Pure."""

from typing import Final

CHARACTERS_A_TOKEN: Final = 4
"""A rule of thumb for English; a tokenizer knows better, and differs from model to model."""


def estimated(text: str) -> int:
    """Return about how many tokens ``text`` has."""
    return -(-len(text) // CHARACTERS_A_TOKEN)
