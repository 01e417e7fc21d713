"""Which call to Argo CD comes next."""

import pytest

from steadyhand.rollouts.argocd.steps import (
    MOST_TRIES,
    Application,
    Deployed,
    Held,
    Terms,
    next_step,
    noted,
)
from steadyhand.rollouts.drivers.base import Order

ORDER = Order("r", "e", "revert", "bad", "good")
NO_GIT = ORDER._replace(commit="")
AUTO = Application(
    "Synced", "bad", "Healthy", history=(Deployed(3, "good"), Deployed(4, "bad")), is_automated=True
)
MANUAL = AUTO._replace(is_automated=False)
DONE = AUTO._replace(revision="revert")
BUSY = AUTO._replace(phase="Running", operation_revision="bad")
GLASS = Terms(may_break_glass=True)
WEARY = Held(terminated=MOST_TRIES, disabled=MOST_TRIES)


@pytest.mark.parametrize(
    ("order", "app", "held", "terms", "call", "outcome", "reason"),
    [
        (ORDER, AUTO, Held(), Terms(), "refresh", "waiting", "refresh_asked"),
        (ORDER, AUTO, Held(99.0), Terms(), "", "waiting", "reconciling"),
        (ORDER, AUTO, Held(98.0), Terms(), "refresh", "waiting", "refresh_asked"),
        (ORDER, MANUAL, Held(), Terms(), "sync", "waiting", "sync_asked"),
        (ORDER, MANUAL, Held(disabled=1), Terms(), "enable", "waiting", "auto_sync_on_again"),
        (ORDER, BUSY, Held(), Terms(), "terminate", "waiting", "operation_in_the_way"),
        (ORDER, BUSY, WEARY, Terms(), "", "waiting", "operation_in_the_way"),
        (
            ORDER,
            BUSY._replace(operation_revision="revert"),
            Held(),
            Terms(),
            "",
            "waiting",
            "syncing",
        ),
        (ORDER, DONE, Held(), Terms(), "", "done", "synced"),
        (ORDER, DONE._replace(health="Degraded"), Held(), Terms(), "", "done", "synced"),
        (ORDER, DONE._replace(health="Progressing"), Held(), Terms(), "", "waiting", "progressing"),
        (NO_GIT, AUTO, Held(), Terms(), "", "refused", "git_unreachable"),
        (NO_GIT, AUTO, Held(), GLASS, "disable", "waiting", "auto_sync_off"),
        (NO_GIT, AUTO, WEARY, GLASS, "", "refused", "auto_sync_stays_on"),
        (
            NO_GIT,
            BUSY._replace(is_automated=False),
            Held(),
            GLASS,
            "terminate",
            "waiting",
            "operation_in_the_way",
        ),
        (NO_GIT, MANUAL, Held(), GLASS, "rollback", "waiting", "rolling_back"),
        (NO_GIT, MANUAL._replace(history=()), Held(), GLASS, "", "refused", "no_history"),
        (NO_GIT, MANUAL, Held(rolled_back_to=3), GLASS, "", "waiting", "glass_broken"),
    ],
)
def test_the_next_call(
    order: Order, app: Application, held: Held, terms: Terms, call: str, outcome: str, reason: str
) -> None:
    found = next_step(order, app, held, terms, 100.0)
    assert (found.call, found.outcome, found.reason) == (call, outcome, reason)
    if call == "rollback":
        assert found.id == 3, "the newest that is not what is deployed now"


def test_what_is_kept_of_a_call() -> None:
    held = Held(1.0, 1, 1, 1)
    assert noted(held, "refresh", -1, 7.0).refreshed_s == 7.0
    assert noted(held, "terminate", -1, 7.0).terminated == 2
    assert noted(held, "disable", -1, 7.0).disabled == 2
    assert noted(held, "enable", -1, 7.0).disabled == 0
    assert noted(held, "rollback", 5, 7.0).rolled_back_to == 5
    assert noted(held, "sync", -1, 7.0) == held
