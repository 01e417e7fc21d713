"""What one gateway process knows of the proofs of its rungs, shared with the others.

Times are monotonic seconds inside and wall-clock microseconds outside: a wall clock that jumps
changes the age of what comes from others, never of what this process has seen itself.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from math import inf
from typing import NamedTuple

import msgspec

from steadyhand.records.record import DRILL, Record
from steadyhand.routing import drilling
from steadyhand.routing.drilling import NOT_PROVEN, By, Proof, RungId, Terms, Verdict
from steadyhand.routing.model import DeploymentId

FLOORS = ("template", "schema", "error")
FRESH_S = 1.0
"""Proofs of one rung this close to each other are one: traffic need not be noted each time."""

_SPOKEN = frozenset({"answered", "floor"})
_UNDRILLED = Terms(is_enabled=False)
Result = bool | None
"""Of a drill: it proved the rung, it failed, or it says nothing (``None``)."""


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is told of one rung; wall clock in microseconds, 0 for never.

    Attributes:
        rung: Which.
        since_us: When it became known.
        proven_us: When it last answered.
        by: ``traffic`` or ``drill``.
        tried_us: When the last drill ended that proved nothing.
        failures: Drills that failed in a row.
        reason: Why the last one did.
        verdict: Whether it counts as proven, and why.
        due_us: When its next drill is due.
    """

    rung: RungId
    since_us: int
    proven_us: int = 0
    by: By = ""
    tried_us: int = 0
    failures: int = 0
    reason: str = ""
    verdict: Verdict = "cold_start"
    due_us: int = 0


class Turned(NamedTuple):
    """A rung whose verdict has turned from proven to not proven, or back."""

    rung: RungId
    verdict: Verdict
    reason: str


