"""What is to be done with a rollout next. Pure: from what is known to a named step."""

from typing import Literal, NamedTuple

from msgspec.structs import replace

from steadyhand.rollouts.model import Outcome, Policy, Rollout, Verdict
from steadyhand.rollouts.ports import Pointer

Move = Literal["stay", "step", "promote", "take_back", "take_off", "adopt", "over"]


class Next(NamedTuple):
    """A step.

    Attributes:
        move: ``stay`` where it is; ``step`` to the next weight; ``promote`` to everybody;
            ``take_back``; ``take_off``: serve the candidate no more, and leave the rest to a
            person; ``adopt`` a weight that the channel has already; ``over``: it has moved on.
        reason: By name.
        outcome: Of ``over``.
    """

    move: Move
    reason: str
    outcome: Outcome = ""


def next_move(rollout: Rollout, pointer: Pointer, verdict: Verdict, taken_back_today: int) -> Next:
    """Return what is to be done with a rollout that runs.

    Args:
        rollout: Where it is.
        pointer: Of its channel.
        verdict: Of the evidence.
        taken_back_today: Automatic roll-backs in its channel within a day.
    """
    moved = _moved(rollout, pointer)
    if moved is not None:
        return moved
    if verdict.decision == "roll_back":
        if taken_back_today >= rollout.policy.most_rollbacks_a_day:
            return Next("take_off", "rollback_cap")
        return Next("take_back", verdict.reason)
    if verdict.decision == "promote":
        if rollout.is_paused:
            return Next("stay", "paused")
        is_last = rollout.is_first or rollout.step == len(rollout.policy.steps_percent) - 1
        return Next("promote" if is_last else "step", verdict.reason)
    return Next("stay", verdict.reason)


def _moved(rollout: Rollout, pointer: Pointer) -> Next | None:
    """Return what follows from a channel that is not where the rollout has put it."""
    if rollout.is_first:
        is_mine = pointer.stable == rollout.candidate
        return None if is_mine else Next("over", "moved_by_somebody", "aborted")
    if pointer.stable == rollout.candidate:
        return Next("over", "promoted_by_somebody", "promoted")
    if pointer.candidate != rollout.candidate or pointer.salt != rollout.salt:
        return Next("over", "moved_by_somebody", "aborted")
    if pointer.weight == rollout.weight:
        return None
    following = rollout.step + 1
    weights = rollout.policy.weights()
    if following < len(weights) and pointer.weight == weights[following]:
        return Next("adopt", "step_was_taken")
    return Next("over", "weight_set_by_somebody", "aborted")


def stepped(rollout: Rollout, now_us: int) -> Rollout:
    """Return the rollout at its next step."""
    return replace(rollout, step=rollout.step + 1, step_us=now_us, breach_us=0)


def ended(rollout: Rollout, outcome: Outcome, reason: str, now_us: int) -> Rollout:
    """Return the rollout at its end."""
    return replace(rollout, phase="ended", outcome=outcome, reason=reason, ended_us=now_us)


def capped(verdict: Verdict, policy: Policy) -> Verdict:
    """Return what is said in place of a roll-back that would be one too many within a day."""
    return Verdict(
        "hold",
        "rollback_cap",
        f"{verdict.message}; there were {policy.most_rollbacks_a_day} automatic roll-backs within "
        "a day, so the candidate is off and a person decides",
        pages=True,
    )
