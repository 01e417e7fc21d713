from datetime import UTC, datetime, timedelta, timezone

import pytest

from steadyhand.cli.errors import Usage
from steadyhand.cli.moments import clock_time, moment

NOW = datetime(2030, 1, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0s", "2030-01-31T12:00:00Z"),
        ("90s", "2030-01-31T11:58:30Z"),
        ("15m", "2030-01-31T11:45:00Z"),
        ("2h", "2030-01-31T10:00:00Z"),
        ("7d", "2030-01-24T12:00:00Z"),
        ("1w", "2030-01-24T12:00:00Z"),
        ("2030-01-30T12:00Z", "2030-01-30T12:00:00Z"),
        ("2030-01-30T12:00+02:00", "2030-01-30T10:00:00Z"),
    ],
)
def test_a_moment_is_an_age_or_iso(text: str, expected: str) -> None:
    assert moment(text, NOW, "--since") == expected


def test_a_moment_without_a_zone_is_local() -> None:
    local = datetime(2030, 1, 30, 12, 0).astimezone(UTC)
    assert moment("2030-01-30T12:00", NOW, "--since") == f"{local:%Y-%m-%dT%H:%M:%S}Z"


@pytest.mark.parametrize("text", ["", "soon", "15", "m", "-5m", "999999999w", "2030-13-01"])
def test_anything_else_is_a_usage_error(text: str) -> None:
    with pytest.raises(Usage, match="--until"):
        moment(text, NOW, "--until")


def test_the_date_is_shown_unless_it_is_today() -> None:
    here = NOW.astimezone(timezone(timedelta(hours=2)))
    noon_us = round(NOW.timestamp() * 1e6)
    assert clock_time(noon_us, here) == "14:00:00"
    assert clock_time(noon_us - 86_400_000_000, here) == "2030-01-30 14:00:00"
