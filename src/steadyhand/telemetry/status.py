"""What a gateway process knows and a board cannot hold: its status file, once a second.

Numbers whose names are known beforehand go on the board (:mod:`steadyhand.telemetry.board`); what
is named by a workspace goes here: deployments and their health, rungs and their proofs, hedges,
cache tiers, knowledge collections. The owner of each builds its part as one of these types.

A reader never trusts the file: every field has a default, unknown fields are passed over, and a
file that is missing, torn or of another shape reads as ``None``, which callers show as unknown and
never as healthy. Wall-clock times in microseconds since 1970, 0 for never; counts since the start
of the process, by named reasons of the code, so that no caller can make them many.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

FRESH_US = 5_000_000
"""A status this far from now, either way, is that of a process that hangs or is gone.

Either way, because the wall clock may have been set back since it was written.
"""

MOST_BYTES = 8 << 20
"""A file longer than this is not ours."""

FILE = "gateway-{process}.status.json"
"""Name of a gateway process's status file in the run directory."""


class CostStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """Learned quantiles of one cost, microseconds; ``samples`` 0 means that they are a prior."""

    p50_us: int = 0
    p90_us: int = 0
    p99_us: int = 0
    samples: int = 0


class DeploymentStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one process thinks of one deployment.

    Attributes:
        provider: Name in the workspace.
        model: The deployment's model.
        region: Empty for unknown.
        state: ``closed``, ``open`` or ``half_open``.
        share: 0 to 1, the part of requests that it is given.
        reason: Why state or share last changed; empty if they never did.
        changed_us: When that was.
        probe_at_us: When an open breaker lets the next probe through; 0 if it is not open.
        in_flight: Requests that it is answering now.
        stream: Cost to the first content of a stream.
        whole: Cost of a whole answer.
        drift: Latency now over the reference window's, 1.0 for the same; 0 for unknown.
        drifts: Drifts seen since the process began.
        openings: Breaker openings, by reason.
        probes: Probes, by how they ended.
        refused: Requests kept from it, by why: ``open``, ``shed`` ...
    """

    provider: str = ""
    model: str = ""
    region: str = ""
    state: str = ""
    share: float = 0.0
    reason: str = ""
    changed_us: int = 0
    probe_at_us: int = 0
    in_flight: int = 0
    stream: CostStatus = CostStatus()
    whole: CostStatus = CostStatus()
    drift: float = 0.0
    drifts: int = 0
    openings: dict[str, int] = {}
    probes: dict[str, int] = {}
    refused: dict[str, int] = {}


class RungStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """When one candidate of one rung was last shown to work.

    Attributes:
        route: Name of the route.
        rung: Position in the ladder from 0; the floor has the last.
        kind: ``live``, ``cache``, ``knowledge``, ``template`` ...
        provider: Of the candidate; empty for rungs that call nobody.
        model: Of the candidate.
        region: Of the candidate.
        proven_us: When it last answered as it should; 0 for never.
        proven_by: ``drill``, ``traffic`` or empty.
        is_proven: Whether that is within its window.
        reason: Why the last drill failed; empty if it did not.
    """

    route: str = ""
    rung: int = 0
    kind: str = ""
    provider: str = ""
    model: str = ""
    region: str = ""
    proven_us: int = 0
    proven_by: str = ""
    is_proven: bool = False
    reason: str = ""


class HedgeStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """The shared budget of hedges and retries of one process, and what came of it.

    Attributes:
        tokens: Hedges that may start now.
        capacity: Most that can be saved up.
        outcomes: Hedges by how they ended: ``won``, ``lost``, ``failed``, ``cancelled`` ...
        refused: Hedges that were due and not started, by why: ``budget``, ``no_candidate`` ...
        harvests: Late live answers, by what became of them: ``kept``, ``failed``, ``capped`` ...
    """

    tokens: float = 0.0
    capacity: float = 0.0
    outcomes: dict[str, int] = {}
    refused: dict[str, int] = {}
    harvests: dict[str, int] = {}


class TierStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """One tier of the cache.

    Attributes:
        tier: ``hot``, ``warm`` or ``cold``.
        backend: ``memory``, ``redis``, ``database`` ...
        is_up: Whether it is used now.
        entries: In it, where that is known; -1 where not.
        size_bytes: Of them, where that is known; -1 where not.
        lookups: By how they ended: ``fresh``, ``stale``, ``miss``, ``late``, ``error`` ...
        stores: By how they ended: ``kept``, ``refused``, ``error`` ...
        evictions: Entries thrown out to make room.
        failures: Of the backend, by reason.
    """

    tier: str = ""
    backend: str = ""
    is_up: bool = False
    entries: int = -1
    size_bytes: int = -1
    lookups: dict[str, int] = {}
    stores: dict[str, int] = {}
    evictions: int = 0
    failures: dict[str, int] = {}


class CollectionStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """One collection of curated answers.

    Attributes:
        name: Folder in the workspace.
        entries: In force.
        loaded_us: When they came into force.
        answers: Questions by what came of them: ``answered``, ``below_threshold``, ``expired`` ...
        failures: By reason: ``reload`` ...
    """

    name: str = ""
    entries: int = 0
    loaded_us: int = 0
    answers: dict[str, int] = {}
    failures: dict[str, int] = {}


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that one gateway process says.

    Attributes:
        process: Its number.
        pid: Of the process.
        made_us: When this was written.
        release: Digest of the snapshot in force.
        deployments: Each that it has asked or may ask.
        rungs: Every candidate of every route.
        hedges: The budget of this process.
        tiers: Of the cache, from the hottest.
        collections: Of curated answers.
        write_failures: Status files that could not be written.
    """

    process: int = 0
    pid: int = 0
    made_us: int = 0
    release: str = ""
    deployments: tuple[DeploymentStatus, ...] = ()
    rungs: tuple[RungStatus, ...] = ()
    hedges: HedgeStatus = HedgeStatus()
    tiers: tuple[TierStatus, ...] = ()
    collections: tuple[CollectionStatus, ...] = ()
    write_failures: int = 0

    def is_fresh(self, now_us: int) -> bool:
        """Tell whether the process that wrote this is likely to be there still."""
        return abs(now_us - self.made_us) <= FRESH_US


_DECODER = msgspec.json.Decoder(Status)


def read_status(path: Path) -> Status | None:
    """Read one status file; ``None`` if it is missing, unreadable, torn or not one."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        return _DECODER.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def read_statuses(run: Path, now_us: int) -> Mapping[int, Status]:
    """Return process → status of every process whose file is readable and fresh."""
    read = (read_status(path) for path in sorted(run.glob(FILE.format(process="*"))))
    return {status.process: status for status in read if status and status.is_fresh(now_us)}
