"""A knowledge rung: curated answers, spoken word for word when one surely answers the question.

A look costs half a millisecond of the process, a hundred times what the rest of the ladder costs.
So ``peek``, which every request pays, finds nothing, and ``fetch`` everything: the planner asks for
it when a live rung is slow, has failed or may not start. It waits for nothing all the same. Without
its collection (never published, damaged, missing) it says nothing and the ladder goes on.
"""

from typing import Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from steadyhand.routing.planning.situation import Cost
from steadyhand.routing.ports import KnowledgePort, RungPorts
from steadyhand.routing.rungs.base import GoodAnswer, Question, StoredAnswer

IS_FLOOR = False

PRIOR = Cost(p50_us=300, p90_us=600, p99_us=1_500)
"""Of a look into 10,000 answers; see ``benchmarks/results``."""

THRESHOLD = 0.95
"""Below one wrong answer in a hundred questions that have none; see ``benchmarks/knowledge``."""


class Settings(BaseModel):
    """Keys of ``[[rungs]]`` when ``kind = "knowledge"``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    collection: str = Field(description="folder of `answers/` whose curated answers are spoken")
    threshold: float = Field(
        default=THRESHOLD,
        gt=0,
        le=1,
        description="least confidence to speak with; `steadyhand answers search` shows that of a "
        "question",
    )


class Knowledge:
    """See :class:`steadyhand.routing.rungs.base.StoredRung`."""

    kind: Literal["knowledge"] = "knowledge"
    has_slow_tiers = True
    cost = PRIOR

    def __init__(self, settings: Settings, answers: KnowledgePort | None) -> None:
        """Bind a collection; ``answers`` is ``None`` where nothing is served."""
        self._settings = settings
        self._answers = answers

    def peek(self, question: Question) -> StoredAnswer | None:
        """Return ``None``: a look is too dear for requests that a model answers."""
        return None

    async def fetch(self, question: Question, until_s: float) -> StoredAnswer | None:
        """Return the curated answer that is sure enough, or ``None``."""
        if self._answers is None:
            return None
        return self._answers.ask(self._settings.collection, self._settings.threshold, question)

    async def drill(self, question: Question, draw: float, until_s: float) -> str:
        """Ask an entry's own first question, and expect that entry."""
        answers, collection = self._answers, self._settings.collection
        example = answers.example(collection, question, draw) if answers is not None else None
        if example is None or not example.question:
            return "absent" if example is None else "no_entries"
        text = msgspec.json.encode({"role": "user", "content": example.question})
        found = await self.fetch(
            msgspec.structs.replace(question, messages=[msgspec.Raw(text)]), until_s
        )
        if found is None:
            return "unanswered"
        return "ok" if found.content == example.answer else "wrong_answer"

    def keep(self, question: Question, answer: GoodAnswer) -> None:
        """Keep nothing: what a model said is not curated."""


def build(settings: Settings, ports: RungPorts) -> Knowledge:
    """Make a knowledge rung."""
    return Knowledge(settings, ports.knowledge)
