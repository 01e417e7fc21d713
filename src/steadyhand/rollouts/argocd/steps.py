"""Which call to Argo CD comes next in a roll-back. Pure.

Argo CD follows Git, so a roll-back is a commit and a refresh. It refuses its own ``rollback`` while
auto-sync is on, and would bring the bad commit straight back once that is on again. So ``rollback``
is for one case only: the commit cannot be pushed and somebody has allowed to break the glass. Then
auto-sync is switched off first, a person has to merge the revert, and what was switched off is
switched on again when the commit is there.

Source: argo-cd 3.6, server/application/application.go, controller/appcontroller.go (2026-11).
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from steadyhand.rollouts.drivers.base import Order, Outcome

Kind = Literal["", "refresh", "sync", "terminate", "disable", "enable", "rollback"]
MOST_TRIES: Final = 3
"""Times that auto-sync is switched off, or an operation ended, before a person is asked."""

RUNNING: Final = ("Running", "Terminating")


class Deployed(NamedTuple):
    """A revision that was deployed.

    Attributes:
        id: Of the entry.
        revision: Commit.
    """

    id: int
    revision: str


class Application(NamedTuple):
    """What Argo CD says of an application.

    Attributes:
        sync: ``Synced``, ``OutOfSync`` or ``Unknown``.
        revision: Commit that it was compared with.
        health: ``Healthy``, ``Progressing``, ``Degraded`` ...
        phase: Of the last operation: ``Running``, ``Succeeded`` ...; empty for none.
        operation_revision: Commit of that operation.
        history: What was deployed, oldest first.
        is_automated: Whether auto-sync is on.
    """

    sync: str = ""
    revision: str = ""
    health: str = ""
    phase: str = ""
    operation_revision: str = ""
    history: Sequence[Deployed] = ()
    is_automated: bool = False

    @property
    def is_busy(self) -> bool:
        """Whether an operation is under way."""
        return self.phase in RUNNING


class Held(msgspec.Struct, frozen=True):
    """What is kept between calls, also over a death.

    Attributes:
        refreshed_s: When a refresh was asked for last, seconds since 1970.
        terminated: How often an operation was ended.
        disabled: How often auto-sync was switched off by us.
        rolled_back_to: Id of the deployment that was gone back to; -1 for none.
    """

    refreshed_s: float = 0.0
    terminated: int = 0
    disabled: int = 0
    rolled_back_to: int = -1


class Next(NamedTuple):
    """What to do.

    Attributes:
        call: What to ask of Argo CD; empty for nothing.
        outcome: How far the order is, if nothing is asked.
        reason: By name.
        message: For people.
        id: Of the deployment to go back to.
    """

    call: Kind
    outcome: Outcome
    reason: str
    message: str = ""
    id: int = -1


class Terms(NamedTuple):
    """What is allowed.

    Attributes:
        may_break_glass: Whether a roll-back without a commit may go past Git.
        refresh_again_s: Seconds between two refreshes.
    """

    may_break_glass: bool = False
    refresh_again_s: float = 2.0


def next_step(order: Order, app: Application, held: Held, terms: Terms, now_s: float) -> Next:
    """Return the next call for ``order``, or how far it is."""
    if not order.commit:
        return _without_git(app, held, terms)
    if held.disabled and not app.is_automated:
        return Next("enable", "waiting", "auto_sync_on_again")
    if app.is_busy and app.operation_revision != order.commit:
        return _in_the_way(held)
    if app.is_busy:
        return Next("", "waiting", "syncing", f"commit {order.commit[:10]} is being deployed")
    if app.sync == "Synced" and app.revision == order.commit:
        return _deployed(app)
    return _asked(app, held, terms, now_s)


def _in_the_way(held: Held) -> Next:
    """Return what is done about another operation."""
    if held.terminated < MOST_TRIES:
        return Next("terminate", "waiting", "operation_in_the_way")
    return Next("", "waiting", "operation_in_the_way", "another operation does not end")


def _asked(app: Application, held: Held, terms: Terms, now_s: float) -> Next:
    """Return how the commit is brought to be deployed."""
    if not app.is_automated:
        return Next("sync", "waiting", "sync_asked")
    if now_s - held.refreshed_s >= terms.refresh_again_s:
        return Next("refresh", "waiting", "refresh_asked")
    return Next("", "waiting", "reconciling", "Argo CD has not compared the commit yet")


def _deployed(app: Application) -> Next:
    if app.health in {"Progressing", "Unknown", "Missing"}:
        return Next("", "waiting", "progressing", f"deployed; its health is {app.health}")
    told = "" if app.health == "Healthy" else f"deployed; its health is {app.health}"
    return Next("", "done", "synced", told)


def _without_git(app: Application, held: Held, terms: Terms) -> Next:
    """Return the next call of a roll-back whose commit could not be pushed."""
    if not terms.may_break_glass:
        return Next(
            "",
            "refused",
            "git_unreachable",
            "Argo CD follows Git, and the revert cannot be pushed; argocd_break_glass is off",
        )
    if app.is_automated:
        if held.disabled >= MOST_TRIES:
            told = "auto-sync is switched on again each time: something else manages it"
            return Next("", "refused", "auto_sync_stays_on", told)
        return Next("disable", "waiting", "auto_sync_off")
    if app.is_busy and held.rolled_back_to < 0:
        return _in_the_way(held)
    if held.rolled_back_to < 0:
        before = [one for one in app.history if one.revision != app.revision]
        if not before:
            told = "Argo CD remembers no earlier deployment"
            return Next("", "refused", "no_history", told)
        return Next("rollback", "waiting", "rolling_back", id=before[-1].id)
    return Next(
        "",
        "waiting",
        "glass_broken",
        "Argo CD went back by itself and auto-sync is off: merge the revert, it is on again then",
    )


def noted(held: Held, call: Kind, id_: int, now_s: float) -> Held:
    """Return what is kept after a call was carried out."""
    replace = msgspec.structs.replace
    if call == "refresh":
        return replace(held, refreshed_s=now_s)
    if call == "terminate":
        return replace(held, terminated=held.terminated + 1)
    if call == "disable":
        return replace(held, disabled=held.disabled + 1)
    if call == "enable":
        return replace(held, disabled=0)
    if call == "rollback":
        return replace(held, rolled_back_to=id_)
    return held
