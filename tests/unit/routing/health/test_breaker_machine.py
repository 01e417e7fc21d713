"""Whatever happens to a breaker, in whatever order, it keeps to its promises."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from steadyhand.routing.health.breaker import LONGEST_S, PROBES, Breaker
from tests.support.examples import in_proportion

DRAWS = st.floats(0.0, 0.999)


class Breakers(RuleBasedStateMachine):
    """Requests, failures and probes in any order, on a clock that only goes on."""

    def __init__(self) -> None:
        """Begin closed."""
        super().__init__()
        self.breaker = Breaker()
        self.now_s = 1.0
        self.held: list[tuple[int, float]] = []

    @rule(seconds=st.sampled_from([0.0, 0.01, 0.3, 1.0, 5.0, 11.0, 3_600.0]))
    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds

    @precondition(lambda self: self.breaker.state == "closed")
    @rule(weight=st.sampled_from([0.8, 1.61, 2.7, 4.0]), draw=DRAWS)
    def fail(self, weight: float, draw: float) -> None:
        was = self.breaker.generation
        opened = self.breaker.failed(self.now_s, "error", weight, draw)
        assert opened == (self.breaker.generation != was) == (self.breaker.state == "open")

    @precondition(lambda self: self.breaker.state == "closed")
    @rule()
    def succeed(self) -> None:
        was = self.breaker.is_failing
        self.breaker.succeeded()
        assert was or not self.breaker.is_failing

    @precondition(lambda self: self.breaker.state != "closed")
    @rule(draw=DRAWS)
    def ask(self, draw: float) -> None:
        was_open, until_s = self.breaker.state == "open", self.breaker.until_s
        if self.breaker.may_probe(self.now_s, draw):
            assert not was_open or self.now_s >= until_s
            self.held.append((self.breaker.generation, self.now_s))

    @precondition(lambda self: self.held)
    @rule(failed=st.sampled_from(["", "error"]), draw=DRAWS, which=st.integers(0, 99))
    def end_probe(self, failed: str, draw: float, which: int) -> None:
        generation, _ = self.held.pop(which % len(self.held))
        closed = self.breaker.probed(self.now_s, generation, failed, draw)
        assert (closed == "closed") == (
            self.breaker.state == "closed" and generation == self.breaker.generation - 1
        )

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 99))
    def give_back(self, which: int) -> None:
        self.breaker.unused(self.held.pop(which % len(self.held))[0])

    @invariant()
    def few_probes(self) -> None:
        current = [1 for generation, _ in self.held if generation == self.breaker.generation]
        assert len(current) == self.breaker.probes <= PROBES

    @invariant()
    def never_waits_long(self) -> None:
        if self.breaker.state == "open":
            assert self.breaker.until_s <= self.breaker.changed_s + LONGEST_S

    @invariant()
    def never_frozen(self) -> None:
        """From every state, time and a good probe or three lead back to closed."""
        if self.breaker.state == "half_open":
            assert self.breaker.probes + self.breaker.good <= PROBES


Breakers.TestCase.settings = settings(
    max_examples=in_proportion(50), stateful_step_count=40, deadline=None
)
TestBreakers = Breakers.TestCase
