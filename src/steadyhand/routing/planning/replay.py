"""Make a recorded decision again, from its inputs only, and say where the record differs.

Every event that carried out an action is asked of the planner anew: with the situation and the
events before it, at its time. Facts (an answer, a failure) are inputs and are believed.
"""

from collections.abc import Iterator

import msgspec

from steadyhand.records.record import Record
from steadyhand.routing.planning.action import Action, Plan
from steadyhand.routing.planning.decision import Decision
from steadyhand.routing.planning.forecast import plan, why_not
from steadyhand.routing.planning.planner import CARRIED_OUT, decide
from steadyhand.routing.planning.progress import BEGINNINGS, Progress
from steadyhand.routing.planning.situation import FLOOR, Candidate, Event, Situation

ACTED = frozenset(CARRIED_OUT.values())
SAID = frozenset({"content", "failed"})
"""What only a candidate can say that was asked."""


class Retold(msgspec.Struct, frozen=True):
    """One event of a climb, and what the planner says to it now.

    Attributes:
        event: As recorded.
        reason: The planner's, for an action; what happened, for a fact.
        is_told: Whether it is an action, which the planner told.
    """

    event: Event
    reason: str
    is_told: bool = False


class Replay(msgspec.Struct, frozen=True):
    """A decision made again.

    Attributes:
        plan: What was to happen if nobody said anything.
        climb: What happened.
        passed_over: Candidates that were not asked, with the reason.
        differences: Where the record does not say what its inputs lead to; empty for the same.
    """

    plan: Plan
    climb: tuple[Retold, ...]
    passed_over: tuple[tuple[int, str], ...]
    differences: tuple[str, ...]


def replay(decision: Decision) -> Replay:
    """Make ``decision`` again."""
    situation = decision.situation
    progress = Progress(situation)
    climb: list[Retold] = []
    differences: list[str] = []
    for event in decision.events:
        retold = Retold(event, event.detail)
        if event.kind in ACTED:
            action = decide(progress, event.at_us)
            retold = Retold(event, action.reason, is_told=True)
            if not _is_carried_out(action, event):
                differences.append(_difference(situation, event, action))
        elif event.kind in SAID and progress.status[event.candidate] == "idle":
            differences.append(f"{_told(situation, event)}, but it was never asked")
        climb.append(retold)
        progress.note(event)
    return Replay(
        plan(situation),
        tuple(climb),
        tuple(passed_over(decision.events, progress)),
        tuple(differences),
    )


def passed_over(events: tuple[Event, ...], progress: Progress) -> Iterator[tuple[int, str]]:
    """Yield the candidates that were not asked, with the reason.

    Args:
        events: Of the climb.
        progress: Its end.
    """
    asked = {event.candidate for event in events if event.kind in BEGINNINGS}
    asked |= {event.candidate for event in events if event.kind in {"ready", "empty"}}
    speaker = next((event.candidate for event in events if event.kind == "spoke"), FLOOR)
    now_us = events[-1].at_us if events else 0
    for place in range(len(progress.situation.candidates)):
        if place not in asked:
            yield place, why_not(progress, place, speaker, now_us)


def contradictions(decision: Decision, record: Record) -> Iterator[str]:
    """Yield where ``record`` says otherwise than its own ``decision``."""
    if record.budget_us != decision.budget_us:
        yield f"the record has a budget of {record.budget_us} us, the decision {decision.budget_us}"
    if record.stream != decision.stream:
        yield "the record and the decision disagree on whether a stream was asked for"
    candidates = decision.lineup.candidates
    spoke = [event.candidate for event in decision.events if event.kind == "spoke"]
    answered = record.outcome in {"answered", "truncated"}
    if answered and (spoke[:1] in ([], [FLOOR]) or not _is(record, candidates[spoke[0]])):
        yield f"the record says that {_speaker(record)} spoke, the decision {_spoken(decision)}"
    begun = {
        (candidates[event.candidate].provider, candidates[event.candidate].model)
        for event in decision.events
        if event.kind in BEGINNINGS
    }
    for attempt in record.attempts:
        asked = attempt.rung == "live" and attempt.role != ""  # else it says why it was not
        if asked and (attempt.provider, attempt.model) not in begun:
            who = f"{attempt.provider}/{attempt.model}"
            yield f"the record has an attempt at {who}, which the decision did not start"


def name_of(candidate: Candidate) -> str:
    """Return how people call ``candidate``."""
    if not candidate.is_live:
        return candidate.kind
    region = f" ({candidate.region})" if candidate.region else ""
    return f"{candidate.provider}/{candidate.model}{region}"


def _is(record: Record, candidate: Candidate) -> bool:
    if not candidate.is_live:
        return record.rung == candidate.kind
    return (record.provider, record.model) == (candidate.provider, candidate.model)


def _speaker(record: Record) -> str:
    return f"{record.provider}/{record.model}" if record.provider else record.rung or "nobody"


def _spoken(decision: Decision) -> str:
    for event in decision.events:
        if event.kind == "spoke":
            return _name(decision.situation, event.candidate)
    return "nobody"


def _name(situation: Situation, place: int) -> str:
    return "the floor" if place == FLOOR else name_of(situation.candidates[place])


def _is_carried_out(action: Action, event: Event) -> bool:
    if action.kind not in CARRIED_OUT:
        return False
    return (CARRIED_OUT[action.kind], action.candidate) == (event.kind, event.candidate)


def _difference(situation: Situation, event: Event, action: Action) -> str:
    told = action.kind.replace("_", " ")
    if action.kind not in {"floor", "stop"}:
        told = f"{told} {_name(situation, action.candidate)}"
    return f"{_told(situation, event)}, the inputs lead to {told!r}"


def _told(situation: Situation, event: Event) -> str:
    recorded = f"{_name(situation, event.candidate)} {event.kind.replace('_', ' ')}"
    return f"at {event.at_us / 1000:.1f} ms: recorded is {recorded!r}"
