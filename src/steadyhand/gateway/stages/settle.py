"""Reservations become real costs at stream end. None are reserved yet; their place exists."""

from steadyhand.gateway.exchange import Exchange


async def settle(exchange: Exchange) -> Exchange:
    """Settle nothing."""
    return exchange
