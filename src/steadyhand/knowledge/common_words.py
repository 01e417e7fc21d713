"""Common English words: what a person may say around any question.

A word that no entry asks about is either the very point of a question ("MongoDB") or of no matter
("colleague"). Common words are more likely of no matter, so they count less. The list is a file of
the package, ``common_words.txt``, with its source and licence; it is read when first asked for.
"""

from functools import cache
from importlib.resources import files

_LIST = "common_words.txt"


@cache
def common_stems() -> frozenset[str]:
    """Return the stems of some 8,000 common words."""
    lines = files("steadyhand.knowledge").joinpath(_LIST).read_text("utf-8").splitlines()
    return frozenset(stem for line in lines if line[:1] != "#" for stem in line.split())
