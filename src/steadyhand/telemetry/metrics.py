"""Counts records into metrics. Runs in the control process, off the request path.

A record costs a few dict look-ups and bisections; Prometheus's own objects are made only when
scraped. Totals start at zero with the process, which is what Prometheus expects of a counter.
"""

from collections.abc import Iterator, Sequence
from threading import Lock

from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from steadyhand.records.record import DRILL, Attempt, Record, tried
from steadyhand.telemetry import names
from steadyhand.telemetry.tallies import Counter, Histogram, Values

_MEASURED = frozenset({"answered", "floor", "failed", "truncated"})
_FLAG = {True: "true", False: "false"}


class RequestMetrics(Collector):
    """All that is counted of records. ``consume`` and ``collect`` may run in different threads."""

    def __init__(self, edges_us: tuple[int, ...]) -> None:
        """Take the histograms' edges: :func:`steadyhand.telemetry.names.edges`."""
        self._lock = Lock()
        self._tenants = Values()
        self._routes = Values()
        self._reasons = Values()
        self._models = Values()
        self._names = Values()  # SLO classes, rungs, providers: names of the workspace and the code
        self._requests = Counter(names.REQUESTS)
        self._late = Counter(names.LATE_ANSWERS)
        self._truncated = Counter(names.TRUNCATED_ANSWERS)
        self._tokens = Counter(names.TOKENS)
        self._attempts = Counter(names.ATTEMPTS)
        self._durations = Histogram(names.REQUEST_DURATION, edges_us)
        self._first_contents = Histogram(names.FIRST_CONTENT, edges_us)
        self._attempt_durations = Histogram(names.ATTEMPT_DURATION, edges_us)

    def consume(self, records: Sequence[Record]) -> None:
        """Count ``records``; each must be given once."""
        with self._lock:
            for record in records:
                if record.wire != DRILL:  # no caller waited for it
                    self._count(record)

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield every family, all of one moment."""
        with self._lock:
            families = [
                self._requests.family(),
                self._durations.family(),
                self._first_contents.family(),
                self._late.family(),
                self._truncated.family(),
                self._tokens.family(),
                self._attempts.family(),
                self._attempt_durations.family(),
            ]
        yield from families

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()

    def _count(self, record: Record) -> None:
        tenant, route = self._tenants[record.tenant], self._routes[record.route]
        outcome, reason = record.outcome, self._reasons[record.reason]
        status, process = str(record.status), str(record.process)
        rung = self._names[record.rung]
        self._requests[tenant, route, outcome, reason, rung, status, process] += 1
        if outcome in _MEASURED:
            self._measure(record, route)
        if outcome == "truncated":
            provider, model = self._names[record.provider], self._models[record.model]
            self._truncated[route, provider, model, reason] += 1
        if record.input_tokens or record.output_tokens:
            self._count_tokens(record, tenant, route)
        for attempt in tried(record):
            self._count_attempt(attempt)

    def _measure(self, record: Record, route: str) -> None:
        slo = self._names[record.slo]
        self._durations.observe((route, slo, _FLAG[record.stream]), record.total_us)
        if record.stream and record.first_content_us:
            self._first_contents.observe((route, slo), record.first_content_us)
        if record.budget_us and not record.in_time:
            self._late[route, slo] += 1

    def _count_tokens(self, record: Record, tenant: str, route: str) -> None:
        whom = (tenant, route, self._names[record.provider], self._models[record.model])
        tokens = self._tokens
        cached = min(record.cached_tokens, record.input_tokens)
        reasoning = min(record.reasoning_tokens, record.output_tokens)
        tokens[*whom, "input"] += record.input_tokens - cached
        tokens[*whom, "output"] += record.output_tokens - reasoning
        if cached:
            tokens[*whom, "input_cached"] += cached
        if reasoning:
            tokens[*whom, "output_reasoning"] += reasoning

    def _count_attempt(self, attempt: Attempt) -> None:
        provider, model = self._names[attempt.provider], self._models[attempt.model]
        rung = self._names[attempt.rung]
        self._attempts[provider, model, rung, self._reasons[attempt.reason]] += 1
        duration_us = max(0, attempt.ended_us - attempt.started_us)
        self._attempt_durations.observe((provider, model, rung), duration_us)
