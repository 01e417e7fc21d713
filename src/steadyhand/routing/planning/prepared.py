"""A line-up made ready: what many requests in a row have in common is computed once.

While all is well, a request costs one look-up here: its first action depends on the line-up, the
budget and the whole millisecond at which it is asked, so it has been made before. The answer is
always the one that ``replan`` gives.
"""

from collections.abc import Sequence

from steadyhand.routing.planning.action import Action
from steadyhand.routing.planning.decision import encode_decision, encode_lineup
from steadyhand.routing.planning.planner import replan
from steadyhand.routing.planning.progress import TICK_US
from steadyhand.routing.planning.situation import Candidate, Event, Lineup, Policy, Situation

MOST_KEPT = 64
"""First actions that are kept; more than these differ in a budget that callers choose."""


Key = tuple[int | tuple[int, str], ...]
"""Budget, tick, and what each look has found."""


class Prepared:
    """Policy and candidates as they stand until health, costs or order change; then make another.

    Attributes:
        policy: See :class:`~.situation.Policy`.
        candidates: In the order in which they are preferred.
    """

    __slots__ = ("_encoded", "_first", "_is_sure", "candidates", "policy")

    def __init__(self, policy: Policy, candidates: tuple[Candidate, ...]) -> None:
        """Compute nothing yet but what records will hold."""
        self.policy = policy
        self.candidates = candidates
        self._encoded = encode_lineup(Lineup(policy, candidates))
        self._is_sure = all(one.share >= 1.0 for one in candidates)
        self._first: dict[Key, Action] = {}

    def first(
        self, budget_us: int, draw: float, now_us: int, looks: Sequence[Event] = ()
    ) -> Action:
        """Return how to begin: the same as ``replan``.

        Args:
            budget_us: See :class:`~.situation.Situation`.
            draw: Likewise.
            now_us: When it is asked.
            looks: What stored rungs had at hand (``ready`` and ``empty``), before all else.
        """
        key: Key = (budget_us, now_us // TICK_US)
        if looks:
            key += tuple((one.candidate, one.detail) for one in looks)
        known = self._first.get(key)
        if known is not None and known.wake_us > now_us:
            return known
        action = replan(self.situation(budget_us, draw), looks, now_us)
        if self._is_sure and action.kind == "start" and action.until_us > now_us + TICK_US:
            if len(self._first) >= MOST_KEPT:
                self._first.clear()
            self._first[key] = action
        return action

    def situation(self, budget_us: int, draw: float, *, stream: bool = False) -> Situation:
        """Return the situation of one request."""
        return Situation(budget_us, stream, draw, self.policy, self.candidates)

    def record(
        self, budget_us: int, draw: float, events: Sequence[Event], *, stream: bool
    ) -> bytes:
        """Return what the record keeps of the decision."""
        return encode_decision(self._encoded, budget_us, draw, events, stream=stream)
