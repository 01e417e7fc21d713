"""What the control plane needs; ``app`` fills it, tests fill it with the same real parts."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from steadyhand.caching.ports import CachePorts
from steadyhand.control.alerts import AlertPorts
from steadyhand.control.breaking import BreakingPorts
from steadyhand.control.decisions import story_of
from steadyhand.control.distribution import DistributionPorts
from steadyhand.control.drills import DrillPorts
from steadyhand.control.events import Hub
from steadyhand.control.guard import LOOPBACK_HOSTS
from steadyhand.control.health import Probe
from steadyhand.control.registry.releases import RegistryPorts
from steadyhand.control.rollouts.orders import RolloutPorts
from steadyhand.evals.grounding.store import SampleStore
from steadyhand.objectives.book import Book
from steadyhand.records.explanation import PassedOver
from steadyhand.records.record import Record
from steadyhand.records.store import RecordStore
from steadyhand.snapshot.model import Snapshot
from steadyhand.telemetry.ring import Ring
from steadyhand.telemetry.status import Status
from steadyhand.tenancy.principals import Principal, holder, identify
from steadyhand.tenancy.settings import PrincipalSettings


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """One gateway process as control sees it.

    Attributes:
        process: Its number.
        is_alive: Whether its board moved lately.
        snapshot_version: Version of the snapshot it serves from, or 0 if it has none.
        in_flight: Requests under way.
        requests: Requests answered since it started.
    """

    process: int
    is_alive: bool
    snapshot_version: int
    in_flight: int
    requests: int


@dataclass(frozen=True, slots=True)
class ControlPorts:
    """What the control plane needs.

    Attributes:
        records: The shipped records.
        metrics: Renders the metrics of every process as Prometheus text; may block.
        snapshot: Returns the snapshot in force, or ``None`` if nothing has been published.
        gateways: Returns the state of each gateway process.
        probes: Checks of readiness besides the database and the snapshot, by name.
        token_hash: SHA-256 in hex of the bootstrap token; see
            :func:`steadyhand.tenancy.principals.token_hash`.
        allowed_hosts: Names that ``Host`` may have, without port; ``*`` allows any.
        allowed_origins: Origins whose pages may call, as ``scheme://host[:port]``.
        clock: Wall clock, seconds since 1970.
        statuses: Returns process → what each gateway process said lately; may block.
        drills: Of the drills; ``None`` leaves their endpoints out.
        cache: Of the cache; ``None`` leaves its endpoints out.
        principals: Returns name → principal, as ``principals.toml`` says now.
        registry: Returns what the registry's endpoints need, given the dependency that tells who is
            asking; ``None`` leaves them out.
        events: Of what happens; ``None`` leaves their stream out.
        distribution: Of snapshots for gateways elsewhere; ``None`` leaves its endpoints out.
        rollouts: Of rollouts; ``None`` leaves their endpoints out.
        alerts: Of alerts; ``None`` leaves their endpoints out.
        objectives: Counts them; ``None`` leaves their endpoint out.
        ring: What ran lately; ``None`` leaves the overview out.
        breaking: Of simulated providers; ``None`` leaves their endpoints out.
        console: Folder of its built files; pages say so if there is none.
        grounding: Keeps samples; ``None`` leaves their endpoints out.
    """

    records: RecordStore
    metrics: Callable[[], bytes]
    snapshot: Callable[[], Snapshot | None]
    token_hash: str
    gateways: Callable[[], Sequence[GatewayStatus]] = tuple
    probes: Mapping[str, Probe] = field(default_factory=dict)
    allowed_hosts: frozenset[str] = LOOPBACK_HOSTS
    allowed_origins: frozenset[str] = frozenset()
    clock: Callable[[], float] = time.time
    statuses: Callable[[], Mapping[int, Status]] = dict
    cache: CachePorts | None = None
    drills: DrillPorts | None = None
    principals: Callable[[], Mapping[str, PrincipalSettings]] = dict
    registry: Callable[[object], RegistryPorts] | None = None
    events: Hub | None = None
    distribution: DistributionPorts | None = None
    rollouts: RolloutPorts | None = None
    objectives: Book | None = None
    ring: Ring | None = None
    breaking: BreakingPorts | None = None
    console: Path | None = None
    alerts: AlertPorts | None = None
    grounding: SampleStore | None = None

    def identified(self, token: str) -> Principal | None:
        """Return whose token it is, ``None`` for nobody's."""
        return identify(token, self.token_hash, self.principals())

    def known(self, proof: str) -> Principal | None:
        """Return whose token has the hash ``proof``, ``None`` for nobody's."""
        return holder(proof, self.token_hash, self.principals())

    def passed_over(self, record: Record) -> Sequence[PassedOver]:
        """See :class:`steadyhand.records.api.RecordPorts`."""
        return story_of(record)
