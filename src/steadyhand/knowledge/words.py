"""From text to terms: the same for entries and questions. Pure.

Terms are folded (NFKD, case, accents), split at everything that is neither letter nor digit, so
that ``pg_dump``, ``pg-dump`` and "pg dump" share two terms, and stemmed lightly; an identifier is a
term as a whole as well, because ``pg_dump`` is another thing than ``pg_dump_all``. Endings: plural,
``-ing``, ``-ed``, ``-ion``, ``-ate`` and a final ``e`` go. On short questions a light stemmer errs
less than a strong one (Harman 1991, "How Effective Is Suffixing?"). Words of scripts that write
without spaces become pairs of characters.
"""

import re
import unicodedata
from functools import lru_cache

LONGEST_TERM = 40
"""Characters; longer runs are keys, hashes or noise, and are cut so that they stay cheap."""

_RUN = re.compile(r"\w+")
_VOWEL = re.compile(r"[aeiouy]")
_FIRST_UNSPACED = "\u2e80"
"""From here on: Han, kana, Hangul and their neighbours."""
_SHORTEST_STEM = 4
_SMALL_NUMBER = 2
"""Digits: versions, steps and counts."""
_ENDINGS = {"ation": 5, "ating": 5, "ated": 5, "ate": 5, "ing": 3, "ion": 4, "ed": 3}
"""Ending → letters that must be left: ``string`` is not the ``-ing`` of ``str``. Longest first."""

_STOP = """
    a about am an and any are as at be been being but by can could d dear did do does for from had
    has have he hello her hey hi him his how i if im in into is it its ive just ll m me my of on
    onto or our please re s she should so some t thank thanks that the their them then there these
    they this those to us ve was we were what whats when where which who whom why will with would
    you your yours
"""
STOP = frozenset(_STOP.split())
"""Words that say that something is asked, not what."""

_LIGHT = """
    able above accomplish achieve across actually advice advise after again against ago ah aha all
    almost along already also although always amid among anybody anymore anyone anything anyway
    anyways apart app arent around ask asked asking away back bad basic basically basics become
    before begin beginner behind believe below beneath beside besides best between beyond big bit
    boss both brief briefly bring busy call came cannot cant care certain certainly clarify clear
    clearly colleague come company concern concerning confused confusing consider correct correctly
    couldnt couple currently customer day days deal decide definitely describe despite detail
    details didnt difficult doc docs documentation documented doesnt doing done dont down during
    each easily easy eg either else enough especially etc even ever every everybody everyone
    everything exactly example except experience expert explain explained explanation face fact
    fail far feel few figure find fine first five folks following forget found four frankly friend
    furthermore general generally get gets getting give given glad go goes going gone good got
    great guess guide guy guys half happen happening happens happy hard hasnt hate havent having
    hear help hence here herself himself hint hints hm hmm honestly hope however idea immediately
    important including info information inside instead interested interesting introduction
    involved isnt issue itself keep kind know knowledge last lately later learn least left less let
    like likely little long look looking lost lot lots love madam made main make makes making
    manage managed manual many matter may maybe mean meaning means meant mention might mind mine
    moment more moreover morning most much must myself near necessary need neither never
    nevertheless new newbie next nice nobody none nope nor normal normally not nothing now off
    often oh okay old once one ones only oops opinion opinions other others otherwise ought ours
    ourselves out outside over overview own part particular people per perhaps person place
    pointers possible possibly pretty probably problem problems production project proper properly
    provide purpose put question questions quick quickly quite rather read reading real really
    reason recently recommend regarding related remember right said same saw say says second see
    seem seems seen sense seriously several shall short shouldnt show simple simply since sir
    situation slightly small somebody somehow someone something sometimes somewhere soon sorry sort
    speak special start started starting step steps still strange struggle struggling stuck stuff
    subject such suddenly suggest suggestion suggestions summarise summarize summary supposed sure
    take taking talk team tell than theirs themselves therefore thing things think though thought
    thoughts three through throughout thus tip tips today together told too took topic toward
    towards trouble true try trying turn tutorial two typical typically uh um understand
    understanding understood unless unlike until up upon usage use used useful user uses using
    usual usually various very via walk want wants wasnt way ways week well went whatever whenever
    whether while whole whose wish within without wonder wondering wont word work working works
    world worry worth wouldnt wow wrong yeah year yep yes yesterday yet yourself
"""
"""The commonest English words that say little of what a question is about."""

_COMPARING = "difference differences different differ differs better prefer preferred"
_COMPARING += " versus vs compare compared comparison equivalent alternative"

LIGHT_SHARE = 0.065
"""What such a word weighs at most, as a share of what a word weighs that no entry has."""


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
        parts = [part for part in run.split("_") if part]
        found += (word for part in parts for word in _of_run(part))
        if len(parts) > 1:
            found.append("_".join(parts)[:LONGEST_TERM])
    return found


def _of_run(run: str) -> list[str]:
    if run[0] >= _FIRST_UNSPACED and len(run) > 2:
        return [run[at : at + 2] for at in range(len(run) - 1)]
    return [run[:LONGEST_TERM]]


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
"""Terms of words that say little."""


def is_light(term: str) -> bool:
    """Tell whether ``term`` says little whatever the collection: common, or a small number."""
    return term in LIGHT_TERMS or (len(term) <= _SMALL_NUMBER and term.isdigit())


COMPARING_TERMS = frozenset(map(stem, _COMPARING.split()))
"""Terms of a question about two things, of which an answer about one is no answer."""
