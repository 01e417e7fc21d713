"""Hedges are at most a twentieth of first attempts, and never where a second call could do harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from steadyhand.routing import hedging
from steadyhand.routing.hedging import HedgeBudget, HedgeBudgets, HedgeCase, refusal
from steadyhand.routing.model import DeploymentId

HERE = DeploymentId("acme", "m", "eu")
OTHER = DeploymentId("other", "m", "eu")
FINE = HedgeCase(HERE, OTHER, is_tool_call=False, is_slow_everywhere=False)


@given(st.lists(st.sampled_from(["first", "hedge", "retry"]), max_size=400))
def test_never_more_than_a_twentieth_is_hedged(calls: list[str]) -> None:
    budget, firsts, hedges = HedgeBudget(), 0, 0
    for call in calls:
        if call == "first":
            budget.deposit()
            firsts += 1
        elif call == "retry":
            budget.spend()
        else:
            hedges += budget.withdraw()
        assert hedges <= firsts * hedging.HEDGE_PART + 1e-9
        assert 0 <= budget.tokens <= hedging.MAX_TOKENS


def test_twenty_first_attempts_buy_a_hedge() -> None:
    budget = HedgeBudget(0.0625)  # a power of two: the sum is exact
    for _ in range(15):
        budget.deposit()
    assert not budget.withdraw()
    budget.deposit()
    assert [budget.withdraw(), budget.withdraw()] == [True, False]


def test_a_quiet_time_saves_up_a_few_hedges_and_no_more() -> None:
    budget = HedgeBudget()
    for _ in range(100_000):
        budget.deposit()
    assert sum(budget.withdraw() for _ in range(100)) == hedging.MAX_TOKENS


def test_while_a_provider_fails_nothing_is_hedged() -> None:
    budget = HedgeBudget()
    for _ in range(1_000):
        budget.deposit()
        budget.spend()
    assert not budget.withdraw()


def test_each_tenant_has_a_budget_at_each_provider() -> None:
    budgets = HedgeBudgets()
    assert budgets.of("acme", "a") is budgets.of("acme", "a")
    assert budgets.of("acme", "a") is not budgets.of("acme", "b")
    assert budgets.of("acme", "a") is not budgets.of("globex", "a")


def test_all_budgets_together_are_told() -> None:
    budgets = HedgeBudgets(0.5)
    for tenant in ("acme", "globex"):
        budgets.of(tenant, "p").deposit()
    assert (len(budgets), budgets.tokens) == (2, 1.0)


def test_budgets_do_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hedging, "MAX_BUDGETS", 2)
    budgets = HedgeBudgets()
    first = budgets.of("a", "p")
    budgets.of("b", "p")
    budgets.of("c", "p")
    assert budgets.of("a", "p") is not first


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (FINE, ""),
        (replace(FINE, is_tool_call=True), "tool_call"),
        (replace(FINE, second=OTHER._replace(region="us")), "residency"),
        (replace(FINE, second=OTHER._replace(region="")), "residency"),
        (replace(FINE, is_slow_everywhere=True), "slowdown"),
    ],
)
def test_a_hedge_that_could_do_harm_is_refused_by_name(case: HedgeCase, reason: str) -> None:
    assert refusal(case) == reason
