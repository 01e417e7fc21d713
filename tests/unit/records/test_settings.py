"""The ``[records]`` table and the log's own bounds say the same."""

import pytest
from pydantic import ValidationError

from steadyhand.records.log import LogSettings
from steadyhand.records.settings import Settings


def test_the_defaults_of_the_table_are_those_of_the_log() -> None:
    assert Settings().log_settings() == LogSettings()


def test_mebibytes_become_bytes() -> None:
    settings = Settings(segment_mib=2, max_mib=16, max_pending_mib=3, window_ms=50).log_settings()
    assert settings == LogSettings(
        window_ms=50, segment_bytes=2 << 20, max_bytes=16 << 20, max_pending_bytes=3 << 20
    )


def test_strict_makes_room_beforehand_and_closes_segments_less_often() -> None:
    settings = Settings(durability="strict", segment_age_s=0.5).log_settings()
    assert settings == LogSettings(reserve_bytes=2 << 20, segment_age_s=10)
    assert Settings(durability="strict", segment_age_s=60).log_settings().segment_age_s == 60


@pytest.mark.parametrize(
    "wrong",
    [
        {"window_ms": 0},
        {"max_mib": 0},
        {"segment_age_s": 0},
        {"windowms": 5},
        {"durability": "eager"},
    ],
)
def test_a_bound_out_of_range_or_unknown_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)
