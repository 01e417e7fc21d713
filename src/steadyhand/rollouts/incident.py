"""Incidents: what went wrong in a rollout, with a draft of the report about it. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import exp

import msgspec

from steadyhand.records.exposures.model import CANDIDATE, COMPARED, CONTROL
from steadyhand.rollouts.certificate import Look
from steadyhand.rollouts.counts import Step
from steadyhand.rollouts.model import Rollout


class Incident(msgspec.Struct, frozen=True):
    """One incident.

    Attributes:
        id: Of it; from the rollout's, so that there is one however often it is opened.
        rollout: Id.
        route: Which route's.
        environment: Where.
        opened_us: When, microseconds since 1970.
        closed_us: When everything was as before; 0 while it is not.
        reason: By name.
        message: In words.
        commit: That took the release back; empty while there is none.
        needs: What a person has to do; empty for nothing.
        report: Draft of the report about it, Markdown.
    """

    id: str
    rollout: str
    route: str
    environment: str
    opened_us: int
    closed_us: int
    reason: str
    message: str
    commit: str
    needs: str
    report: str


def incident(rollout: Rollout, looks: Sequence[Look], needs: str = "") -> Incident:
    """Return the incident of a rollout that is taken back, as far as it is."""
    work = rollout.work
    return Incident(
        id=f"incident-{rollout.id}",
        rollout=rollout.id,
        route=rollout.route,
        environment=rollout.environment,
        opened_us=work.verdict_us,
        closed_us=work.verified_us,
        reason=rollout.reason,
        message=rollout.verdict.message,
        commit=work.commit,
        needs=needs,
        report=report(rollout, looks, needs),
    )


def report(rollout: Rollout, looks: Sequence[Look], needs: str = "") -> str:
    """Return a draft of the report: what happened, when, how bad, and what is left to do."""
    lines = [
        f"# {rollout.route} in {rollout.environment}: release "
        f"{_short(rollout.candidate)} was taken back",
        "",
        f"Rollout `{rollout.id}`, opened by {rollout.opened_by}."
        + (f" Ordered by {rollout.by}: {rollout.reason}." if rollout.by else ""),
        "",
        "## What happened",
        "",
        f"{rollout.verdict.message or rollout.reason}.",
        "",
        "## When",
        "",
        *_times(rollout),
        "",
        "## Whom it met",
        "",
        *_harm(looks),
        "",
        "## Left to do",
        "",
        *([f"- [ ] {needs}"] if needs else []),
        "- [ ] Say why the release was worse.",
        "- [ ] Add a case to the samples that this release fails and the stable one passes.",
        "- [ ] Release the mended version; this digest is refused from now on.",
    ]
    return "\n".join(lines) + "\n"


def _times(rollout: Rollout) -> list[str]:
    work = rollout.work
    rows = [
        (rollout.opened_us, "the rollout began"),
        (work.verdict_us, f"verdict: {rollout.reason}"),
        (work.drained_us, "gateways were told to serve the candidate no more"),
        (work.last_served_us, "the last request came to the candidate"),
        (work.synced_us, f"commit {work.commit[:10]} was carried out"),
        (work.verified_us, "no gateway had the candidate any more"),
    ]
    found = [f"- {_clock(at_us)}: {text}" for at_us, text in sorted(rows) if at_us]
    if work.last_served_us and work.verdict_us:
        after_s = max(0.0, (work.last_served_us - work.verdict_us) / 1e6)
        found.append(f"- From the verdict to the last request on the candidate: {after_s:.2f} s.")
    return found


def _harm(looks: Sequence[Look]) -> list[str]:
    if not looks:
        return ["Nothing was counted before it was taken back."]
    last = looks[-1]
    rows = ["| slice | requests | bad events of any kind |", "|---|---|---|"]
    for name, slots in (("candidate", (COMPARED, CANDIDATE)), ("control", (CONTROL,))):
        requests = sum(_sum(step, slots) for step in last.counts.steps)
        bad = sum(
            step.bad["any"][slot]
            for step in last.counts.steps
            if "any" in step.bad
            for slot in slots
        )
        rows.append(f"| {name} | {requests:,} | {bad:,} |")
    worst = exp(min(last.assessment.worse_all, 50))
    return [*rows, "", f"E-value against the candidate: {worst:.4g}."]


def _sum(step: Step, slots: tuple[int, ...]) -> int:
    return sum(step.requests[slot] for slot in slots)


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:16]


def _clock(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-4] + " UTC"
