"""What tokens cost. Pure.

Prices are the operator's: nothing here knows a provider's list, and a model without a price costs
an unknown amount, which is counted as such and never as nothing.
"""

from collections.abc import Mapping, Sequence

import msgspec

from steadyhand.records.annotation import LateUsage
from steadyhand.records.record import Attempt, Record

MILLION = 1_000_000


class Price(msgspec.Struct, frozen=True):
    """US dollars for a million tokens of one model.

    Attributes:
        input_usd_per_mtok: Of prompt tokens.
        output_usd_per_mtok: Of completion tokens, reasoning included.
        cached_input_usd_per_mtok: Of prompt tokens read from the provider's cache; ``None`` for as
            the rest.
    """

    input_usd_per_mtok: float
    output_usd_per_mtok: float
    cached_input_usd_per_mtok: float | None = None


class Spend(msgspec.Struct, frozen=True):
    """What one model was paid, US dollars."""

    provider: str
    model: str
    usd: float


Prices = Mapping[tuple[str, str], Price]
"""(provider, model) → price."""


def spent(record: Record, prices: Prices) -> Sequence[Spend]:
    """Return what a request cost by model: the answer's tokens, and those of other attempts.

    Models without a price are left out.
    """
    found = []
    price = prices.get((record.provider, record.model))
    if price is not None and record.rung == "live":
        cached = min(record.cached_tokens, record.input_tokens)
        usd = _usd(price, record.input_tokens, record.output_tokens, cached)
        found.append(Spend(record.provider, record.model, usd))
    for attempt in record.attempts:
        price = prices.get((attempt.provider, attempt.model))
        if price is not None and (attempt.input_tokens or attempt.output_tokens):
            usd = _usd(price, attempt.input_tokens, attempt.output_tokens)
            found.append(Spend(attempt.provider, attempt.model, usd))
    return found


def spent_on(attempt: Attempt, spoke: Record | None, prices: Prices) -> float | None:
    """Return what one attempt cost, US dollars; ``None`` if its model has no price.

    ``spoke`` is the record if the answer in it is this attempt's.
    """
    price = prices.get((attempt.provider, attempt.model))
    if price is None:
        return None
    usd = _usd(price, attempt.input_tokens, attempt.output_tokens)
    if spoke is not None:
        cached = min(spoke.cached_tokens, spoke.input_tokens)
        usd += _usd(price, spoke.input_tokens, spoke.output_tokens, cached)
    return usd


def spent_late(usage: LateUsage, prices: Prices) -> Spend | None:
    """Return what late tokens cost, or ``None`` if their model has no price."""
    price = prices.get((usage.provider, usage.model))
    if price is None:
        return None
    usd = _usd(price, usage.input_tokens, usage.output_tokens)
    return Spend(usage.provider, usage.model, usd)


def unpriced(record: Record, prices: Prices) -> bool:
    """Whether the request used tokens of a model whose price is not known."""
    asked = {(one.provider, one.model) for one in record.attempts if one.output_tokens}
    if record.rung == "live":
        asked.add((record.provider, record.model))
    return any(who not in prices for who in asked)


def _usd(price: Price, input_tokens: int, output_tokens: int, cached: int = 0) -> float:
    whole, of_cache = price.input_usd_per_mtok, price.cached_input_usd_per_mtok
    paid = (input_tokens - cached) * whole + cached * (whole if of_cache is None else of_cache)
    return (paid + output_tokens * price.output_usd_per_mtok) / MILLION
