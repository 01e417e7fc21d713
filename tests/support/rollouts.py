"""A rollout without gateways: real database, real repository, made traffic, a clock of its own."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from steadyhand.app.rollouts import RegistryLink
from steadyhand.records.cursor import Cursor
from steadyhand.records.entry import Entry
from steadyhand.records.record import Record
from steadyhand.records.store import RecordStore
from steadyhand.registry import state
from steadyhand.registry.git.store import GitStore, open_registry
from steadyhand.registry.ports import StoreUnavailable
from steadyhand.registry.service import RegistryService
from steadyhand.registry.signing import CERTIFICATES, open_signer
from steadyhand.rollouts.controller import Controller
from steadyhand.rollouts.drivers.base import Driver
from steadyhand.rollouts.drivers.embedded import EmbeddedDriver
from steadyhand.rollouts.exposures.store import Exposures
from steadyhand.rollouts.model import Rollout
from steadyhand.rollouts.ports import Ports
from steadyhand.rollouts.service import RolloutService
from steadyhand.rollouts.store import RolloutStore
from steadyhand.routing.exposure import Lease, assigned, is_exposed, slices
from steadyhand.storage.database import Database
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url
from steadyhand.tenancy.principals import BOOTSTRAP
from tests.support.made_records import SPOKE, made

START_S = 1_900_000_000.0
ENVIRONMENTS = b"""
[environments.staging]
[environments.staging.rollout]
dwell_s = 10
bake_s = 20
least_requests = 20
cool_down_s = 100
most_rollbacks_a_day = 3
"""


class Died(BaseException):
    """The controller was killed."""


class Held:
    """What :class:`steadyhand.app.rollouts.RegistryLink` asks of a registry."""

    def __init__(self, store: GitStore, service: RegistryService) -> None:
        self._store, self._service = store, service
        self.is_gone = False

    def service(self) -> RegistryService:
        if self.is_gone:
            raise StoreUnavailable("the registry's remote cannot be pushed to: gone")
        return self._service

    def store(self) -> GitStore:
        return self._store


class World:
    """One channel, its rollouts, and what happens to its traffic.

    Attributes:
        now_s: Wall clock, seconds since 1970.
        served: What gateways were told to serve no more, each time.
        told: Every event.
        dies_at: Name of the checkpoint at which a controller is killed, once; empty for none.
        passed: Every checkpoint.
        budget_left: Of every route's error budget; ``None`` for unknown.
        is_everywhere: Whether gateways have taken over what the registry says.
    """

    def __init__(self, folder: Path, url: str = "", environments: bytes = ENVIRONMENTS) -> None:
        self.now_s = START_S
        self.database: Database = open_database(url or sqlite_url(folder / "x.db"))
        upgrade(self.database)
        self.records = RecordStore(self.database)
        self.store = RolloutStore(self.database)
        self.signer = open_signer(folder / "registry_ed25519")
        self.git = open_registry(folder / "registry.git", clock=self.clock, signer=self.signer)
        self.registry = Held(self.git, RegistryService(self.git, self.clock))
        self.link = RegistryLink(self.registry)  # type: ignore[arg-type] # what is asked of it
        self.served: list[frozenset[str]] = []
        self.told: list[tuple[str, Mapping[str, Any]]] = []
        self.driver: Driver = EmbeddedDriver()
        self.dies_at = ""
        self.passed: list[str] = []
        self.is_everywhere = True
        self.is_partitioned = False
        self.lease = Lease()
        self.keys = 500
        self.budget_left: float | None = None
        self.sequence = 0
        self._unit = 0
        self._ids = 0
        self.registry.service().set_environments(environments, BOOTSTRAP)

    def clock(self) -> float:
        """Return the time; every question takes a millisecond, as questions do."""
        self.now_s += 0.001
        return self.now_s

    def release(self, text: str) -> str:
        """Put a release and return its digest."""
        files = {"prompts/support.md": text.encode()}
        return self.registry.service().create("support", files, BOOTSTRAP).digest

    def stable(self, text: str = "Be kind.") -> str:
        """Put a release and make it the stable one."""
        digest = self.release(text)
        self.registry.service().promote(digest, "staging", BOOTSTRAP)
        return digest

    def controller(self, holder: str = "one") -> Controller:
        """Return a new controller, as after a start."""
        return Controller(self.store, Exposures(self.database), self.ports(holder))

    def service(self) -> RolloutService:
        """Return what takes orders."""
        return RolloutService(self.store, self.ports("service"), self._id, lambda: None)

    def ports(self, holder: str) -> Ports:
        """Return what both ask of others."""
        return Ports(
            registry=self.link,
            driver=self.driver,
            expose=self._expose,
            is_gone=lambda route, where, digest: self.is_everywhere and not self._has(digest),
            keys=lambda where, route: self.keys,
            tell=lambda kind, data: self.told.append((kind, data)),
            sign=lambda payload: self.signer(payload, CERTIFICATES),
            holder=holder,
            clock=self.clock,
            budget_left=lambda route: self.budget_left,
            checkpoint=self._checkpoint,
        )

    def start(self, text: str = "Be quick.") -> Rollout:
        """Begin a rollout of a new release."""
        digest = self.release(text)
        self._expose(())  # the controller of before renews the lease
        return self.service().start("support", digest, "staging", "olive", "try")

    def get(self, rollout: Rollout) -> Rollout:
        """Return how a rollout is now."""
        return self.store.get(rollout.id).rollout

    def traffic(
        self,
        requests: int,
        bad: Callable[[str], bool] = lambda arm: False,
        late_s: float = 0.0,
        **changes: object,
    ) -> list[Record]:
        """Let requests happen, and ship their records; ``bad`` says of an arm whether it fails."""
        found = self.made(requests, bad, late_s, **changes)
        self.ship(found)
        return found

    def made(
        self,
        requests: int,
        bad: Callable[[str], bool] = lambda arm: False,
        late_s: float = 0.0,
        **changes: object,
    ) -> list[Record]:
        """Return the records of requests that happen now."""
        pointer = self.link.pointer("staging", "support")
        cut, found = slices(pointer.weight), []
        for _ in range(requests):
            self._unit += 1
            draw = assigned(pointer.salt, cut, f"u{self._unit}")
            is_on = is_exposed(pointer.salt, int(self.now_s * 1e6), self.lease)
            if draw.arm != "stable" and not is_on:
                draw = draw._replace(arm="stable", part=-1)
            failed = {"outcome": "failed", "rung": "error"} if bad(draw.arm) else {}
            told = {
                "channel": "staging",
                "attempts": (SPOKE,),
                "reason": "first_choice",
                "received_us": int((self.now_s - late_s) * 1e6),
                "arm": draw.arm,
                "rollout": draw.salt,
                "unit": draw.unit,
                "candidate_bp": cut.weight,
                "slice_bp": cut.size,
                "controls": cut.controls,
                "part": draw.part,
            }
            found.append(made(self._unit, **(told | failed | changes)))
        return found

    def ship(self, records: list[Record], writer: str = "w1") -> None:
        """Store records as a shipper does."""
        first = self.sequence + 1
        entries = [
            Entry(first + place, record, msgspec.msgpack.encode(record))
            for place, record in enumerate(records)
        ]
        self.sequence += len(records)
        self.records.ship(writer, entries, Cursor(0, 0, self.sequence))

    def rewind(self, count: int) -> None:
        """Give the next records the sequences of the last ``count``, as a shipper does again."""
        self.sequence -= count

    def run(
        self,
        seconds: int,
        per_s: int = 100,
        bad: Callable[[str], bool] = lambda arm: False,
        controller: Controller | None = None,
    ) -> None:
        """Let traffic and a controller run together, second by second."""
        mine = controller or self.controller()
        for _ in range(seconds):
            self.now_s += 1
            self.traffic(per_s, bad)
            mine.tick()

    def _expose(self, drained: Collection[str]) -> None:
        self.served.append(frozenset(drained))
        if not self.is_partitioned:
            self.lease = Lease(int((self.now_s + 30) * 1e6), frozenset(drained))

    def _has(self, digest: str) -> bool:
        """Tell whether a gateway would serve it: what is revoked leaves only the floor."""
        pointer = self.link.pointer("staging", "support")
        served = digest in (pointer.stable, pointer.candidate)
        return served and digest not in state.refused(self.git)

    def _checkpoint(self, name: str) -> None:
        self.passed.append(name)
        if name == self.dies_at:
            self.dies_at = ""
            raise Died(name)

    def _id(self) -> str:
        self._ids += 1
        return f"ro_{self._ids:04}"
