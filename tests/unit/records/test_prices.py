"""What tokens cost."""

import msgspec
import pytest

from steadyhand.records.prices import Price, Spend, spent, spent_late, unpriced
from tests.support.records import ATTEMPT, USAGE, record

SMALL = Price(input_usd_per_mtok=2.0, output_usd_per_mtok=10.0, cached_input_usd_per_mtok=0.5)
LARGE = Price(input_usd_per_mtok=4.0, output_usd_per_mtok=8.0)
PRICES = {("acme", "acme-small"): SMALL, ("acme", "acme-large"): LARGE}


def usd(paid: list[Spend]) -> float:
    return sum(one.usd for one in paid)


def test_an_answer_costs_its_tokens_and_cached_ones_less() -> None:
    paid = spent(record(input_tokens=1_000, output_tokens=100, cached_tokens=400), PRICES)
    assert [(one.provider, one.model) for one in paid] == [("acme", "acme-small")]
    assert usd(list(paid)) == pytest.approx((600 * 2 + 400 * 0.5 + 100 * 10) / 1e6)


def test_more_cached_tokens_than_there_were_are_not_paid_back() -> None:
    paid = spent(record(input_tokens=100, output_tokens=0, cached_tokens=900), PRICES)
    assert usd(list(paid)) == pytest.approx(100 * 0.5 / 1e6)


def test_cached_tokens_without_a_price_of_their_own_cost_as_the_others() -> None:
    large = record(model="acme-large", input_tokens=1_000, output_tokens=0, cached_tokens=900)
    assert usd(list(spent(large, PRICES))) == pytest.approx(0.004)


def test_other_attempts_are_paid_as_well() -> None:
    hedge = msgspec.structs.replace(
        ATTEMPT, model="acme-large", role="hedge", input_tokens=100, output_tokens=50
    )
    paid = spent(record(attempts=(ATTEMPT, hedge), input_tokens=0, output_tokens=0), PRICES)
    assert usd(list(paid)) == pytest.approx((100 * 4 + 50 * 8) / 1e6)


def test_an_answer_of_before_costs_nothing() -> None:
    assert not spent(record(rung="cache", attempts=()), PRICES)


def test_a_model_without_a_price_is_unknown_and_not_free() -> None:
    assert not spent(record(model="other"), PRICES)
    assert unpriced(record(model="other"), PRICES)
    assert not unpriced(record(), PRICES)
    hedge = msgspec.structs.replace(ATTEMPT, model="other", output_tokens=5)
    assert unpriced(record(attempts=(hedge,)), PRICES)
    assert not unpriced(record(rung="template", provider="", model="", attempts=()), PRICES)


def test_late_tokens_are_paid() -> None:
    paid = spent_late(USAGE, PRICES)
    assert paid is not None
    assert paid.usd == pytest.approx((100 * 4 + 20 * 8) / 1e6)
    assert spent_late(USAGE, {}) is None
