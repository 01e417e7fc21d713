"""Moves rollouts: reads the evidence, decides, acts, and stores each step before the next.

One controller at a time, by a lease in the database; a second one does nothing until it runs out.
What is done and not yet stored when a controller dies is found again in the registry, so that going
on does nothing twice. Whatever fails leaves a rollout where it is, and says so.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from steadyhand.core.errors import SteadyhandError
from steadyhand.rollouts.exposures.store import Exposures
from steadyhand.rollouts.looking import Looker
from steadyhand.rollouts.model import Outcome, Rollout, Verdict
from steadyhand.rollouts.ports import Pointer, Ports
from steadyhand.rollouts.rollback import Rollback
from steadyhand.rollouts.store import Held, RolloutChanged, RolloutStore
from steadyhand.rollouts.transition import Next, capped, ended, next_move, stepped

logger = logging.getLogger(__name__)

TICK_S: Final = 1.0
HURRY_S: Final = 0.25
"""Between two ticks while a rollout is on its way from one place to another."""

LEASE_S: Final = 15.0
LEASE: Final = "rollouts"
BLIND_S: Final = 30.0
"""After so long without evidence that can be read, a candidate is served no more."""

DAY_US: Final = 86_400_000_000
_US: Final = 1e6


class Controller:
    """One controller. ``tick`` blocks and belongs to one thread."""

    def __init__(self, store: RolloutStore, exposures: Exposures, ports: Ports) -> None:
        """Take the parts; nothing is done yet."""
        self.failures = 0
        self.hurries = False
        self._store = store
        self._ports = ports
        self._rollback = Rollback(store, exposures, ports)
        self._looker = Looker(store, exposures, ports.budget_left)
        self._read_s: dict[str, float] = {}

    def tick(self) -> bool:
        """Move every rollout as far as it goes; tell whether this controller has the lease.

        Raises:
            SteadyhandError: The database does not answer. Nothing was moved, and the lease of
                candidates is not renewed: they run out.
        """
        now_us = self._now_us()
        if not self._store.take_lease(LEASE, self._ports.holder, now_us, int(LEASE_S * _US)):
            self._ports.expose(self._store.drained())
            return False
        held = self._store.open_ones()
        self._looker.forget({one.rollout.id for one in held})
        for one in held:
            self._try(one)
        self.hurries = any(one.rollout.phase != "running" for one in self._store.open_ones())
        self._ports.expose(self._store.drained() | self._blind(held))
        return True

    def _try(self, held: Held) -> None:
        try:
            self._advance(held)
        except RolloutChanged:  # by somebody's order; the next tick reads it
            return
        except SteadyhandError as error:
            self.failures += 1
            logger.warning("rollout %s: %s", held.rollout.id, error)
            with suppress(SteadyhandError):  # the database is what failed: the next tick says so
                self._failed(self._store.get(held.rollout.id), error)

    def _failed(self, held: Held, error: SteadyhandError) -> None:
        """Say what could not be done. No rollout moves on by an error."""
        rollout = held.rollout
        is_refused = not error.retryable and error.status < 500
        if rollout.phase == "opening" and is_refused:
            self._over(held, "aborted", error.code)
        elif rollout.phase == "promoting" and is_refused:
            refused = Verdict("hold", "promotion_refused", error.message, pages=True)
            self._note(held, replace(rollout, phase="running", is_paused=True), refused)
        elif rollout.phase == "running":
            self._note(held, rollout, Verdict("error", error.code, error.message, pages=True))

    def _advance(self, held: Held) -> None:
        phase = held.rollout.phase
        if phase == "opening":
            self._open(held)
        elif phase == "running":
            self._run(held)
        elif phase == "promoting":
            self._promote(held)
        elif phase == "rolling_back":
            self._rollback.go_on(held)
        elif phase == "aborting":
            self._abort(held)

    def _open(self, held: Held) -> None:
        """Give the candidate its first weight, or a first release everything."""
        rollout, registry = held.rollout, self._ports.registry
        if rollout.is_first:
            registry.promote(
                rollout.candidate, rollout.environment, rollout.opened_by, rollout.note, rollout.id
            )
        elif self._pointer(rollout).candidate != rollout.candidate:
            registry.expose(
                rollout.candidate,
                rollout.environment,
                rollout.weight,
                rollout.opened_by,
                rollout.note,
            )
        self._ports.checkpoint("exposed")
        salt, now_us = self._pointer(rollout).salt, self._now_us()
        last = len(rollout.policy.steps_percent) - 1 if rollout.is_first else 0
        begun = replace(rollout, phase="running", salt=salt, step=last, step_us=now_us)
        self._saved(held, begun, "opened")

    def _run(self, held: Held) -> None:
        rollout, now_us = held.rollout, self._now_us()
        look = self._looker.look(rollout, now_us)
        self._read_s[rollout.id] = self._ports.clock()
        verdict = look.assessment.verdict
        since = self._store.taken_back_since(rollout.environment, rollout.route, now_us - DAY_US)
        move = next_move(rollout, self._pointer(rollout), verdict, len(since))
        self._looker.keep(rollout, look)
        self._ports.checkpoint("look")
        if move.move == "take_off":
            verdict = capped(verdict, rollout.policy)
        seen = replace(
            rollout,
            breach_us=int(look.assessment.breach_s * _US),
            is_paused=rollout.is_paused or move.move == "take_off",
        )
        held = self._note(held, seen, verdict)
        self._carry_out(held, move, now_us)

    def _carry_out(self, held: Held, move: Next, now_us: int) -> None:
        """Do what was decided."""
        if move.move == "over":
            self._over(held, move.outcome, move.reason)
        elif move.move == "adopt":
            self._saved(held, stepped(held.rollout, now_us), "stepped")
        elif move.move == "step":
            self._step(held)
        elif move.move == "promote":
            promoting = replace(held.rollout, phase="promoting")
            self._promote(self._saved(held, promoting, "promoting"))
        elif move.move == "take_back":
            self._begin_rollback(held, move.reason)
        elif move.move == "take_off":
            self._store.drain(held.rollout, now_us, move.reason)

    def _note(self, held: Held, rollout: Rollout, verdict: Verdict) -> Held:
        """Store the verdict if it is another one; call a person if it asks for one."""
        before = rollout.verdict
        is_new = (before.decision, before.reason) != (verdict.decision, verdict.reason)
        if not is_new and rollout == held.rollout:
            return held
        found = self._saved(held, replace(rollout, verdict=verdict), "verdict" if is_new else "")
        if is_new and verdict.pages:
            self._page(rollout, verdict)
        return found

    def _step(self, held: Held) -> None:
        rollout, now_us = held.rollout, self._now_us()
        after = stepped(rollout, now_us)
        self._ports.registry.expose(
            rollout.candidate,
            rollout.environment,
            after.weight,
            "",
            f"rollout {rollout.id}: {rollout.verdict.message}",
        )
        self._ports.checkpoint("exposed")
        self._saved(held, after, "stepped")

    def _promote(self, held: Held) -> None:
        rollout = held.rollout
        pointer = self._pointer(rollout)
        if pointer.stable != rollout.candidate or pointer.candidate or pointer.salt:
            self._ports.registry.promote(
                rollout.candidate,
                rollout.environment,
                rollout.by,
                f"rollout {rollout.id}: {rollout.verdict.message}",
            )
        self._ports.checkpoint("promoted")
        self._over(held, "promoted", rollout.reason or rollout.verdict.reason)

    def _begin_rollback(self, held: Held, reason: str) -> None:
        now_us = self._now_us()
        work = replace(held.rollout.work, verdict_us=now_us)
        going = replace(held.rollout, phase="rolling_back", reason=reason, work=work)
        self._rollback.go_on(self._saved(held, going, "rolling_back"))

    def _abort(self, held: Held) -> None:
        rollout, registry = held.rollout, self._ports.registry
        pointer = self._pointer(rollout)
        note = f"rollout {rollout.id}: {rollout.reason}"
        if rollout.is_first and pointer.salt:
            registry.promote(rollout.candidate, rollout.environment, rollout.by, note)
        elif pointer.candidate == rollout.candidate:
            registry.give_up(rollout.route, rollout.environment, rollout.by, note)
        self._ports.checkpoint("given up")
        self._over(held, "aborted", rollout.reason)

    def _over(self, held: Held, outcome: Outcome, reason: str) -> None:
        over = ended(held.rollout, outcome, reason, self._now_us())
        self._store.undrain(over.salt)
        self._saved(held, over, outcome)

    def _blind(self, held: Sequence[Held]) -> frozenset[str]:
        """Return the salts of candidates whose evidence could not be read for too long."""
        now_s = self._ports.clock()
        return frozenset(
            one.rollout.salt
            for one in held
            if one.rollout.phase == "running"
            and now_s - self._read_s.setdefault(one.rollout.id, now_s) > BLIND_S
        )

    def _pointer(self, rollout: Rollout) -> Pointer:
        return self._ports.registry.pointer(rollout.environment, rollout.route)

    def _saved(self, held: Held, rollout: Rollout, change: str) -> Held:
        found = self._store.save(held, rollout)
        self._ports.checkpoint(f"saved {change}")
        if change:
            told = {"id": rollout.id, "change": change, "reason": rollout.verdict.reason}
            self._ports.tell("rollout", told)
        return found

    def _page(self, rollout: Rollout, verdict: Verdict) -> None:
        logger.error("rollout %s: %s: %s", rollout.id, verdict.reason, verdict.message)
        told = {"rollout": rollout.id, "reason": verdict.reason, "message": verdict.message}
        self._ports.tell("page", told)

    def _now_us(self) -> int:
        return int(self._ports.clock() * _US)
