"""What is deployed, read from the snapshot and the records: for the views of the REST API."""

from collections.abc import Callable

from steadyhand.control.failures import NothingPublished
from steadyhand.control.upstreams import Attempted, Sample, Upstream
from steadyhand.records.record import tried
from steadyhand.records.selection import RecordFilter
from steadyhand.records.store import RecordStore
from steadyhand.routing.model import deployments_of
from steadyhand.snapshot.model import Snapshot

UNKNOWN_ENDS = frozenset({"overtaken", "client_gone"})
"""Ends that say nothing about the deployment: another was quicker, or nobody waited."""

SAMPLE_RECORDS = 2_000  # decoded in milliseconds; at a higher rate the newest speak for the rest


def published(snapshot: Callable[[], Snapshot | None]) -> Snapshot:
    """Return the snapshot in force.

    Raises:
        NothingPublished: There is none.
    """
    found = snapshot()
    if found is None:
        raise NothingPublished(
            "no snapshot has been published yet",
            hint="steadyhand validate says what is wrong with the workspace",
        )
    return found


def upstreams(snapshot: Snapshot) -> list[Upstream]:
    """Return the providers of ``snapshot`` with what its routes deploy there. Pure."""
    known: dict[str, set[tuple[str, str]]] = {name: set() for name in snapshot.providers}
    for route in snapshot.routes.values():
        for rung in route.rungs:
            for deployment in deployments_of(rung):
                if deployment.provider in known and deployment.model:
                    known[deployment.provider].add((deployment.model, deployment.region))
    return [
        Upstream(name, entry.kind, tuple(sorted(known[name])))
        for name, entry in snapshot.providers.items()
    ]


def recent_attempts(records: RecordStore, since_us: int) -> Sample:
    """Return how attempts of requests received since ``since_us`` ended; blocks."""
    page = records.list(RecordFilter(since_us=since_us), limit=SAMPLE_RECORDS)
    attempts = [
        Attempted(
            provider=attempt.provider,
            model=attempt.model,
            region=attempt.region,
            reason=attempt.reason,
            took_us=attempt.ended_us - attempt.started_us,
            at_us=stored.record.received_us + attempt.ended_us,
        )
        for stored in page.records
        for attempt in tried(stored.record)
        if attempt.provider and attempt.reason not in UNKNOWN_ENDS
    ]
    return Sample(attempts, is_whole=page.before is None)
