"""Claims that people have labelled, from a folder that is no part of the repository."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from time import thread_time
from typing import NamedTuple

from steadyhand.evals.grounding.check import Context, Features


class Labelled(NamedTuple):
    """A claim with what people say of it.

    Attributes:
        claim: It.
        context: Sentences that it should stand in.
        is_supported: Whether all of it is supported.
        evidence: Sets of sentences that people found enough; empty if they name none.
    """

    claim: str
    context: Sequence[str]
    is_supported: bool
    evidence: Sequence[Sequence[int]]


class Checked(NamedTuple):
    """A labelled claim, checked.

    Attributes:
        features: What it has.
        is_supported: What people say.
        took_s: CPU time of reading the context and checking.
        check_s: Of it, checking.
        words: Of the context, about.
    """

    features: Features
    is_supported: bool
    took_s: float
    check_s: float
    words: int


def read(path: Path) -> list[Labelled]:
    """Return the claims of a ``.jsonl.gz`` with ``claim``, ``sentences`` and ``human``."""
    found = []
    with gzip.open(path, "rt") as lines:
        for line in lines:
            row = json.loads(line)
            found.append(
                Labelled(
                    row["claim"],
                    row["sentences"],
                    row["human"] == "supported",
                    row.get("supporting_sets", []),
                )
            )
    return found


def checked(claims: Sequence[Labelled]) -> list[Checked]:
    """Check each claim against its own context."""
    found = []
    for one in claims:
        began_s = thread_time()
        context = Context(["\n".join(one.context)])  # one article
        read_s = thread_time()
        features = context.check(one.claim).features
        ended_s = thread_time()
        words = sum(len(sentence.tokens) for sentence in context.sentences)
        found.append(
            Checked(features, one.is_supported, ended_s - began_s, ended_s - read_s, words)
        )
    return found
