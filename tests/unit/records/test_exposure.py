"""What a rollout has to know of a request."""

import pytest

from steadyhand.records.exposures.model import (
    CANDIDATE,
    COMPARED,
    CONTROL,
    ERROR,
    FALLBACK,
    INVALID,
    LATE,
    STABLE,
    Exposure,
    exposure_of,
)
from steadyhand.records.record import DRILL, Attempt
from tests.support.made_records import NOON_US, SPOKE, made

DRAW: dict[str, object] = {
    "arm": "candidate",
    "rollout": "salt",
    "unit": 7,
    "candidate_bp": 500,
    "slice_bp": 500,
    "controls": 3,
    "part": 0,
    "reason": "first_choice",
    "attempts": (SPOKE,),
}
ASKED = Attempt("live", "openai", "gpt-fast", 0, 817_000, 0, "gave_up", role="first")


def exposure(**changes: object) -> Exposure:
    found = exposure_of(made(1, **(DRAW | changes)))
    assert found is not None
    return found


def test_a_good_answer_of_a_candidate() -> None:
    assert exposure() == Exposure(
        "salt", 7, COMPARED, 500, 3, NOON_US + 1_000_000, 1_241_000, 1_312, 0
    )
    assert exposure(stream=False).latency_us == 1_956_000
    assert exposure(first_content_us=0).latency_us == 1_956_000


@pytest.mark.parametrize(
    ("arm", "part", "slot"),
    [("candidate", -1, CANDIDATE), ("control", 2, CONTROL), ("stable", -1, STABLE)],
)
def test_the_slot_is_the_one_assigned(arm: str, part: int, slot: int) -> None:
    assert exposure(arm=arm, part=part).slot == slot


@pytest.mark.parametrize("changes", [{"rollout": ""}, {"wire": DRILL}, {"outcome": "rejected"}])
def test_what_says_nothing_of_a_release_is_left_out(changes: dict[str, object]) -> None:
    assert exposure_of(made(1, **(DRAW | changes))) is None


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({"reason": "hedge"}, 0),
        ({"reason": "gave_up"}, FALLBACK),
        ({"outcome": "floor", "rung": "template"}, FALLBACK),
        ({"outcome": "failed", "rung": "error"}, ERROR | FALLBACK),
        ({"outcome": "failed", "rung": "", "attempts": ()}, ERROR),
        ({"outcome": "truncated"}, ERROR),
        ({"outcome": "interrupted"}, ERROR),
        ({"outcome": "client_gone"}, 0),
        ({"in_time": False}, LATE),
        ({"finish_reason": "content_filter"}, INVALID),
        ({"finish_reason": "refusal"}, INVALID),
        ({"rung": "cache", "attempts": ()}, 0),
        ({"rung": "cache", "attempts": (ASKED,)}, FALLBACK),
    ],
)
def test_what_went_wrong(changes: dict[str, object], flags: int) -> None:
    assert exposure(**changes).flags == flags
