"""Find the sentence of a text that answers a question best, by the words they share.

Not a model: enough for a demo to say something true about its own documents.
"""

import math
import re
from collections import Counter
from functools import lru_cache

_WORD = re.compile(r"[a-z0-9_]{2,}")
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?!\s)[^.!?\n]*)*[.!?]?")
_LEAST = 4


def nearest_sentence(question: str, text: str) -> str:
    """Return up to two neighbouring sentences of ``text``, or nothing if no word is shared.

    Shared words count by how rare they are in ``text``; long sentences are held back a little.
    """
    sentences, words, rarity = _indexed(text)
    asked = set(_WORD.findall(question.lower()))
    best, best_score = -1, 0.0
    for place, present in enumerate(words):
        shared = sum(rarity[word] for word in asked & present)
        score = shared / (8 + len(present)) ** 0.5
        if score > best_score:
            best, best_score = place, score
    return " ".join(sentences[best : best + 2]) if best >= 0 else ""


@lru_cache(maxsize=16)
def _indexed(
    text: str,
) -> tuple[tuple[str, ...], tuple[frozenset[str], ...], dict[str, float]]:
    """Split ``text`` once; the same instructions come with every request of a route."""
    sentences = tuple(
        sentence.strip()
        for sentence in _SENTENCE.findall(text)
        if len(_WORD.findall(sentence.lower())) >= _LEAST
    )
    words = tuple(frozenset(_WORD.findall(sentence.lower())) for sentence in sentences)
    counts = Counter(word for present in words for word in present)
    rarity = {word: math.log(1 + len(words) / count) for word, count in counts.items()}
    return sentences, words, rarity
