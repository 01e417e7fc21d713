from datetime import date

import pytest

from steadyhand.knowledge.model import NEVER
from steadyhand.knowledge.visibility import (
    US_A_DAY,
    date_of,
    day_number,
    day_of,
    is_expired,
    speaks,
)

DAY = day_number(date(2026, 11, 26))


@pytest.mark.parametrize(
    ("locale", "asked", "may"),
    [
        ("", "", True),
        ("de", "", True),
        ("", "de", True),
        ("de", "de", True),
        ("de", "DE-at", True),
        ("de-AT", "de", False),
        ("de", "den", False),
        ("de", "en", False),
    ],
)
def test_an_entry_speaks_its_language_and_those_within(locale: str, asked: str, may: bool) -> None:
    assert speaks(locale, asked) is may


def test_the_last_day_counts_whole() -> None:
    assert not is_expired(DAY, DAY)
    assert is_expired(DAY, DAY + 1)
    assert not is_expired(NEVER, 10**6)


def test_a_clock_that_went_back_revives_nothing() -> None:
    compiled_us = DAY * US_A_DAY + 5
    assert day_of(0, compiled_us) == DAY
    assert day_of(compiled_us + US_A_DAY, compiled_us) == DAY + 1


def test_days_are_dates() -> None:
    assert date_of(DAY) == "2026-11-26"
    assert date_of(NEVER) == ""
    assert day_number(date(1969, 1, 1)) == 1
