"""Words, numbers and sentences of a text, in time that is linear in its length. Pure."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

LONGEST_WORD: Final = 40
"""Characters; longer runs are keys, hashes or noise, and are cut so that they stay cheap."""
LONGEST_SENTENCE: Final = 1_200
"""Characters; a longer one is cut there, however it goes on."""

_WORD: Final = re.compile(r"[^\W_]+(?:[.,'\u2019][^\W_]+)*|%")
_END: Final = re.compile(r"(?<=[.!?\u3002])[\"'\u201d\u2019)\]]{0,3}\s+(?=[\"'\u201c(\[]?[A-Z0-9])")
_ABBREVIATED: Final = re.compile(
    r"(?:^|[\s(])(?:[A-Z]|Dr|Mr|Mrs|Ms|St|No|vs|etc|Inc|Ltd|Co|Jr|Sr|e\.g|i\.e|approx|Fig)\.$"
)
_UNSEEN: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
"""Characters that are not seen: what is hidden by them is compared as a reader would read it."""

_UNITS = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty
"""
_TENS = "thirty forty fifty sixty seventy eighty ninety"
_SPELLED: Final = {word: str(number) for number, word in enumerate(_UNITS.split())} | {
    word: str(30 + 10 * number) for number, word in enumerate(_TENS.split())
}
_ORDINAL: Final = re.compile(r"(\d+)(?:st|nd|rd|th)\Z")
_MONTHS = "january february march april june july august september october november december"
_SHORT_MONTHS: Final = {month[:3]: month for month in _MONTHS.split()} | {"sept": "september"}

_STOP = """
    a about after all also am an and any are as at be because been before being between both but by
    can could did do does doing during each for from further had has have having he her here hers
    him his how i if in into is it its just me more most my no nor not of off on once only or other
    our out over own same she should so some such than that the their them then there these they
    this those through to too under until up very was we were what when where which while who whom
    why will with would you your
"""
STOP: Final = frozenset(_STOP.split())
"""English words that carry structure, not content."""

_VOWEL: Final = re.compile(r"[aeiouy]")
_SHORTEST_STEM: Final = 4
_ENDINGS: Final = (
    ("ization", 3), ("isation", 3), ("ations", 4), ("ation", 4), ("ments", 4), ("ment", 4),
    ("ings", 3), ("ing", 3), ("ions", 4), ("ion", 4), ("ers", 4), ("ed", 3), ("ly", 4), ("er", 4),
)  # fmt: skip
_FINAL_VOWEL: Final = re.compile(r"[ey]$")


def seen(text: str) -> str:
    """Return ``text`` as a reader sees it: width folded, without characters that are not seen."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _UNSEEN.sub("", text)


def words(text: str) -> list[str]:
    """Return the words of a text that was made seen, in order and as they are written."""
    return [word[:LONGEST_WORD] for word in _WORD.findall(text)]


def is_number(term: str) -> bool:
    """Tell whether a term is a number."""
    return term[0].isdigit()


@lru_cache(maxsize=20_000)
def term_of(word: str) -> str:
    """Return what ``word`` is compared by: a folded stem, or a number in digits."""
    folded = word.lower().replace("\u2019", "'")
    if not folded.isascii():
        decomposed = unicodedata.normalize("NFKD", folded.casefold())
        folded = "".join(one for one in decomposed if not unicodedata.combining(one)) or folded
    if folded[0].isdigit():
        return _number(folded)
    folded = folded.removesuffix("'s").removesuffix("'").replace(".", "")
    if folded in _SPELLED:
        return _SPELLED[folded]
    return stem(_SHORT_MONTHS.get(folded, folded)) or word


def _number(folded: str) -> str:
    plain = folded.replace(",", "")
    ordinal = _ORDINAL.match(plain)
    if ordinal is not None:
        return ordinal[1]
    if "." in plain and plain.count(".") == 1 and plain.replace(".", "").isdigit():
        plain = plain.rstrip("0").rstrip(".")
    return plain


def stem(word: str) -> str:
    """Return ``word`` without the endings that English adds."""
    if len(word) < _SHORTEST_STEM or not word.isascii() or not word.isalpha():
        return word
    word = _singular(word)
    for ending, least in _ENDINGS:
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= least and _VOWEL.search(rest):
            word = rest[:-1] if rest[-1] == rest[-2] and rest[-1] not in "aeiouls" else rest
            break
    return _FINAL_VOWEL.sub("", word) if len(word) > _SHORTEST_STEM else word


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > _SHORTEST_STEM:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def sentences(text: str) -> list[str]:
    """Return the sentences of a text that was made seen; a line's end ends one as well."""
    return [one for line in text.split("\n") for one in _of_line(line.strip())]


def _of_line(line: str) -> list[str]:
    found: list[str] = []
    begin = 0
    for end in _END.finditer(line):
        if _ABBREVIATED.search(line[max(begin, end.start() - 8) : end.start()]):
            continue
        found += _cut(line[begin : end.start() + len(end[0].rstrip())])
        begin = end.end()
    return [*found, *_cut(line[begin:])]


def _cut(sentence: str) -> list[str]:
    sentence = sentence.strip()
    return [
        sentence[at : at + LONGEST_SENTENCE] for at in range(0, len(sentence), LONGEST_SENTENCE)
    ]
