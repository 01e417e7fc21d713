"""May this request be hedged, and what do its attempts do to the budget of hedges?"""

from time import monotonic

from steadyhand.gateway.climb.lineup import LiveSlot
from steadyhand.gateway.climb.question import is_tool_call
from steadyhand.gateway.exchange import Exchange
from steadyhand.routing.hedging import HedgeCase, refusal
from steadyhand.routing.model import DeploymentId


def count(exchange: Exchange, slot: LiveSlot, role: str) -> None:
    """Note an attempt of a rung that hedges in the budget of the tenant at its provider."""
    budget = exchange.gear.hedges.of(exchange.key.tenant, slot.deployment.id.provider)
    if role == "first":
        budget.deposit()
    elif role == "fallback":
        budget.spend()


def refused(exchange: Exchange, asked: DeploymentId, slot: LiveSlot) -> str:
    """Return why no hedge at ``slot`` may start beside ``asked``; if it may, it is paid for."""
    gear = exchange.gear
    case = HedgeCase(
        asked,
        slot.deployment.id,
        is_tool_call(exchange),
        gear.health.arm(exchange.answering_ladder().health).is_provider_slow(
            asked.provider, monotonic()
        ),
    )
    budget = gear.hedges.of(exchange.key.tenant, asked.provider)
    reason = refusal(case) or ("" if budget.withdraw() else "budget")
    if reason:
        gear.hedge_counts.refused[reason] += 1
    return reason
