"""What an answer claims, sentence by sentence, and what in it claims nothing. Pure.

Code, tables' rules, headings, questions, courtesies and refusals claim nothing that a source could
bear out. An answer without any claim is *not measured*, and the reason is named: a missing
measurement must never read as a good one.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from steadyhand.evals.grounding.words import STOP, seen, sentences, words

MOST_CLAIMS: Final = 60
"""Claims of one answer that are checked; those after them are not."""
LONGEST_ANSWER: Final = 65_536
"""Characters of an answer that are read."""
LEAST_WORDS: Final = 3
"""Words with content that a claim needs at least."""

Unmeasured = Literal[
    "code_only",
    "language",
    "no_claim",
    "no_context",
    "not_plain",
    "refusal",
    "too_long",
    "unsure",
]
"""Why an answer is not measured. ``unsure``: its score is between the
two limits. ``not_plain``: it is no plain text that ended by itself. ``too_long``: to be kept."""

_FENCE: Final = re.compile(r"^ {0,3}(```|~~~)")
_MARKER: Final = re.compile(r"^\s{0,8}(?:[-*+\u2022>]|\d{1,3}[.)])\s+")
_HEADING: Final = re.compile(r"^\s{0,3}#{1,6}\s")
_RULE: Final = re.compile(r"^[\s|:+=_*-]+$")
_CITATION: Final = re.compile(r"\[\^?[\w ,:-]{1,24}\]|\u3010[^\u3011\n]{1,40}\u3011")
_LINK: Final = re.compile(r"\[([^\]\n]{1,200})\]\([^)\s]{1,400}\)")
_MARKS: Final = re.compile(r"[*_`]{1,3}")
_REFUSAL: Final = re.compile(
    r"\b(?:i (?:do not|don't|cannot|can't|could not|couldn't|am unable|am not able)\b.{0,40}?"
    r"\b(?:know|find|answer|help|say|tell|determine|confirm|have|assist|provide|see|to)\b"
    r"|(?:does not|doesn't|do not|don't) (?:say|mention|contain|include|provide|specify|state)\b"
    r"|(?:no|not enough|insufficient) (?:information|mention|details)\b"
    r"|(?:is|are) not (?:mentioned|stated|specified|provided|available in)\b)",
    re.IGNORECASE,
)
_COURTESY: Final = re.compile(
    r"^(?:hello|hi|hey|sure|certainly|of course|great question|good question|thanks|thank you"
    r"|you're welcome|sorry|i apologi[sz]e|i hope|i'd be happy|i would be happy|happy to help"
    r"|let me know|please let me|feel free|here (?:is|are)|here's|in summary:)"
    r"(?=$|\W)",
    re.IGNORECASE,
)
_LETTER: Final = re.compile(r"[^\W\d_]")
_LEAST_TO_TELL: Final = 12
_LEAST_ENGLISH: Final = 0.12
_LEAST_LATIN: Final = 0.8


class Claims(NamedTuple):
    """What was found in an answer.

    Attributes:
        texts: Claims, in order.
        reason: Why there are none; ``None`` if there are.
        left_out: Claims past the most that are checked.
    """

    texts: Sequence[str]
    reason: Unmeasured | None
    left_out: int = 0


def claims_of(answer: str) -> Claims:
    """Return what ``answer`` claims."""
    prose, has_code = _prose(seen(answer[:LONGEST_ANSWER]))
    found: list[str] = []
    refused = False
    for one in sentences(prose):
        if _REFUSAL.search(one) is not None:
            refused = True
        elif is_claim(one):
            found.append(one)
    if not is_english(prose):
        return Claims((), "language")
    if found:
        return Claims(found[:MOST_CLAIMS], None, max(0, len(found) - MOST_CLAIMS))
    if refused:
        return Claims((), "refusal")
    return Claims((), "code_only" if has_code and not words(prose) else "no_claim")


def is_claim(sentence: str) -> bool:
    """Tell whether a sentence says something that a source could bear out."""
    if sentence.endswith("?") or _COURTESY.match(sentence) is not None:
        return False
    content = [word for word in words(sentence) if word.lower() not in STOP]
    return len(content) >= LEAST_WORDS or any(word[0].isdigit() for word in content)


def is_english(text: str) -> bool:
    """Tell whether a text is English, as far as can be told: a short one in Latin letters is."""
    letters = _LETTER.findall(text)
    if letters and sum(one < "\u0250" for one in letters) / len(letters) < _LEAST_LATIN:
        return False
    found = [word.lower() for word in words(text)]
    if len(found) < _LEAST_TO_TELL:
        return True
    return sum(word in STOP for word in found) / len(found) >= _LEAST_ENGLISH


def _prose(answer: str) -> tuple[str, bool]:
    """Return the lines of an answer that are prose, and whether there was code."""
    lines: list[str] = []
    fence = ""
    has_code = False
    for line in answer.split("\n"):
        mark = _FENCE.match(line)
        if mark is not None and fence in ("", mark[1]):
            fence, has_code = "" if fence else mark[1], True
        elif not fence and not _HEADING.match(line) and not _RULE.match(line):
            lines.append(_plain(line))
    return "\n".join(lines), has_code


def _plain(line: str) -> str:
    line = _MARKER.sub("", line)
    if "[" in line or "\u3010" in line:
        line = _CITATION.sub("", _LINK.sub(r"\1", line))
    if "|" in line:
        line = line.replace("|", " ")
    return _MARKS.sub("", line).strip()
