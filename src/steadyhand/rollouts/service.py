"""What people and pipelines order: begin a rollout, pause it, end it, force it.

An order is a change of the stored rollout; the controller carries it out at its next tick. Each
says who gave it and why.
"""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from steadyhand.core.errors import SteadyhandError
from steadyhand.rollouts.model import Rollout, Verdict, checked
from steadyhand.rollouts.ports import Ports
from steadyhand.rollouts.store import Held, RolloutChanged, RolloutOpen, RolloutStore
from steadyhand.rollouts.transition import ended

_US: Final = 1e6
_TRIES: Final = 20


class RolloutRefused(SteadyhandError):
    """A rule of rollouts forbids it; the message begins with the rule's name."""

    code, status = "rollout_refused", 409


class RolloutService:
    """The orders. Calls block; give them a thread."""

    def __init__(
        self, store: RolloutStore, ports: Ports, new_id: Callable[[], str], wake: Callable[[], None]
    ) -> None:
        """Take the parts; ``wake`` makes the controller look at once."""
        self._store = store
        self._ports = ports
        self._new_id = new_id
        self._wake = wake

    def start(
        self,
        route: str,
        digest: str,
        environment: str,
        by: str,
        note: str = "",
        *,
        hot: bool = False,
    ) -> Rollout:
        """Begin a rollout: the candidate gets its first weight before this returns.

        Args:
            route: Which route's.
            digest: Of the release; its first digits suffice.
            environment: Where.
            by: Principal.
            note: Why.
            hot: Whether a cool-down after a roll-back, and a spent error budget, are passed over.

        Raises:
            RolloutRefused: By a rule, which is named.
            RolloutOpen: One is open in the channel.
            SteadyhandError: The registry refuses the release, or cannot be reached.
        """
        registry, now_us = self._ports.registry, self._now_us()
        policy = checked(registry.policy(environment))
        candidate = registry.find(digest, route)
        pointer = registry.pointer(environment, route)
        self._check_open(route, environment)
        if pointer.candidate:
            raise RolloutRefused(
                "already_tried: a candidate is being tried without a rollout",
                hint=f"steadyhand channel give-up {route} --in {environment}",
            )
        if pointer.stable == candidate:
            raise RolloutRefused(
                "already_stable: this release is the stable one", hint="nothing to do"
            )
        self._check_units(route, environment, policy.unit, policy.least_keys)
        if not hot:
            self._check_budget(route)
            self._check_cool_down(route, environment, now_us, policy.cool_down_s)
        rollout = Rollout(
            self._new_id(), route, environment, candidate, pointer.stable, policy, now_us, by, note
        )
        held = self._store.begin(rollout)
        self._ports.checkpoint("begun")
        try:
            if rollout.is_first:
                registry.promote(candidate, environment, by, note, rollout.id)
            else:
                registry.expose(candidate, environment, rollout.weight, by, note)
        except SteadyhandError as error:
            self._store.save(held, ended(rollout, "aborted", error.code, self._now_us()))
            raise
        self._ports.tell("rollout", {"id": rollout.id, "change": "begun"})
        self._wake()
        return rollout

    def pause(self, id_: str, by: str, note: str = "") -> Rollout:
        """Keep a rollout at its step; evidence goes on, and so do roll-backs."""
        return self._change(id_, lambda one: replace(one, is_paused=True), "paused", by, note)

    def resume(self, id_: str, by: str, note: str = "") -> Rollout:
        """Let a rollout go on; a candidate that was taken off for a person is on again."""
        found = self._change(id_, lambda one: replace(one, is_paused=False), "resumed", by, note)
        self._store.undrain(found.salt)
        return found

    def abort(self, id_: str, by: str, note: str = "") -> Rollout:
        """End a rollout: everybody gets the stable release. Nothing is revoked."""

        def aborted(one: Rollout) -> Rollout:
            return replace(one, phase="aborting", reason=note or "aborted", by=by)

        return self._change(id_, aborted, "aborting", by, note)

    def force(self, id_: str, decision: str, by: str, note: str) -> Rollout:
        """Promote or roll back whatever the evidence says.

        Raises:
            RolloutRefused: Without a reason, or it is no decision.
        """
        if not note.strip():
            raise RolloutRefused("no_reason: say why", hint="--note TEXT")
        if decision not in {"promote", "roll_back"}:
            raise RolloutRefused(f"no_decision: {decision[:40]!r}", hint="promote or roll_back")

        def forced(one: Rollout) -> Rollout:
            if not one.salt:  # nothing could be drained, nor be called promoted by it
                raise RolloutRefused(
                    "not_begun: the controller has not taken it up yet", hint="again in a second"
                )
            verdict = Verdict(
                "promote" if decision == "promote" else "roll_back", "forced", f"{by}: {note}"
            )
            told = replace(one, by=by, reason="forced", verdict=verdict)
            if decision == "promote":
                return replace(told, phase="promoting")
            work = replace(one.work, verdict_us=self._now_us())
            return replace(told, phase="rolling_back", work=work)

        return self._change(id_, forced, f"forced_{decision}", by, note)

    def _change(
        self, id_: str, change: Callable[[Rollout], Rollout], name: str, by: str, note: str
    ) -> Rollout:
        found = self._changed(id_, change)
        told = {"id": found.id, "change": name, "by": by, "note": note}
        self._ports.tell("rollout", told)
        self._wake()
        return found

    def _changed(self, id_: str, change: Callable[[Rollout], Rollout]) -> Rollout:
        for _ in range(_TRIES - 1):
            try:
                return self._once(id_, change)
            except RolloutChanged:  # the controller was here first
                continue
        return self._once(id_, change)

    def _once(self, id_: str, change: Callable[[Rollout], Rollout]) -> Rollout:
        held = self._store.get(id_)
        self._check_phase(held)
        return self._store.save(held, change(held.rollout)).rollout

    def _check_phase(self, held: Held) -> None:
        rollout = held.rollout
        if rollout.phase not in {"opening", "running"}:
            raise RolloutRefused(
                f"not_running: rollout {rollout.id} is {rollout.outcome or rollout.phase}",
                hint="steadyhand rollout list --open shows those that can still be moved",
            )

    def _check_open(self, route: str, environment: str) -> None:
        for held in self._store.open_ones():
            if (held.rollout.route, held.rollout.environment) == (route, environment):
                raise RolloutOpen(
                    f"rollout {held.rollout.id} is open in {environment}/{route}",
                    hint="one at a time in each channel: steadyhand rollout watch",
                )

    def _check_units(self, route: str, environment: str, unit: str, least: int) -> None:
        """Refuse units that are too few: a slice of them is nobody, or one that is everything."""
        if unit != "key":
            return
        known = self._ports.keys(environment, route)
        if known < least:
            raise RolloutRefused(
                f"too_few_units: {known} keys can call {route} in {environment}, and unit = "
                f"'key' takes at least {least}",
                hint="unit = 'conversation' or 'user' in environments.toml",
            )

    def _check_budget(self, route: str) -> None:
        left = self._ports.budget_left(route)
        if left is not None and left <= 0:
            raise RolloutRefused(
                f"error_budget_spent: {route} has {left:.0%} of its error budget left",
                hint="steadyhand objectives list says of what; --hot begins all the same",
            )

    def _check_cool_down(
        self, route: str, environment: str, now_us: int, cool_down_s: float
    ) -> None:
        since_us = now_us - int(cool_down_s * _US)
        found = self._store.taken_back_since(environment, route, since_us)
        if found:
            left_s = cool_down_s - (now_us - found[0].ended_us) / _US
            raise RolloutRefused(
                f"cooling_down: {found[0].id} was taken back; {left_s:.0f} s are left",
                hint="wait, or say that you know: --hot",
            )

    def _now_us(self) -> int:
        return int(self._ports.clock() * _US)