class ProofBook:
    """The proofs of every rung that is served. For one thread.

    Attributes:
        proofs: By rung.
        verdicts: As of the last :meth:`judge`.
    """

    def __init__(self, terms: Terms, draw: Callable[[], float]) -> None:
        """Take the terms and a source of numbers in [0, 1)."""
        self.proofs: dict[RungId, Proof] = {}
        self.verdicts: dict[RungId, Verdict] = {}
        self._terms = terms
        self._draw = draw
        self._undrilled: frozenset[str] = frozenset()
        self._by_candidate: dict[tuple[str, str, str, str, str], list[RungId]] = {}
        self._states: dict[RungId, str] = {}
        self._fresh_until_s: dict[tuple[str, str, str, str, str], float] = {}
        self._around: frozenset[tuple[str, int, DeploymentId | None]] = frozenset()

    def serve(self, rungs: Iterable[RungId], undrilled: Collection[str], now_s: float) -> None:
        """Take over the rungs of a snapshot; what is known of those that stay is kept.

        ``undrilled`` are the routes that are not drilled.
        """
        self._undrilled = frozenset(undrilled)
        self.proofs = {rung: self.proofs.get(rung) or Proof(now_s, self._draw()) for rung in rungs}
        self._by_candidate = {}
        self._fresh_until_s.clear()
        for rung in self.proofs:
            name = (rung.route, rung.kind, rung.provider, rung.model, rung.region)
            self._by_candidate.setdefault(name, []).append(rung)

    def is_proven(self, route: str, rung: int, deployment: DeploymentId | None) -> bool:
        """Tell whether a candidate may be tried; what is not known here may."""
        return not self._around or (route, rung, deployment) not in self._around

    def learn(self, record: Record, now_s: float) -> None:
        """Take a request's record as proof of what answered well in it."""
        if record.wire == DRILL or not record.route:
            return
        route = record.route
        for one in record.attempts:
            if one.reason == "ok" and one.provider:
                self._prove((route, one.rung, one.provider, one.model, one.region), now_s)
        if record.outcome in _SPOKEN and record.rung != "live":
            self._prove((record.route, record.rung, "", "", ""), now_s)

    def drilled(self, rung: RungId, result: Result, reason: str, now_s: float) -> None:
        """Note how a drill has ended; a rung that is no longer served is passed over."""
        proof = self.proofs.get(rung)
        if proof is None:
            return
        self._fresh_until_s.clear()
        draw = self._draw()
        if result is None:
            self.proofs[rung] = drilling.undecided(proof, now_s, reason, draw)
        elif result:
            self.proofs[rung] = drilling.proved(proof, now_s, "drill", draw)
        else:
            self.proofs[rung] = drilling.failed(proof, now_s, reason, draw)

    def judge(self, now_s: float, state_of: Callable[[DeploymentId], str]) -> list[Turned]:
        """Judge every rung anew; return those whose verdict has turned."""
        self._states = {
            rung: state_of(DeploymentId(rung.provider, rung.model, rung.region))
            for rung in self.proofs
            if rung.provider
        }
        before, self.verdicts = self.verdicts, {}
        turned = []
        for rung, proof in self.proofs.items():
            state = self._states.get(rung, "closed")
            said = drilling.verdict(proof, self._terms_of(rung), state, now_s)
            self.verdicts[rung] = said
            if (said in NOT_PROVEN) != (before.get(rung, "cold_start") in NOT_PROVEN):
                turned.append(Turned(rung, said, proof.reason))
        around = drilling.planned_around(self.verdicts, FLOORS)
        self._around = frozenset((rung.route, rung.rung, _deployment(rung)) for rung in around)
        return turned

    def next_due(self, now_s: float) -> RungId | None:
        """Return the rung to drill now, if any; states are those of the last :meth:`judge`."""
        drilled = {r: p for r, p in self.proofs.items() if r.route not in self._undrilled}
        return drilling.next_due(drilled, self._terms, self._states, now_s)

    def rows(self, now_s: float, wall_us: int) -> list[Row]:
        """Return what is known, for others to read."""

        def wall(at_s: float) -> int:
            return 0 if at_s in (inf, -inf) else max(1, wall_us + round((at_s - now_s) * 1e6))

        return [
            Row(
                rung,
                wall(proof.since_s),
                wall(proof.proven_s),
                proof.by,
                wall(proof.tried_s),
                proof.failures,
                proof.reason,
                self.verdicts.get(rung, "cold_start"),
                wall(drilling.due_at(proof, self._terms_of(rung))),
            )
            for rung, proof in self.proofs.items()
        ]

    def take(self, rows: Iterable[Row], now_s: float, wall_us: int) -> None:
        """Learn what another process knows; what it says of the future is not believed."""

        def own(at_us: int) -> float:
            return now_s - (wall_us - at_us) / 1e6 if 0 < at_us <= wall_us else -inf

        self._fresh_until_s.clear()
        for row in rows:
            mine = self.proofs.get(row.rung)
            since_s, proven_s = own(row.since_us), own(row.proven_us)
            if mine is not None:
                theirs = Proof(
                    mine.since_s if since_s == -inf else since_s,
                    0.0,
                    proven_s,
                    "" if proven_s == -inf else row.by,
                    own(row.tried_us),
                    row.failures,
                    row.reason,
                )
                self.proofs[row.rung] = drilling.merge(mine, theirs)

    def _prove(self, candidate: tuple[str, str, str, str, str], now_s: float) -> None:
        if now_s < self._fresh_until_s.get(candidate, 0.0):
            return
        rungs = self._by_candidate.get(candidate)
        if rungs is None:  # made-up names are not remembered
            return
        self._fresh_until_s[candidate] = now_s + FRESH_S
        for rung in rungs:
            proof = self.proofs[rung]
            if proof.failures or now_s - proof.proven_s >= FRESH_S:
                self.proofs[rung] = drilling.proved(proof, now_s, "traffic", proof.draw)

    def _terms_of(self, rung: RungId) -> Terms:
        return _UNDRILLED if rung.route in self._undrilled else self._terms


def _deployment(rung: RungId) -> DeploymentId | None:
    if not rung.provider:
        return None
    return DeploymentId(rung.provider, rung.model, rung.region)


def newest(files: Iterable[Iterable[Row]]) -> Mapping[RungId, Row]:
    """Return for each rung what the process says that saw it answer, or fail, last."""
    found: dict[RungId, Row] = {}
    for rows in files:
        for row in rows:
            held = found.get(row.rung)
            if held is None or _seen(row) > _seen(held):
                found[row.rung] = row
    return found


def _seen(row: Row) -> int:
    return max(row.proven_us, row.tried_us)
