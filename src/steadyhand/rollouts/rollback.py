"""Take a release back: off the data plane first, then out of Git, then everywhere, then prove it.

Each step is stored before the next begins and does no harm if it is done twice, so whoever goes on
after a crash begins with the first that is not done. While Git cannot be reached the candidate
stays off: an override needs only the database and the lease that gateways read.
"""

import logging
from typing import Final

import msgspec
from msgspec.structs import replace

from steadyhand.core.errors import SteadyhandError
from steadyhand.rollouts.certificate import Sealed, certificate
from steadyhand.rollouts.drivers.base import Order
from steadyhand.rollouts.exposures.store import Exposures
from steadyhand.rollouts.incident import incident
from steadyhand.rollouts.model import Rollout, Work
from steadyhand.rollouts.ports import Ports
from steadyhand.rollouts.store import Held, RolloutStore
from steadyhand.rollouts.transition import ended

logger = logging.getLogger(__name__)

_US: Final = 1e6
FLOOR_NEEDS: Final = (
    "Nothing was stable before: only the route's floor answers. Release a version that works."
)


class Rollback:
    """Carries roll-backs out, step by step."""

    def __init__(self, store: RolloutStore, exposures: Exposures, ports: Ports) -> None:
        """Take the parts."""
        self._store = store
        self._exposures = exposures
        self._ports = ports

    def go_on(self, held: Held) -> Held:
        """Do all that can be done now; what cannot is tried again at the next call.

        Raises:
            SteadyhandError: A step could not be done; those before it are, and stay so.
        """
        for step in (self._drain, self._revert, self._sync, self._verify):
            after = step(held)
            if after is None:
                break
            held = after
        return held

    def _drain(self, held: Held) -> Held | None:
        """Have gateways serve the candidate no more: an override, and the lease that carries it."""
        rollout = held.rollout
        if rollout.work.drained_us:
            return held
        self._store.drain(rollout, self._now_us(), rollout.reason)
        self._ports.checkpoint("override")
        self._ports.expose(self._store.drained())
        self._ports.checkpoint("lease")
        return self._done(held, "drained", replace(rollout.work, drained_us=self._now_us()))

    def _revert(self, held: Held) -> Held | None:
        """Commit that it is taken back and revoked, with the evidence beside it."""
        rollout = held.rollout
        if rollout.work.commit:
            return held
        try:
            commit = self._ports.registry.take_back(
                rollout.candidate, rollout.environment, rollout.verdict.message or rollout.reason
            )
        except SteadyhandError as error:
            self._without_git(held, error)
            raise
        self._ports.checkpoint("commit")
        looks = self._store.looks(rollout.id)
        text = msgspec.json.encode(certificate(rollout, looks))
        sealed = Sealed(text.decode(), self._ports.sign(text).decode())
        self._ports.registry.note(commit, msgspec.json.encode(sealed).decode())
        self._ports.checkpoint("certificate")
        after = replace(rollout, work=replace(rollout.work, commit=commit))
        self._store.put_incident(incident(after, looks, self._needs(after)))
        self._ports.checkpoint("incident")
        if not rollout.work.incident:
            self._page(rollout, rollout.reason, rollout.verdict.message)
        work = replace(rollout.work, commit=commit, incident=f"incident-{rollout.id}")
        return self._done(held, "reverted", work)

    def _without_git(self, held: Held, error: SteadyhandError) -> None:
        """Open the incident all the same, and have the driver do what needs no commit."""
        rollout = held.rollout
        if not rollout.work.incident:
            self._page(rollout, "git_unreachable", error.message)
        needs = f"The registry cannot be written: {error.message}. The candidate stays off."
        looks = self._store.looks(rollout.id)
        self._store.put_incident(incident(rollout, looks, needs))
        progress = self._ports.driver.sync(
            self._order(rollout), rollout.work.held, self._ports.clock()
        )
        work = replace(
            rollout.work,
            incident=f"incident-{rollout.id}",
            held=progress.held,
            told=f"{progress.reason}: {progress.message}",
        )
        if work != rollout.work:
            self._store.save(held, replace(rollout, work=work))

    def _sync(self, held: Held) -> Held | None:
        """Have the driver bring the commit to where gateways run."""
        rollout = held.rollout
        if rollout.work.synced_us:
            return held
        progress = self._ports.driver.sync(
            self._order(rollout), rollout.work.held, self._ports.clock()
        )
        told = f"{progress.reason}: {progress.message}".rstrip(": ")
        if progress.outcome == "done":
            work = replace(rollout.work, held=progress.held, told=told)
            return self._done(held, "synced", replace(work, synced_us=self._now_us()))
        if (progress.held, told) != (rollout.work.held, rollout.work.told):
            if progress.outcome == "refused":
                self._page(rollout, progress.reason, progress.message)
            work = replace(rollout.work, held=progress.held, told=told)
            self._store.save(held, replace(rollout, work=work))
        return None

    def _verify(self, held: Held) -> Held | None:
        """See that no gateway has the release any more; then the override has served."""
        rollout = held.rollout
        if not self._ports.is_gone(rollout.route, rollout.environment, rollout.candidate):
            return None
        now_us = self._now_us()
        last_us = self._exposures.last_served_us(rollout.salt, is_first=rollout.is_first)
        work = replace(rollout.work, verified_us=now_us, last_served_us=last_us)
        over = ended(replace(rollout, work=work), "rolled_back", rollout.reason, now_us)
        self._store.put_incident(incident(over, self._store.looks(rollout.id), self._needs(over)))
        self._ports.checkpoint("verified")
        self._store.undrain(rollout.salt)
        self._ports.checkpoint("override lifted")
        self._ports.expose(self._store.drained())
        found = self._store.save(held, over)
        self._ports.tell("rollout", {"id": over.id, "change": "rolled_back", "reason": over.reason})
        return found

    def _done(self, held: Held, name: str, work: Work) -> Held:
        """Store that a step is done."""
        found = self._store.save(held, replace(held.rollout, work=work))
        self._ports.checkpoint(name)
        self._ports.tell("rollout", {"id": held.rollout.id, "change": name})
        return found

    def _order(self, rollout: Rollout) -> Order:
        return Order(
            rollout.route,
            rollout.environment,
            rollout.work.commit,
            rollout.candidate,
            rollout.stable,
        )

    def _needs(self, rollout: Rollout) -> str:
        return FLOOR_NEEDS if rollout.is_first else ""

    def _page(self, rollout: Rollout, reason: str, message: str) -> None:
        logger.error("rollout %s: %s: %s", rollout.id, reason, message)
        self._ports.tell("page", {"rollout": rollout.id, "reason": reason, "message": message})

    def _now_us(self) -> int:
        return int(self._ports.clock() * _US)
