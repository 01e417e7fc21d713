"""What a recorded climb planned around: its turn came, it was not asked, and there is a reason."""

import pytest

from steadyhand.routing.planning.decision import encode_decision, encode_lineup
from steadyhand.routing.planning.passed_over import PassedOver, passed_over
from steadyhand.routing.planning.situation import FLOOR, Candidate, Event, Lineup, Policy
from tests.unit.routing.planning.made import live, stored

SPOKE_LAST = Event(9_000, 2, "spoke")


def climb(candidates: tuple[Candidate, ...], *events: Event) -> bytes:
    lineup = encode_lineup(Lineup(Policy(), candidates))
    return encode_decision(lineup, 1_000_000, 0.5, events, stream=True)


def test_a_rung_whose_breaker_is_open_is_told_with_its_reason() -> None:
    ladder = (live(0, health="open"), live(1, barred="tools"), live(2))
    done = climb(ladder, Event(0, 2, "started"), Event(9_000, 2, "content"), SPOKE_LAST)
    assert passed_over(done) == (
        PassedOver("live", "provider-0", "model", "open"),
        PassedOver("live", "provider-1", "model", "tools"),
    )


def test_what_was_asked_or_came_after_the_speaker_is_not() -> None:
    ladder = (live(0), live(1), live(2, health="open"))
    done = climb(
        ladder,
        Event(0, 0, "started"),
        Event(5, 0, "failed", "server_error"),
        Event(6, 1, "started"),
        Event(7, 1, "content"),
        Event(8, 1, "spoke"),
    )
    assert passed_over(done) == ()


def test_before_the_floor_every_rung_had_its_turn() -> None:
    ladder = (live(0, is_proven=False, health="open"), stored(1), live(2, is_spare=True))
    done = climb(
        ladder, Event(0, 1, "started"), Event(5, 1, "empty"), Event(6, FLOOR, "spoke", "nothing")
    )
    assert passed_over(done) == (PassedOver("live", "provider-0", "model", "open"),)


@pytest.mark.parametrize("events", [(), (Event(0, 0, "started"), Event(5, FLOOR, "client_gone"))])
def test_a_climb_in_which_nothing_spoke_tells_nothing(events: tuple[Event, ...]) -> None:
    assert passed_over(climb((live(0, health="open"), live(1)), *events)) == ()


@pytest.mark.parametrize("damaged", [b"", b"\xc1", b"\x90", climb((live(0),))[:-3]])
def test_what_cannot_be_read_tells_nothing(damaged: bytes) -> None:
    assert passed_over(damaged) == ()
