"""What the control process needs of rollouts: the controller, its orders, and what they ask."""

import asyncio
import logging
import os
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Condition
from time import monotonic, time
from typing import Any, Final

import msgspec

from steadyhand.app import leases
from steadyhand.app.registry import Registry
from steadyhand.app.state import secret_resolver
from steadyhand.control.ports import GatewayStatus
from steadyhand.core.errors import SteadyhandError
from steadyhand.core.ids import base32
from steadyhand.registry import approvals, reading, state
from steadyhand.registry.environments import environment as known_environment
from steadyhand.rollouts.controller import HURRY_S, TICK_S, Controller
from steadyhand.rollouts.drivers.base import Driver
from steadyhand.rollouts.drivers.embedded import EmbeddedDriver
from steadyhand.rollouts.exposures.store import Exposures
from steadyhand.rollouts.model import Policy, PolicyInvalid, checked
from steadyhand.rollouts.ports import Pointer, Ports
from steadyhand.rollouts.service import RolloutService
from steadyhand.rollouts.store import RolloutStore
from steadyhand.settings.model import Settings
from steadyhand.snapshot.model import Snapshot
from steadyhand.storage.database import Database
from steadyhand.telemetry.rollouts import OpenRollout, RolloutMetrics
from steadyhand.tenancy.principals import Principal

logger = logging.getLogger(__name__)

CONTROLLER: Final = "rollouts"
"""Principal of what no person ordered."""
LOOK_AT_S: Final = 3.0
"""Longest that who asks for a look waits for it."""


class RegistryLink:
    """See :class:`steadyhand.rollouts.ports.Registry`."""

    def __init__(self, registry: Registry) -> None:
        """Take the registry; it is opened when it is first asked."""
        self._registry = registry

    def find(self, digest: str, route: str) -> str:
        """See :class:`steadyhand.rollouts.ports.Registry`."""
        store = self._registry.service().store
        return reading.manifest(store, reading.find(store, digest, route))[0]

    def policy(self, environment: str) -> Policy:
        """See :class:`steadyhand.rollouts.ports.Registry`."""
        known = state.known_environments(self._registry.service().store)
        return policy_of(known_environment(known, environment).rollout)

    def pointer(self, environment: str, route: str) -> Pointer:
        """See :class:`steadyhand.rollouts.ports.Registry`."""
        past = state.past(self._registry.service().store, environment, route)
        if not past:
            return Pointer()
        now = past[0][1]
        return Pointer(now.stable, now.candidate, now.weight, now.salt)

    def expose(self, digest: str, environment: str, weight: int, by: str, note: str) -> None:
        """See :class:`steadyhand.rollouts.ports.Registry`."""
        self._registry.service().try_candidate(digest, environment, weight, _as(by), note)

    def promote(self, digest: str, environment: str, by: str, note: str, watched: str = "") -> None:
        """See :class:`steadyhand.rollouts.ports.Registry`."""
        self._registry.service().promote(digest, environment, _as(by), note, watched)

    def give_up(self, route: str, environment: str, by: str, note: str) -> None:
        """See :class:`steadyhand.rollouts.ports.Registry`."""
        self._registry.service().give_up(route, environment, _as(by), note)

    def take_back(self, digest: str, environment: str, reason: str) -> str:
        """See :class:`steadyhand.rollouts.ports.Registry`."""
        store = self._registry.service().store
        if digest not in state.refused(store):
            self._registry.service().take_back(digest, environment, _as(""), reason)
        return store.history(approvals.revocation_path(digest), limit=1)[0].commit

    def note(self, commit: str, text: str) -> None:
        """See :class:`steadyhand.rollouts.ports.Registry`."""
        self._registry.store().note(commit, text)


def driver_of(settings: Settings) -> Driver:
    """Return what carries roll-backs to where gateways run.

    Raises:
        ConfigurationError: Its address is none.
    """
    told = settings.rollouts
    if told.driver == "embedded" or told.argocd_token is None:
        return EmbeddedDriver()
    from steadyhand.rollouts.argocd.client import Address, ArgoCd
    from steadyhand.rollouts.argocd.steps import Terms
    from steadyhand.rollouts.drivers.argocd import ArgoCdDriver

    address = Address(
        told.argocd_server,
        told.argocd_application,
        told.argocd_namespace,
        told.argocd_project,
        str(settings.workspace / told.argocd_ca_file) if told.argocd_ca_file else "",
    )
    secret = partial(secret_resolver(settings.workspace, os.environ), told.argocd_token)
    return ArgoCdDriver(
        ArgoCd(address, secret), Terms(told.argocd_break_glass, told.argocd_refresh_s)
    )


