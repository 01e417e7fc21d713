"""Whatever happens on a climb: something speaks, once, in time, and nothing starts too late."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from steadyhand.routing.planning.action import Action
from steadyhand.routing.planning.planner import carried_out, replan
from steadyhand.routing.planning.situation import FLOOR, NEVER_US, Event, Situation
from tests.support.examples import in_proportion
from tests.unit.routing.planning.made import situations

PLACES = st.integers(0, 4)
MOST_AT_ONCE = 40
STARTS = {"start", "prepare", "hedge", "harvest"}


class Climbs(RuleBasedStateMachine):
    """Plays an engine that does as it is told, among rungs that do as they please.

    The clock only goes forward and the engine asks at each event and at each wake-up: that is
    what it owes the planner. All else may happen in any order.
    """

    @initialize(situation=situations(), late_us=st.integers(0, 300))
    def first(self, situation: Situation, late_us: int) -> None:
        self.begin(situation, late_us)

    @precondition(lambda self: self.waiting is None)
    @rule(situation=situations(), late_us=st.integers(0, 300))
    def another(self, situation: Situation, late_us: int) -> None:
        self.begin(situation, late_us)

    def begin(self, situation: Situation, late_us: int) -> None:
        self.situation = situation
        self.now_us = late_us
        self.events: list[Event] = []
        self.waiting: Action | None = None
        self.spoken: list[tuple[int, int]] = []
        self.is_gone = False
        self.shut: set[int] = set()
        self.obey()

    def obey(self) -> None:
        """Do what the planner says until it says to wait."""
        for _ in range(MOST_AT_ONCE):
            action = replan(self.situation, self.events, self.now_us)
            assert action == replan(self.situation, tuple(self.events), self.now_us)
            assert action.reason, "each action has a named reason"
            if action.kind == "stop":
                self.waiting = None
                return
            if action.kind == "wait":
                assert action.wake_us > self.now_us, "a wait ends later"
                assert action.wake_us <= self.deadline_us, "and not after the deadline"
                self.waiting = action
                return
            if action.kind == "start" and action.candidate in self.shut:
                self.events.append(Event(self.now_us, action.candidate, "shut", "open"))
                continue
            self.check(action)
            self.events.append(carried_out(action, self.now_us))
        raise AssertionError("the planner goes round in circles")

    @property
    def deadline_us(self) -> int:
        policy = self.situation.policy
        budget_us = self.situation.budget_us
        return max(0, budget_us - policy.floor_reserve_us) if budget_us else NEVER_US

    def check(self, action: Action) -> None:
        if action.kind in STARTS:
            assert action.candidate not in self.begun(), "nothing is asked twice"
        if action.kind in {"start", "prepare", "hedge"}:
            assert self.now_us < action.until_us <= self.deadline_us, "each has time, and an end"
        if action.kind in {"start", "hedge"}:
            candidate = self.situation.candidates[action.candidate]
            assert not candidate.barred
            assert candidate.health != "open"
        if action.kind in {"speak", "floor"}:
            assert not self.spoken, "nothing speaks twice"
            assert not self.is_gone, "nobody is left to hear it"
            self.spoken.append((action.candidate, self.now_us))
        if action.kind == "speak":
            assert {"ready", "content"} & {
                event.kind for event in self.events if event.candidate == action.candidate
            }, "only what has something to say may speak"

    def begun(self) -> set[int]:
        kinds = {"started", "hedged", "harvested"}
        return {event.candidate for event in self.events if event.kind in kinds}

    def running(self) -> list[int]:
        ended = {
            event.candidate
            for event in self.events
            if event.kind in {"failed", "empty", "ready", "content"}
        }
        return sorted(self.begun() - ended)

    def happen(self, place: int, kind: str, detail: str = "") -> None:
        self.events.append(Event(self.now_us, place, kind, detail))  # type: ignore[arg-type]
        self.obey()

    @precondition(lambda self: self.waiting and self.waiting.wake_us < NEVER_US)
    @rule(late_us=st.sampled_from([0, 0, 1, 900, 50_000]))
    def timer(self, late_us: int) -> None:
        """Wake the engine, perhaps late: machines stall."""
        assert self.waiting
        self.now_us = self.waiting.wake_us + late_us
        self.obey()

    @precondition(lambda self: self.waiting)
    @rule(part=st.floats(0, 1))
    def time_passes(self, part: float) -> None:
        """Ask again before there is a reason to: nothing may depend on how often one asks."""
        assert self.waiting
        before = self.waiting
        self.pass_before_waking(min(int((before.wake_us - self.now_us) * part), 10**8))
        action = replan(self.situation, self.events, self.now_us)
        assert action == before, "an early question changes nothing"

    @precondition(lambda self: self.waiting and self.running())
    @rule(which=PLACES, kind=st.sampled_from(["content", "failed"]), soon_us=st.integers(0, 2_000))
    def a_rung_says_something(self, which: int, kind: str, soon_us: int) -> None:
        place = self.running()[which % len(self.running())]
        self.pass_before_waking(soon_us)
        if self.situation.candidates[place].is_live:
            self.happen(place, kind, "server_error" if kind == "failed" else "")
        else:
            self.happen(place, "empty")

    @precondition(lambda self: self.waiting and self.running())
    @rule(which=PLACES, detail=st.sampled_from(["fresh", "stale"]), soon_us=st.integers(0, 2_000))
    def a_stored_answer_is_there(self, which: int, detail: str, soon_us: int) -> None:
        places = [p for p in self.running() if not self.situation.candidates[p].is_live]
        if places:
            self.pass_before_waking(soon_us)
            self.happen(places[which % len(places)], "ready", detail)

    @precondition(lambda self: self.waiting and any(e.kind == "hedged" for e in self.events))
    @rule()
    def the_budget_refuses_the_hedge(self) -> None:
        """Replace the hedge by its refusal, as an engine without budget would have."""
        at = next(i for i, event in enumerate(self.events) if event.kind == "hedged")
        if at + 1 == len(self.events):
            hedged = self.events.pop()
            rung = self.situation.candidates[hedged.candidate].rung
            asked = next(
                e.candidate
                for e in self.events
                if e.kind == "started" and self.situation.candidates[e.candidate].rung == rung
            )
            self.happen(asked, "no_hedge", "budget")

    @precondition(lambda self: self.waiting)
    @rule(which=PLACES)
    def a_breaker_opens(self, which: int) -> None:
        """Shut a candidate whose turn has not come: the engine says so when it comes."""
        place = which % len(self.situation.candidates)
        if self.situation.candidates[place].is_live and place not in self.begun():
            self.shut.add(place)

    @precondition(lambda self: self.waiting)
    @rule()
    def the_client_leaves(self) -> None:
        self.is_gone = True
        self.happen(FLOOR, "client_gone")
        assert self.waiting is None

    def pass_before_waking(self, soon_us: int) -> None:
        assert self.waiting
        self.now_us = min(self.now_us + soon_us, self.waiting.wake_us - 1)

    @invariant()
    def something_speaks_by_the_deadline(self) -> None:
        if hasattr(self, "situation") and self.now_us >= self.deadline_us and not self.is_gone:
            assert len(self.spoken) == 1

    @invariant()
    def whoever_waits_waits_for_something(self) -> None:
        if hasattr(self, "situation") and self.waiting is None:
            assert self.is_gone or len(self.spoken) == 1


Climbs.TestCase.settings = settings(
    max_examples=in_proportion(25), stateful_step_count=15, deadline=None
)
TestClimbs = Climbs.TestCase
