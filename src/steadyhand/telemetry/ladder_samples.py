"""What one status says, as samples of metrics. Pure.

Each part of a status is a function that yields (metric, labels, value). Names of models may come
from callers, so a process speaks for at most :data:`MOST_SERIES` deployments, and a named reason
past :data:`MOST_REASONS` is counted under ``other``; the owners keep to less by themselves.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

from steadyhand.telemetry import ladder_names as names
from steadyhand.telemetry.metric import Metric
from steadyhand.telemetry.status import (
    CollectionStatus,
    DeploymentStatus,
    HedgeStatus,
    RungStatus,
    Status,
    TierStatus,
)

Sample = tuple[Metric, tuple[str, ...], float]

MOST_SERIES = 500
MOST_REASONS = 40
STATES = ("closed", "open", "half_open")
OTHER = "other"
NONE = "-"


def samples(status: Status) -> Iterator[Sample]:
    """Yield all that ``status`` says."""
    process = str(status.process)
    yield names.STATUS_WRITE_FAILURES, (process,), status.write_failures
    for deployment in islice(status.deployments, MOST_SERIES):
        yield from _deployment(process, deployment)
    for rung in islice(status.rungs, MOST_SERIES):
        yield from _rung(process, rung)
    yield from _hedges(process, status.hedges)
    for tier in status.tiers:
        yield from _tier(process, tier)
    for collection in islice(status.collections, MOST_SERIES):
        yield from _collection(process, collection)


def _deployment(process: str, said: DeploymentStatus) -> Iterator[Sample]:
    whom = (process, said.provider or NONE, said.model or NONE, said.region or NONE)
    for state in STATES:
        yield names.STATE, (*whom, state), int(said.state == state)
    yield names.SHARE, whom, said.share
    yield names.IN_FLIGHT, whom, said.in_flight
    for measure, cost in (("first_content", said.stream), ("whole", said.whole)):
        if cost.samples:
            for quantile, value_us in (
                ("0.5", cost.p50_us),
                ("0.9", cost.p90_us),
                ("0.99", cost.p99_us),
            ):
                yield names.LATENCY, (*whom, measure, quantile), value_us / 1_000_000
    if said.drift:
        yield names.DRIFT, whom, said.drift
    yield names.DRIFTS, whom, said.drifts
    yield from _counts(names.OPENINGS, whom, said.openings)
    yield from _counts(names.PROBES, whom, said.probes)
    yield from _counts(names.KEPT_AWAY, whom, said.refused)


def _rung(process: str, said: RungStatus) -> Iterator[Sample]:
    place = (process, said.route, str(said.rung), said.kind)
    which = (*place, said.provider or NONE, said.model or NONE, said.region or NONE)
    yield names.LAST_PROOF, which, said.proven_us / 1_000_000
    yield names.PROVEN, which, int(said.is_proven)


def _hedges(process: str, said: HedgeStatus) -> Iterator[Sample]:
    yield names.HEDGE_TOKENS, (process,), said.tokens
    yield from _counts(names.HEDGES, (process,), said.outcomes)
    yield from _counts(names.HEDGES_REFUSED, (process,), said.refused)
    yield from _counts(names.HARVESTS, (process,), said.harvests)


def _tier(process: str, said: TierStatus) -> Iterator[Sample]:
    whom = (process, said.tier)
    yield names.CACHE_UP, (*whom, said.backend or NONE), int(said.is_up)
    yield names.CACHE_EVICTIONS, whom, said.evictions
    if said.entries >= 0:
        yield names.CACHE_ENTRIES, whom, said.entries
    if said.size_bytes >= 0:
        yield names.CACHE_BYTES, whom, said.size_bytes
    yield from _counts(names.CACHE_LOOKUPS, whom, said.lookups)
    yield from _counts(names.CACHE_STORES, whom, said.stores)
    dependency = (process, f"cache_{said.backend or said.tier}")
    yield from _counts(names.DEPENDENCY_FAILURES, dependency, said.failures)


def _collection(process: str, said: CollectionStatus) -> Iterator[Sample]:
    whom = (process, said.name)
    yield names.KNOWLEDGE_ENTRIES, whom, said.entries
    yield names.KNOWLEDGE_LOADED, whom, said.loaded_us / 1_000_000
    yield from _counts(names.KNOWLEDGE_ANSWERS, whom, said.answers)
    dependency = (process, f"knowledge_{said.name}")
    yield from _counts(names.DEPENDENCY_FAILURES, dependency, said.failures)


def _counts(metric: Metric, labels: tuple[str, ...], counts: Mapping[str, int]) -> Iterator[Sample]:
    named = sorted(counts.items())
    for reason, count in named[:MOST_REASONS]:
        yield metric, (*labels, reason or NONE), count
    if named[MOST_REASONS:]:
        yield metric, (*labels, OTHER), sum(count for _, count in named[MOST_REASONS:])
