"""A decision is kept as inputs, made again from them, and tampering shows."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from steadyhand.core.errors import InvalidValue
from steadyhand.records.record import Attempt, Record
from steadyhand.routing.planning.action import Action
from steadyhand.routing.planning.decision import (
    VERSION,
    Decision,
    DecisionUnreadable,
    decode_decision,
)
from steadyhand.routing.planning.forecast import plan
from steadyhand.routing.planning.planner import replan
from steadyhand.routing.planning.prepared import MOST_KEPT, Prepared
from steadyhand.routing.planning.reasons import MEANINGS, meaning
from steadyhand.routing.planning.replay import contradictions, name_of, replay
from steadyhand.routing.planning.situation import FLOOR, Event, Lineup, Situation
from steadyhand.routing.planning.whatif import changed
from tests.support.climbs import Says, climb
from tests.support.made_records import ANSWERED
from tests.unit.routing.planning.made import MS, cost, live, situation, situations, stored

FIRST = live(0, of=cost(600, 900, 1_500))
SECOND = live(1, of=cost(100, 200, 300))
ROUTE = situation(1_500, FIRST, SECOND, stored(2))
SAYS = st.builds(
    Says,
    st.integers(0, 2_000 * MS),
    st.sampled_from(["content", "failed"]),
    st.just("server_error"),
)


def kept(one: Situation, events: list[Event]) -> bytes:
    prepared = Prepared(one.policy, one.candidates)
    return prepared.record(one.budget_us, one.draw, events, stream=one.stream)


def recorded() -> Decision:
    """Return a climb whose first rung failed and whose second spoke."""
    events = climb(ROUTE, {0: Says(20 * MS, "failed", "overloaded"), 1: Says(100 * MS)})
    return decode_decision(kept(ROUTE, events))


def with_events(decision: Decision, *events: Event) -> Decision:
    return replace(decision, events=events)


@given(situations(), st.dictionaries(st.integers(0, 4), SAYS))
def test_every_climb_replays_to_itself(one: Situation, says: dict[int, Says]) -> None:
    events = climb(one, says)
    decision = decode_decision(kept(one, events))
    assert decision.situation == one
    assert list(decision.events) == events
    again = replay(decision)
    assert again.differences == ()
    assert [told.event for told in again.climb] == events
    named = {told.reason for told in again.climb if told.is_told}
    named |= {why for _, why in again.passed_over} | {step.reason for step in again.plan.steps}
    named -= {candidate.barred for candidate in one.candidates}
    assert named | {again.plan.reason} <= MEANINGS.keys(), "every reason has a meaning"


@given(
    situations(),
    st.lists(st.tuples(st.sampled_from([1, 150 * MS, 1_500 * MS]), st.integers(0, 1_600 * MS))),
)
def test_what_is_prepared_is_what_the_planner_says(
    one: Situation, asked: list[tuple[int, int]]
) -> None:
    prepared = Prepared(one.policy, one.candidates)
    for budget_us, now_us in [*asked, *asked]:
        expected = replan(replace(one, budget_us=budget_us), (), now_us)
        assert prepared.first(budget_us, one.draw, now_us) == expected


def test_what_stored_rungs_had_at_hand_counts() -> None:
    one = situation(1_500, stored(0), live(1), stored(2))
    prepared = Prepared(one.policy, one.candidates)
    for kind, detail in [("ready", "fresh"), ("ready", "stale"), ("empty", "")] * 2:
        looks = [Event(MS, 0, kind, detail), Event(MS, 2, "empty")]  # type: ignore[arg-type]
        assert prepared.first(1_500 * MS, 0.1, MS, looks) == replan(one, looks, MS)
    assert prepared.first(1_500 * MS, 0.1, MS) == replan(one, (), MS)


def test_requests_alike_share_one_action() -> None:
    prepared = Prepared(ROUTE.policy, ROUTE.candidates)
    first = prepared.first(1_500 * MS, 0.1, 150)
    assert prepared.first(1_500 * MS, 0.9, 250) is first
    for budget_ms in range(1_000, 1_000 + MOST_KEPT + 5):
        prepared.first(budget_ms * MS, 0.1, 150)
    assert prepared.first(1_500 * MS, 0.1, 150) == first


def test_a_draw_that_counts_is_not_shared() -> None:
    half = replace(FIRST, share=0.5)
    prepared = Prepared(ROUTE.policy, (half, SECOND))
    places = {prepared.first(1_500 * MS, draw, 0).candidate for draw in (0.1, 0.9)}
    assert places == {0, 1}


# Replay.


def test_a_climb_is_told_again_with_reasons() -> None:
    again = replay(recorded())
    assert [(told.event.kind, told.reason) for told in again.climb] == [
        ("started", "first_choice"),
        ("failed", "overloaded"),
        ("started", "after_failure"),
        ("content", ""),
        ("spoke", "first_content"),
    ]
    assert again.passed_over == ((2, "not_reached"),)


TAMPERED: dict[str, Callable[[Decision], Decision]] = {
    "the situation": lambda d: replace(
        d, lineup=Lineup(d.lineup.policy, (replace(FIRST, health="open"), SECOND, stored(2)))
    ),
    "a start left out": lambda d: with_events(d, *d.events[1:]),
    "a start of another": lambda d: with_events(
        d, replace(d.events[0], candidate=1), *d.events[1:]
    ),
    "who spoke": lambda d: with_events(d, *d.events[:-1], replace(d.events[-1], candidate=FLOOR)),
    "a failure left out": lambda d: with_events(d, d.events[0], *d.events[2:]),
    "a time": lambda d: with_events(
        d, *d.events[:2], replace(d.events[2], at_us=10**7), *d.events[3:]
    ),
    "spoken after the client left": lambda d: with_events(
        d, *d.events[:-1], Event(0, FLOOR, "client_gone"), d.events[-1]
    ),
    "left too early": lambda d: with_events(d, d.events[0], Event(MS, 0, "gave_up")),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_record_that_was_tampered_with_is_different(what: str) -> None:
    assert replay(TAMPERED[what](recorded())).differences, what


def test_a_difference_says_what_and_when() -> None:
    decision = TAMPERED["the situation"](recorded())
    assert replay(decision).differences[0] == (
        "at 0.0 ms: recorded is 'provider-0/model started', the inputs lead to "
        "'start provider-1/model'"
    )
    nobody = with_events(recorded(), Event(10**7, 0, "started"))
    assert replay(nobody).differences[0].endswith("the inputs lead to 'floor'")


ASKED = replace(ANSWERED.attempts[0], role="fallback")


def own(**changes: object) -> Record:
    """Return a record that agrees with :func:`recorded`."""
    attempts = tuple(
        Attempt("live", f"provider-{n}", "model", 0, 1, 200, "ok", "", "first") for n in range(2)
    )
    fields: dict[str, object] = {
        "budget_us": 1_500 * MS,
        "provider": "provider-1",
        "model": "model",
        "attempts": attempts,
    }
    return replace(ANSWERED, **(fields | changes))


def test_a_record_agrees_with_its_decision() -> None:
    assert list(contradictions(recorded(), own())) == []
    around = replace(ASKED, role="", reason="open")
    assert list(contradictions(recorded(), own(attempts=(around,)))) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"provider": "provider-0"}, "provider-0/model spoke, the decision provider-1/model"),
        ({"rung": "cache", "provider": ""}, "cache spoke, the decision provider-1/model"),
        ({"provider": "", "rung": ""}, "nobody spoke"),
        ({"budget_us": 7}, "budget of 7 us"),
        ({"stream": False}, "disagree on whether a stream"),
        ({"attempts": (ASKED,)}, "attempt at openai/gpt-fast"),
    ],
)
def test_a_record_that_says_otherwise_than_its_decision(
    changes: dict[str, object], says: str
) -> None:
    assert says in "\n".join(contradictions(recorded(), own(**changes)))


def test_an_answer_that_nobody_spoke_is_a_contradiction() -> None:
    silent = with_events(recorded(), *recorded().events[:-1])
    assert "the decision nobody" in "\n".join(contradictions(silent, own()))
    floor = with_events(recorded(), Event(0, FLOOR, "spoke"))
    assert "the decision the floor" in "\n".join(contradictions(floor, own()))


def test_a_stored_answer_agrees_by_its_kind() -> None:
    events = climb(situation(1_500, stored(0)), {0: Says(MS, "ready", "fresh")})
    decision = decode_decision(kept(situation(1_500, stored(0)), events))
    record = own(rung="cache", provider="", model="", attempts=())
    assert list(contradictions(decision, record)) == []


def test_candidates_are_named_as_people_do() -> None:
    assert name_of(replace(FIRST, region="eu-west")) == "provider-0/model (eu-west)"
    assert name_of(stored(0, "knowledge")) == "knowledge"
    assert meaning("needs_tools") == "cannot serve this request: needs tools"


# What cannot be read.


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "damaged"),
        (b"\xc1", "damaged"),
        (msgspec.msgpack.encode([VERSION, 0]), "damaged"),
        (msgspec.msgpack.encode([99, 0, False, 0.0, [[], []], []]), "rule 99"),
        (msgspec.msgpack.encode([VERSION, 0, False, 0.0, [[], []], [[0, 3, "started"]]]), "names"),
    ],
)
def test_a_decision_that_cannot_be_read_says_why(data: bytes, says: str) -> None:
    with pytest.raises(DecisionUnreadable, match=says) as caught:
        decode_decision(data)
    assert caught.value.hint


# What if.


@pytest.mark.parametrize(
    "change",
    [
        "candidates.0.health=open",
        "candidates.0.barred=tools",
        "candidates.0.cost.p50_us=5000000",
        "candidates.1.cost.samples=0",
        "candidates.0.limit_us=100000",
        "policy.floor_reserve_us=100000",
        "budget_us=500000",
    ],
)
def test_one_input_changed_changes_the_plan(change: str) -> None:
    assert plan(changed(ROUTE, change)) != plan(ROUTE)


def test_a_change_changes_nothing_else() -> None:
    after = changed(ROUTE, "candidates.1.share=0.25")
    assert after.candidates[1].share == 0.25
    assert replace(after, candidates=ROUTE.candidates) == ROUTE
    assert changed(ROUTE, "policy.lingers=false").policy.lingers is False


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("candidates.0.health", "not PATH=VALUE"),
        ("candidates.0.health=ill", "Invalid enum value"),
        ("candidates.9.health=open", "no candidate '9'"),
        ("candidates.x.health=open", "no candidate 'x'"),
        ("candidates.0.color=red", "no input 'color'"),
        ("candidates.0.cost.p50_us=fast", "Expected `int`"),
        ("candidates.0.health.more=open", "has no parts"),
        ("candidates.0=open", "more than one input"),
        ("candidates=open", "more than one input"),
        ("=1", "no input ''"),
    ],
)
def test_a_change_that_is_none_says_why(change: str, says: str) -> None:
    with pytest.raises(InvalidValue, match=says) as caught:
        changed(ROUTE, change)
    assert caught.value.hint


def test_an_action_can_be_compared() -> None:
    action = replan(ROUTE, (), 0)
    assert action == Action("start", 0, 1_188 * MS, 900 * MS, "first_choice")
