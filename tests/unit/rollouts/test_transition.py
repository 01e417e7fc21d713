"""What is done with a rollout next."""

import pytest
from msgspec.structs import replace

from steadyhand.rollouts.model import Policy, Rollout, Verdict
from steadyhand.rollouts.ports import Pointer
from steadyhand.rollouts.transition import capped, ended, next_move, stepped

POLICY = Policy(most_rollbacks_a_day=2)
ROLLOUT = Rollout(
    "ro_1", "support", "production", "new", "old", POLICY, 1, "olive", salt="s", phase="running"
)
HERE = Pointer("old", "new", 500, "s")
GOOD = Verdict("promote", "no_worse")
BAD = Verdict("roll_back", "worse_than_control", "worse")
UNSURE = Verdict("inconclusive", "gathering")


@pytest.mark.parametrize(
    ("rollout", "pointer", "verdict", "today", "wanted"),
    [
        (ROLLOUT, HERE, UNSURE, 0, ("stay", "gathering")),
        (ROLLOUT, HERE, Verdict("hold", "no_data"), 0, ("stay", "no_data")),
        (ROLLOUT, HERE, GOOD, 0, ("step", "no_worse")),
        (replace(ROLLOUT, is_paused=True), HERE, GOOD, 0, ("stay", "paused")),
        (
            replace(ROLLOUT, step=3),
            HERE._replace(weight=9_500),
            GOOD,
            0,
            ("promote", "no_worse"),
        ),
        (ROLLOUT, HERE, BAD, 0, ("take_back", "worse_than_control")),
        (replace(ROLLOUT, is_paused=True), HERE, BAD, 1, ("take_back", "worse_than_control")),
        (ROLLOUT, HERE, BAD, 2, ("take_off", "rollback_cap")),
        # a controller died after it had moved the channel, and before it had stored that
        (ROLLOUT, HERE._replace(weight=2_500), UNSURE, 0, ("adopt", "step_was_taken")),
        (
            ROLLOUT,
            HERE._replace(weight=1_234),
            UNSURE,
            0,
            ("over", "weight_set_by_somebody", "aborted"),
        ),
        (
            replace(ROLLOUT, step=3),
            HERE._replace(weight=5_000),
            UNSURE,
            0,
            ("over", "weight_set_by_somebody", "aborted"),
        ),
        (ROLLOUT, Pointer("old"), BAD, 0, ("over", "moved_by_somebody", "aborted")),
        (ROLLOUT, HERE._replace(salt="t"), BAD, 0, ("over", "moved_by_somebody", "aborted")),
        (ROLLOUT, Pointer("new"), BAD, 0, ("over", "promoted_by_somebody", "promoted")),
        (replace(ROLLOUT, stable=""), Pointer("new", salt="s"), GOOD, 0, ("promote", "no_worse")),
        (
            replace(ROLLOUT, stable=""),
            Pointer("other"),
            GOOD,
            0,
            ("over", "moved_by_somebody", "aborted"),
        ),
    ],
)
def test_the_next_move(
    rollout: Rollout, pointer: Pointer, verdict: Verdict, today: int, wanted: tuple[str, ...]
) -> None:
    found = next_move(rollout, pointer, verdict, today)
    assert tuple(found)[: len(wanted)] == wanted


def test_steps_and_ends() -> None:
    after = stepped(replace(ROLLOUT, breach_us=5), 7)
    assert (after.step, after.step_us, after.breach_us, after.weight) == (1, 7, 0, 2_500)
    over = ended(after, "aborted", "why", 9)
    assert (over.phase, over.outcome, over.reason, over.ended_us) == ("ended", "aborted", "why", 9)
    assert replace(ROLLOUT, stable="").weight == 10_000


def test_one_roll_back_too_many_calls_a_person() -> None:
    found = capped(BAD, POLICY)
    assert (found.decision, found.reason, found.pages) == ("hold", "rollback_cap", True)
    assert found.message.startswith("worse; there were 2 automatic roll-backs")
