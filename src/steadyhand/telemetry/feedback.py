"""Counts what callers say of answers. Runs in the control process."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from steadyhand.records.annotation import Annotation, Feedback, body_of
from steadyhand.telemetry import feedback_names as names
from steadyhand.telemetry.tallies import Counter

REMEMBERED: Final = 10_000
"""Ids whose repetition is not counted again."""


class FeedbackMetrics(Collector):
    """What is counted of feedback; ``collect`` may run in another thread."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._lock = Lock()
        self._counts = Counter(names.FEEDBACK)
        self._known: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    def consume_annotations(self, annotations: Sequence[Annotation]) -> None:
        """Count the feedback among ``annotations``; what is said again is not counted again."""
        with self._lock:
            for note in annotations:
                body = body_of(note)
                if not isinstance(body, Feedback):
                    continue
                id_ = (body.tenant, note.request_id, body.id)
                if id_ in self._known:
                    continue
                self._known[id_] = None
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
                for signal in body.signals:
                    self._counts[signal,] += 1

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield the family."""
        with self._lock:
            family = self._counts.family()
        yield family

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()
