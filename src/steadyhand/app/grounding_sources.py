"""Curated answers on what a sampled answer was asked: where the slices evals and knowledge meet."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from steadyhand.evals.grounding.finding import Source
from steadyhand.evals.grounding.sample import Sample
from steadyhand.knowledge.library import Library
from steadyhand.snapshot.compile import collection_name
from steadyhand.snapshot.model import Snapshot

LEAST: Final = 0.5
"""Probability that a curated answer is on what was asked: more likely than not. One that is not
would make a good answer look made up."""
MOST: Final = 3


class _Request(msgspec.Struct):
    messages: list[msgspec.Raw]


_REQUEST: Final = msgspec.json.Decoder(_Request)


class CuratedSources:
    """Belongs to the control process, and to one thread of it at a time."""

    def __init__(self, library: Library, snapshot: Callable[[], Snapshot | None]) -> None:
        """Take where collections are read; nothing is read yet."""
        self._wanted: set[str] = set()
        self._library = library
        self._snapshot = snapshot

    def look(self, sample: Sample) -> Sequence[Source]:
        """Return what the sample's collections say on what was asked; the surest first.

        A collection that cannot be read says nothing. The first look after a change reads it.
        """
        names, found = sample.collections, self._snapshot()
        if not names or found is None or sample.problem:
            return ()
        try:
            messages = _REQUEST.decode(sample.asked).messages
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return ()
        self._wanted.update(names)
        held = self._held(found)
        reading = self._library.open(held, found.compiled_us)
        told = [
            one
            for name in names
            for one in reading.near(
                _of_release(name, sample.release, held), messages, sample.tenant, LEAST, MOST
            )
        ]
        told.sort(key=lambda one: -one.confidence)
        return [Source(one.source, one.content) for one in told[:MOST]]

    def _held(self, snapshot: Snapshot) -> Mapping[str, str]:
        """Return the collections that samples have named, loaded; others are let go."""
        held = {
            name: digest
            for name, digest in snapshot.collections.items()
            if name.partition("@")[0] in self._wanted
        }
        if not self._library.holds(held):
            self._library.load(held)
            self._library.took_over(held)
        return held


def _of_release(name: str, release: str, held: Mapping[str, str]) -> str:
    """Return what a collection is called: a release may have brought one of its own."""
    own = collection_name(name, release) if release else name
    return own if own in held else name
