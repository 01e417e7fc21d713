"""From text to terms: the same for entries and questions. Pure.

Terms are folded (NFKD, case, accents), split at everything that is neither letter nor digit, so
that ``pg_dump``, ``pg-dump`` and "pg dump" are the same two terms, and stemmed lightly: plural,
``-ing``, ``-ed``, ``-ion``, ``-ate`` and a final ``e`` go. On short questions a light stemmer errs
less than a strong one (Harman 1991, "How Effective Is Suffixing?"). Words of scripts that write
without spaces become pairs of characters.
"""

import re
import unicodedata
from functools import lru_cache

LONGEST_TERM = 40
"""Characters; longer runs are keys, hashes or noise, and are cut so that they stay cheap."""

_RUN = re.compile(r"[^\W_]+")
_VOWEL = re.compile(r"[aeiouy]")
_FIRST_UNSPACED = "\u2e80"
"""From here on: Han, kana, Hangul and their neighbours."""
_SHORTEST_STEM = 4
_ENDINGS = {"ation": 5, "ating": 5, "ated": 5, "ate": 5, "ing": 3, "ion": 4, "ed": 3}
"""Ending → letters that must be left: ``string`` is not the ``-ing`` of ``str``. Longest first."""

_STOP = """
    a about am an and any are as at be been being but by can could dear did do does doing done
    for from had has have he hello help her hey hi him his how i if im in into is it its ive just
    me my of on onto or our please s she should so some t thank thanks that the their them then
    there these they this those to us was we were what whats when where which who whom why will
    with would you your yours tell explain know show need want let ll ve re d m"""
STOP = frozenset(_STOP.split())
"""Words that say that something is asked, not what."""

_LIGHT = """
    best correct difference example explanation good happen like make mean means
    meaning possible properly purpose really right way ways work works working get gets getting
    give use used uses using usage thing do done must may might more most much many also too only
    exactly actually currently someone something anyone people overview detail details describe
    information info question steps step guide tutorial documentation manual docs doc learn
    understand understanding understood find"""

LIGHT_WEIGHT = 0.25


def fold(text: str) -> str:
    """Return ``text`` without differences of case, width and accent."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def words(text: str) -> list[str]:
    """Return the words of ``text``, folded, in order, stop words included."""
    found: list[str] = []
    for run in _RUN.findall(fold(text)):
        if run[0] >= _FIRST_UNSPACED and len(run) > 2:
            found += [run[at : at + 2] for at in range(len(run) - 1)]
        else:
            found.append(run[:LONGEST_TERM])
    return found


def terms(text: str) -> list[str]:
    """Return the terms of ``text`` in order, repetitions included, stop words left out."""
    return [stem(word) for word in words(text) if word not in STOP]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return ``word`` without the endings that English adds; of other words, little is taken."""
    if len(word) < _SHORTEST_STEM or not word.isascii() or not word.isalpha():
        return word
    word = _singular(word)
    for ending, least in _ENDINGS.items():
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= least and _VOWEL.search(rest):
            return _undoubled(rest)
    return word.removesuffix("e") if len(word) > _SHORTEST_STEM else word


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > _SHORTEST_STEM:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _undoubled(word: str) -> str:
    if word[-1] == word[-2] and word[-1] not in "aeiouls":
        return word[:-1]
    return word.removesuffix("e") if len(word) > _SHORTEST_STEM else word


LIGHT_TERMS = frozenset(map(stem, _LIGHT.split()))
"""Terms of words that say little; they count ``LIGHT_WEIGHT``."""
