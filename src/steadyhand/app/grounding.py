"""What the control process needs of grounding: samples checked, kept and told of."""

import asyncio
from collections.abc import Sequence

from steadyhand.app.state import State
from steadyhand.evals.grounding.checker import Ask, Checker
from steadyhand.evals.grounding.metrics import GroundingMetrics
from steadyhand.evals.grounding.settings import GroundingSettings
from steadyhand.evals.grounding.spool import Spool
from steadyhand.evals.grounding.store import SampleStore
from steadyhand.objectives.book import Book
from steadyhand.records.annotation import Annotation, Grounding, body_of
from steadyhand.records.clock import wall_clock_us
from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.storage.database import Database


class SampledAnswers:
    """Samples of one installation.

    While no route is sampled nothing is checked, but what is kept still expires.

    Attributes:
        store: Of samples.
        metrics: What is scraped.
        checker: Checks them.
    """

    def __init__(
        self,
        settings: GroundingSettings,
        state: State,
        database: Database,
        book: Book,
        ask: Ask | None = None,
    ) -> None:
        """Take the parts; nothing runs yet."""
        self.store = SampleStore(database)
        self._log = RecordLog(state.log, LogSettings()) if settings.routes else None
        annotate = self._log.annotate if self._log is not None else _nobody
        self.checker = Checker(Spool(state.samples), self.store, annotate, wall_clock_us, ask)
        self.metrics = GroundingMetrics(lambda: self.checker.status)
        self._book = book

    def consume_annotations(self, annotations: Sequence[Annotation]) -> None:
        """Count verdicts, and let the objectives count them."""
        self.metrics.consume_annotations(annotations)
        for note in annotations:
            body = body_of(note)
            if isinstance(body, Grounding) and body.verdict != "not_measured":
                self._book.judged(body.route, is_grounded=body.verdict == "grounded")

    async def run(self) -> None:
        """Check until cancelled; then let what was found be written."""
        try:
            await self.checker.run()
        finally:
            if self._log is not None:
                await asyncio.shield(asyncio.to_thread(self._log.close))


def _nobody(annotation: Annotation) -> None:
    """Say nothing: no route is sampled any more."""
    del annotation
