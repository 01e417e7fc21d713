"""Counting records gives what Prometheus's own objects give, only faster."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from steadyhand.records.record import Attempt, Outcome, Record
from steadyhand.telemetry import names
from steadyhand.telemetry.collectors import registry, scrape
from steadyhand.telemetry.metric import Metric
from steadyhand.telemetry.metrics import RequestMetrics
from steadyhand.telemetry.names import edges
from steadyhand.telemetry.tallies import MOST_VALUES
from tests.support.records import record

EDGES = edges([150, 1_500])

ATTEMPTS = st.builds(
    Attempt,
    rung=st.sampled_from(["live", "template"]),
    provider=st.sampled_from(["acme", ""]),
    model=st.sampled_from(["small", "large", ""]),
    started_us=st.integers(0, 1_000),
    ended_us=st.sampled_from([1_000, 150_000, 150_001, 900_000_000]),
    status=st.sampled_from([0, 200, 429]),
    reason=st.sampled_from(["ok", "rate_limited"]),
)
RECORDS = st.builds(
    record,
    tenant=st.sampled_from(["team-a", "team-b", ""]),
    route=st.sampled_from(["support", ""]),
    slo=st.sampled_from(["instant", ""]),
    stream=st.booleans(),
    budget_us=st.sampled_from([0, 150_000]),
    in_time=st.booleans(),
    outcome=st.sampled_from(get_args(Outcome)),
    reason=st.sampled_from(["ok", "cut"]),
    status=st.sampled_from([200, 503]),
    attempts=st.lists(ATTEMPTS, max_size=3).map(tuple),
    first_content_us=st.sampled_from([0, 999, 150_000, 150_001]),
    total_us=st.sampled_from([1, 1_500_000, 1_500_001, 400_000_000]),
    input_tokens=st.integers(0, 50),
    output_tokens=st.integers(0, 50),
    cached_tokens=st.integers(0, 60),
    reasoning_tokens=st.integers(0, 60),
    process=st.integers(0, 2),
)


class Naive:
    """The same metrics by the library's own counters and histograms, one call per fact."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter(names.REQUESTS)
        self.durations = self._histogram(names.REQUEST_DURATION)
        self.first_contents = self._histogram(names.FIRST_CONTENT)
        self.late = self._counter(names.LATE_ANSWERS)
        self.truncated = self._counter(names.TRUNCATED_ANSWERS)
        self.tokens = self._counter(names.TOKENS)
        self.attempts = self._counter(names.ATTEMPTS)
        self.attempt_durations = self._histogram(names.ATTEMPT_DURATION)

    def _counter(self, metric: Metric) -> Counter:
        return Counter(metric.name, metric.meaning, metric.labels, registry=self.registry)

    def _histogram(self, metric: Metric) -> Histogram:
        return Histogram(
            metric.name,
            metric.meaning,
            metric.labels,
            registry=self.registry,
            buckets=[edge / 1_000_000 for edge in EDGES],
        )

    def count(self, each: Record) -> None:
        tenant, route, slo = each.tenant or "-", each.route or "-", each.slo or "-"
        stream = "true" if each.stream else "false"
        self.requests.labels(
            tenant, route, each.outcome, each.reason, each.rung, each.status, each.process
        ).inc()
        if each.outcome not in {"rejected", "client_gone", "interrupted"}:
            self.durations.labels(route, slo, stream).observe(each.total_us / 1_000_000)
            if each.stream and each.first_content_us > 0:
                self.first_contents.labels(route, slo).observe(each.first_content_us / 1_000_000)
            if each.budget_us > 0 and not each.in_time:
                self.late.labels(route, slo).inc()
        if each.outcome == "truncated":
            self.truncated.labels(route, each.provider, each.model, each.reason).inc()
        self.count_tokens(each, (tenant, route, each.provider, each.model))
        for attempt in each.attempts:
            whom = (attempt.provider or "-", attempt.model or "-", attempt.rung)
            self.attempts.labels(*whom, attempt.reason).inc()
            seconds = (attempt.ended_us - attempt.started_us) / 1_000_000
            self.attempt_durations.labels(*whom).observe(seconds)

    def count_tokens(self, each: Record, whom: tuple[str, ...]) -> None:
        cached = min(each.cached_tokens, each.input_tokens)
        reasoning = min(each.reasoning_tokens, each.output_tokens)
        for direction, count in (
            ("input", each.input_tokens - cached),
            ("input_cached", cached),
            ("output", each.output_tokens - reasoning),
            ("output_reasoning", reasoning),
        ):
            if count:
                self.tokens.labels(*whom, direction).inc(count)


def values(text: bytes) -> dict[str, float]:
    """Return what was scraped, by series; zeros and creation times say nothing new."""
    lines = [line.rsplit(" ", 1) for line in text.decode().splitlines() if line[0] != "#"]
    return {
        series: round(float(value), 6)  # whole microseconds: no sum lies between two
        for series, value in lines
        if float(value) and "_created{" not in series
    }


@given(st.lists(RECORDS, max_size=12))
def test_records_are_counted_as_the_librarys_own_objects_would(records: list[Record]) -> None:
    metrics, naive = RequestMetrics(EDGES), Naive()
    metrics.consume(records[:5])
    metrics.consume(records[5:])
    for each in records:
        naive.count(each)
    assert values(scrape(registry([metrics]))[0]) == values(generate_latest(naive.registry))


def test_an_answer_at_its_threshold_is_inside_it() -> None:
    metrics = RequestMetrics(EDGES)
    metrics.consume([record(total_us=150_000), record(total_us=150_001)])
    found = values(scrape(registry([metrics]))[0])
    labels = 'le="{}",route="support",slo="interactive",stream="false"'
    series = f"steadyhand_request_duration_seconds_bucket{{{{{labels}}}}}"
    assert found[series.format("0.15")] == 1
    assert found[series.format("0.2")] == 2


def test_more_tenants_and_models_than_a_label_takes_are_counted_as_other() -> None:
    metrics = RequestMetrics(EDGES)
    many = [record(tenant=f"t{n}", model=f"m{n}") for n in range(MOST_VALUES + 7)]
    metrics.consume(many)
    found = values(scrape(registry([metrics]))[0])
    requests = {k: v for k, v in found.items() if k.startswith("steadyhand_requests_total")}
    assert len(requests) == MOST_VALUES + 1
    assert [v for k, v in requests.items() if 'tenant="other"' in k] == [7]
    assert sum(requests.values()) == len(many)
    metrics.consume(many[:1])  # one that has its series keeps it
    again = values(scrape(registry([metrics]))[0])
    assert [v for k, v in again.items() if 'tenant="t0"' in k and "requests" in k] == [2]
