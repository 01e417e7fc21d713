"""What the control process needs of grounding: samples checked, kept and told of."""

import asyncio
import os
from collections.abc import Callable, Sequence
from time import monotonic

from steadyhand.app.grounding_sources import CuratedSources
from steadyhand.app.state import State, secret_resolver
from steadyhand.evals.grounding.checker import Ask, Checker
from steadyhand.evals.grounding.judge import Judge
from steadyhand.evals.grounding.metrics import GroundingMetrics
from steadyhand.evals.grounding.spool import Spool
from steadyhand.evals.grounding.store import SampleStore
from steadyhand.knowledge.library import Library
from steadyhand.objectives.book import Book
from steadyhand.records.annotation import Annotation, Grounding, body_of
from steadyhand.records.clock import wall_clock_us
from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.settings.model import Settings
from steadyhand.settings.tables import ServerSettings
from steadyhand.snapshot.model import Snapshot
from steadyhand.storage.database import Database


class SampledAnswers:
    """Samples of one installation.

    Whether or not a route is sampled now, what gateways have written is checked and what is kept
    expires.

    Attributes:
        store: Of samples.
        metrics: What is scraped.
        checker: Checks them.
    """

    def __init__(
        self,
        settings: Settings,
        state: State,
        database: Database,
        book: Book,
        snapshot: Callable[[], Snapshot | None],
    ) -> None:
        """Take the parts; nothing runs yet."""
        self.store = SampleStore(database)
        self._folder = state.log
        self._log: RecordLog | None = None
        library = Library(state.answers, wall_clock_us)
        self.checker = Checker(
            Spool(state.samples),
            self.store,
            self._annotate,
            wall_clock_us,
            judge_of(settings),
            CuratedSources(library, snapshot).look,
        )
        self.metrics = GroundingMetrics(lambda: self.checker.status)
        self._book = book

    def consume_annotations(self, annotations: Sequence[Annotation]) -> None:
        """Count verdicts, and let the objectives count them."""
        self.metrics.consume_annotations(annotations)
        for note in annotations:
            body = body_of(note)
            if isinstance(body, Grounding) and body.verdict != "not_measured":
                self._book.judged(body.route, is_grounded=body.verdict == "grounded")

    def _annotate(self, found: Annotation) -> None:
        """Say what was found as any writer of the record log; without samples there is none."""
        if self._log is None:
            self._log = RecordLog(self._folder, LogSettings())
        self._log.annotate(found)

    async def run(self) -> None:
        """Check until cancelled; then let what was found be written."""
        try:
            await self.checker.run()
        finally:
            if self._log is not None:
                await asyncio.shield(asyncio.to_thread(self._log.close))


def judge_of(settings: Settings) -> Ask | None:
    """Return what asks the judge of a workspace; ``None`` if it names none."""
    wanted = settings.grounding.judge
    route, reference = wanted.route, wanted.key
    if route is None or reference is None:
        return None
    resolve = secret_resolver(settings.workspace, os.environ)
    url = wanted.url or own_address(settings.server)
    return Judge(route, wanted, url, lambda: resolve(reference), monotonic).ask


def own_address(server: ServerSettings) -> str:
    """Return where the AI API of this installation is reached from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)  # noqa: S104 - not bound
    scheme = "https" if server.tls_cert is not None else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{server.port}"
