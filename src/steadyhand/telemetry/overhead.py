"""Counts what answers cost beside themselves: tokens of hedges, harvests and drills.

Tokens that were known when a request's record was made are in its attempts; those of work that
ended later come as annotations. Each is told once, so the two need not know of each other.
"""

from collections.abc import Iterator, Sequence
from threading import Lock

from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from steadyhand.records.annotation import Annotation, LateUsage, body_of
from steadyhand.records.record import DRILL, Attempt, Record
from steadyhand.telemetry import overhead_names as names
from steadyhand.telemetry.tallies import Counter, Values


class OverheadMetrics(Collector):
    """What is counted of drills and of annotations; ``collect`` may run in another thread."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._lock = Lock()
        self._values = Values()
        self._tokens = Counter(names.EXTRA_TOKENS)
        self._drills = Counter(names.DRILLS)

    def consume(self, records: Sequence[Record]) -> None:
        """Count the drills among ``records``, and tokens of attempts; each must be given once."""
        with self._lock:
            for record in records:
                if record.wire == DRILL:
                    self._count_drill(record)
                for attempt in record.attempts:
                    if attempt.usage:
                        self._count_attempt(record, attempt)

    def consume_annotations(self, annotations: Sequence[Annotation]) -> None:
        """Count the tokens that ``annotations`` tell; each must be given once."""
        with self._lock:
            for annotation in annotations:
                body = body_of(annotation)
                if isinstance(body, LateUsage):
                    self._count_usage(body)

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield every family, all of one moment."""
        with self._lock:
            families = [self._tokens.family(), self._drills.family()]
        yield from families

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()

    def _count_drill(self, record: Record) -> None:
        values = self._values
        route, provider, model = values[record.route], values[record.provider], values[record.model]
        self._drills[route, values[record.rung], provider, model, values[record.reason]] += 1
        spent = LateUsage(
            record.tenant,
            record.route,
            record.provider,
            record.model,
            DRILL,
            record.input_tokens,
            record.output_tokens,
            "reported",
        )
        self._count_usage(spent)

    def _count_attempt(self, record: Record, attempt: Attempt) -> None:
        spent = LateUsage(
            record.tenant,
            record.route,
            attempt.provider,
            attempt.model,
            attempt.role,
            attempt.input_tokens,
            attempt.output_tokens,
            "estimated" if attempt.usage == "estimated" else "reported",
        )
        self._count_usage(spent)

    def _count_usage(self, spent: LateUsage) -> None:
        values = self._values
        whom = (
            values[spent.route],
            values[spent.provider],
            values[spent.model],
            values[spent.role],
        )
        for direction, tokens in (("input", spent.input_tokens), ("output", spent.output_tokens)):
            if tokens > 0:
                self._tokens[*whom, direction, spent.counting] += tokens