def policy_of(table: Mapping[str, Any]) -> Policy:
    """Return the policy that an environment's table says.

    Raises:
        PolicyInvalid: It makes no sense.
    """
    try:
        return checked(msgspec.convert(table, Policy))
    except msgspec.ValidationError as error:
        raise PolicyInvalid(
            f"the rollout of this environment makes no sense: {error}",
            hint="mend environments.toml of the registry: steadyhand registry environments FILE",
        ) from error


def _as(by: str) -> Principal:
    return Principal(by or CONTROLLER, "rollout", frozenset({"operator", "author"}))


class Exposer:
    """Renews the lease of candidates: at once if others are drained, else now and then."""

    def __init__(self, path: Path) -> None:
        """Take the file that gateways read; nothing is written yet."""
        self._path = path
        self._drained: frozenset[str] | None = None
        self._written_s = 0.0

    def __call__(self, drained: Collection[str]) -> None:
        """Write that candidates may be served, but for those of these salts."""
        now_s, wanted = monotonic(), frozenset(drained)
        if wanted == self._drained and now_s - self._written_s < leases.RENEW_S:
            return
        try:
            leases.renew(self._path, wanted)
        except OSError as error:  # the lease runs out: gateways serve stable
            logger.warning("the lease of candidates cannot be written: %s", error)
            return
        self._drained, self._written_s = wanted, now_s

    @property
    def drained(self) -> Collection[str]:
        """The salts that were written last."""
        return self._drained or ()


class Rollouts:
    """The rollouts of one control process."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        driver: Driver,
        expose: Callable[[Collection[str]], None],
        snapshot: Callable[[], Snapshot | None],
        gateways: Callable[[], Collection[GatewayStatus]],
        tell: Callable[[str, Mapping[str, Any]], None],
        budget_left: Callable[[str], float | None],
    ) -> None:
        """Take the parts; nothing is read yet."""
        self._snapshot = snapshot
        self._gateways = gateways
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._ticked = Condition()
        self._ticks = 0
        self.store = RolloutStore(database)
        exposures = Exposures(database)
        ports = Ports(
            registry=RegistryLink(registry),
            driver=driver,
            expose=expose,
            is_gone=self._is_gone,
            keys=self._keys,
            tell=tell,
            sign=registry.certify,
            holder=f"{os.getpid()}-{secrets.token_hex(4)}",
            clock=time,
            budget_left=budget_left,
        )
        self.controller = Controller(self.store, exposures, ports)
        self.service = RolloutService(self.store, ports, new_id, self._wake)
        self.metrics = RolloutMetrics(lambda: self.controller.failures, self._open)

    async def control_for_ever(self) -> None:
        """Move rollouts on, each second and when an order comes."""
        self._loop = asyncio.get_running_loop()
        while True:
            try:
                await asyncio.to_thread(self.controller.tick)
            except SteadyhandError as error:
                logger.warning("rollouts wait: %s", error)
            with self._ticked:
                self._ticks += 1
                self._ticked.notify_all()
            self._woken.clear()
            try:
                pause_s = HURRY_S if self.controller.hurries else TICK_S
                await asyncio.wait_for(self._woken.wait(), pause_s)
            except TimeoutError:
                continue

    def _open(self) -> Sequence[OpenRollout] | None:
        try:
            found = [held.rollout for held in self.store.open_ones()]
        except SteadyhandError:
            return None
        return [
            OpenRollout(one.route, one.environment, one.verdict.reason if one.verdict.pages else "")
            for one in found
        ]

    def look_at(self, route: str) -> str | None:
        """Have the open rollout of a route looked at now; return what its evidence says.

        Blocks for some seconds at most; without a look by then, the last one is told. ``None`` if
        the route has no open rollout.

        Raises:
            DatabaseUnavailable: It is not known.
        """
        ids = [held.rollout.id for held in self.store.open_ones() if held.rollout.route == route]
        if not ids:
            return None
        with self._ticked:
            wanted = self._ticks + 2  # the one under way may have looked before
            self._wake()
            self._ticked.wait_for(lambda: self._ticks >= wanted, LOOK_AT_S)
        verdict = self.store.get(ids[0]).rollout.verdict
        return f"{ids[0]}: {verdict.decision} ({verdict.reason})"

    def _wake(self) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._woken.set)

    def _is_gone(self, route: str, environment: str, digest: str) -> bool:
        found = self._snapshot()
        if found is None:
            return False
        lane = found.lanes.get(environment, {}).get(route)
        if lane is not None and digest in (lane.stable, lane.candidate):
            return False
        alive = [one for one in self._gateways() if one.is_alive]
        return all(one.snapshot_version >= found.version for one in alive)

    def _keys(self, environment: str, route: str) -> int:
        found = self._snapshot()
        if found is None:
            return 0
        return sum(
            key.channel == environment and ("*" in key.routes or route in key.routes)
            for key in found.keys.values()
        )


def new_id() -> str:
    """Return an id that sorts by time."""
    return f"ro_{base32(int(time()), 8)}{base32(secrets.randbits(25), 5)}"
