"""Input guardrails on labelled segments. None exist yet; their place in the order does."""

from steadyhand.gateway.exchange import Exchange


async def screen(exchange: Exchange) -> Exchange:
    """Let everything pass."""
    return exchange
