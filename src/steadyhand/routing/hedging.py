"""May a second attempt start beside a silent one? Pure: values in, a named reason out.

A hedge buys the tail of the latency with a second call. Unbounded, it doubles the load of a
provider just when it has least to spare; so hedges are paid from a budget that first attempts fill:
each puts in a small part of a token, a hedge takes a whole one. Attempts at another deployment
after a failure are not refused, but they take tokens as well: while a provider fails, there are no
hedges.

The bucket is that of Finagle's ``RetryBudget`` (https://finagle.github.io/blog/2016/02/08/retry-budgets)
without its minimum rate, which would break the promise for whoever sends little. Waiting for a high
quantile before the second attempt: Dean, Barroso (2013), "The tail at scale", CACM 56(2).
"""

import msgspec

from steadyhand.routing.model import DeploymentId

HEDGE_PART = 0.05
"""Part of the first attempts that may be hedged."""

MAX_TOKENS = 10.0
"""Tokens that can be saved up: so many hedges can come at once after a quiet time."""

MAX_BUDGETS = 4096
"""Pairs of tenant and provider whose budgets are remembered; then all start again at nothing."""


class HedgeBudget:
    """Tokens of one tenant at one provider.

    Attributes:
        tokens: What is there; a hedge takes 1.
    """

    __slots__ = ("_part", "tokens")

    def __init__(self, part: float = HEDGE_PART) -> None:
        """Start with nothing; each first attempt puts in ``part`` of a token."""
        self.tokens = 0.0
        self._part = part

    def deposit(self) -> None:
        """Note a first attempt."""
        self.tokens = min(self.tokens + self._part, MAX_TOKENS)

    def withdraw(self) -> bool:
        """Take a token for a hedge; return whether there was one."""
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def spend(self) -> None:
        """Note an attempt that nobody may refuse: one that follows a failure."""
        self.tokens = max(self.tokens - 1, 0.0)


class HedgeBudgets:
    """The budget of each tenant at each provider, in one process."""

    def __init__(self, part: float = HEDGE_PART) -> None:
        """Know nobody; ``part`` of first attempts may be hedged."""
        self._part = part
        self._budgets: dict[tuple[str, str], HedgeBudget] = {}

    @property
    def tokens(self) -> float:
        """What all budgets hold together."""
        return sum(budget.tokens for budget in self._budgets.values())

    def __len__(self) -> int:
        """Return how many budgets there are."""
        return len(self._budgets)

    def of(self, tenant: str, provider: str) -> HedgeBudget:
        """Return the budget of ``tenant`` at ``provider``, the same object each time."""
        found = self._budgets.get((tenant, provider))
        if found is None:
            if len(self._budgets) >= MAX_BUDGETS:
                self._budgets.clear()
            found = self._budgets[tenant, provider] = HedgeBudget(self._part)
        return found


class HedgeCase(msgspec.Struct, frozen=True):
    """What the answer depends on, the budget left out.

    Attributes:
        first: Whom the silent attempt asks.
        second: Whom the hedge would ask.
        is_tool_call: Tools are offered or their results are in the messages: a call that is made
            twice may act twice.
        is_slow_everywhere: The provider is slow for all: more load makes it slower.
    """

    first: DeploymentId
    second: DeploymentId
    is_tool_call: bool
    is_slow_everywhere: bool


def refusal(case: HedgeCase) -> str:
    """Return why no hedge may start, or empty if the budget alone decides.

    Returns:
        ``tool_call``, ``residency``, ``slowdown`` or nothing.
    """
    if case.is_tool_call:
        return "tool_call"
    if case.first.region != case.second.region:
        return "residency"
    if case.is_slow_everywhere:
        return "slowdown"
    return ""
