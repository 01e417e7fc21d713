"""Argo CD: a commit is in Git, and Argo CD is made to deploy it now instead of at its next look."""

from typing import Final

import msgspec

from steadyhand.rollouts.argocd.client import ArgoCd, ArgoRefused, ArgoUnreachable
from steadyhand.rollouts.argocd.steps import Application, Held, Next, Terms, next_step, noted
from steadyhand.rollouts.drivers.base import Order, Progress

MOST_CALLS: Final = 6
"""Of one look; the next one goes on."""


class ArgoCdDriver:
    """See :class:`steadyhand.rollouts.drivers.base.Driver`."""

    name: Final = "argocd"

    def __init__(self, argo: ArgoCd, terms: Terms) -> None:
        """Take the application, and what is allowed."""
        self._argo = argo
        self._terms = terms

    def sync(self, order: Order, held: str, now_s: float) -> Progress:
        """See :class:`steadyhand.rollouts.drivers.base.Driver`."""
        kept = msgspec.json.decode(held, type=Held) if held else Held()
        found = Next("", "waiting", "begun")
        try:
            app = self._argo.look()
            for _ in range(MOST_CALLS):
                found = next_step(order, app, kept, self._terms, now_s)
                if not found.call:
                    break
                # Kept before it is done: a call that was made and not noted would be made again.
                kept = noted(kept, found.call, found.id, now_s)
                app = self._carry_out(found, order) or self._argo.look()
        except ArgoUnreachable as error:
            return Progress("failed", error.code, error.message, _encoded(kept))
        except ArgoRefused as error:
            return self._refused(error, found, kept)
        return Progress(found.outcome, found.reason, found.message, _encoded(kept))

    def _carry_out(self, found: Next, order: Order) -> Application | None:
        """Make a call; return the application if that is what was asked for."""
        if found.call == "refresh":
            return self._argo.look(refresh=True)
        if found.call == "sync":
            self._argo.sync(order.commit)
        elif found.call == "terminate":
            self._argo.terminate()
        elif found.call == "rollback":
            self._argo.rollback(found.id)
        else:
            self._argo.automate(enabled=found.call == "enable")
        return None

    def _refused(self, error: ArgoRefused, found: Next, kept: Held) -> Progress:
        """Return how far it is after a refusal: some are over at the next look."""
        if found.call == "rollback":  # it was not done
            kept = msgspec.structs.replace(kept, rolled_back_to=-1)
        if error.reason in {"precondition", "in_progress"}:
            # Auto-sync was switched on again, or an operation began, between look and call; an
            # operation that we wanted to end may have ended by itself.
            return Progress("waiting", error.reason, error.message, _encoded(kept))
        reason = {"forbidden": "argocd_forbidden", "missing": "application_missing"}
        told = f"{error.message}. {error.hint}" if error.hint else error.message
        return Progress("refused", reason.get(error.reason, error.code), told, _encoded(kept))


def _encoded(held: Held) -> str:
    return msgspec.json.encode(held).decode()
