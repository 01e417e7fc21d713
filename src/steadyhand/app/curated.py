"""Where the slices meet: what rungs of the kind ``knowledge`` ask, answered by ``knowledge``."""

from collections.abc import Sequence

from steadyhand.app.serving import RUNGS
from steadyhand.core.plugins import load
from steadyhand.knowledge.library import Reading
from steadyhand.knowledge.model import Asker, Entry
from steadyhand.knowledge.trial import Tried, try_on
from steadyhand.knowledge.visibility import day_of
from steadyhand.records.clock import wall_clock_us
from steadyhand.routing.ports import Example
from steadyhand.routing.rungs.base import Question, StoredAnswer


class CuratedAnswers:
    """See :class:`steadyhand.routing.ports.KnowledgePort`."""

    def __init__(self, reading: Reading) -> None:
        """Take the collections of one snapshot."""
        self._reading = reading

    def example(self, collection: str, question: Question, draw: float) -> Example | None:
        """See :class:`steadyhand.routing.ports.KnowledgePort`."""
        found = self._reading.example(collection, question.tenant, question.locale, draw)
        return None if found is None else Example(*found)

    def ask(self, collection: str, threshold: float, question: Question) -> StoredAnswer | None:
        """See :class:`steadyhand.routing.ports.KnowledgePort`."""
        told = self._reading.ask(
            collection,
            question.messages,
            question.modality,
            question.tenant,
            question.locale,
            threshold,
        )
        if told is None:
            return None
        return StoredAnswer(
            told.content, source=told.source, confidence=told.confidence, reason="curated"
        )


def try_question(
    entries: Sequence[Entry], question: str, tenant: str, locale: str, threshold: float | None
) -> Tried:
    """Return what somebody would be told today; without ``threshold``, under the rung's default."""
    asker = Asker(tenant, locale, day_of(wall_clock_us(), 0))
    default = load(RUNGS, "knowledge").THRESHOLD
    return try_on(entries, question, asker, default if threshold is None else threshold)
