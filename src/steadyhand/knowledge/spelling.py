"""Guess what a misspelt word was meant to be. Pure.

Norvig's way ("How to Write a Spelling Corrector", 2007): make every string one edit away, and look
which are words of questions. For a word of ten letters that is some 550 look-ups, whatever the size
of the collection. Only plain Latin words of five letters or more are guessed at: shorter ones have
too many neighbours.
"""

from collections.abc import Iterator, Mapping

from steadyhand.knowledge.index import Index

SHORTEST = 5
LONGEST = 30
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def guess(word: str, index: Index) -> int | None:
    """Return the term of the word one edit from ``word`` that most entries have, or ``None``."""
    if not (SHORTEST <= len(word) <= LONGEST and word.isascii()):
        return None
    if not word.replace("_", "").isalpha():
        return None
    best, most = None, 0
    for near in _neighbours(word, index.spelled):
        asked = index.found_at[near + 1] - index.found_at[near]
        if asked > most:
            best, most = near, asked
    return best


def _neighbours(word: str, spelled: Mapping[str, int]) -> Iterator[int]:
    get = spelled.get
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        made = [head + letter + tail for letter in _LETTERS]
        if tail:
            made += [head + letter + tail[1:] for letter in _LETTERS]
            made.append(head + tail[1:])
        if len(tail) > 1:
            made.append(head + tail[1] + tail[0] + tail[2:])
        for near in made:
            number = get(near)
            if number is not None:
                yield number
