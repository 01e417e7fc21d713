"""What happened on a recorded climb, with names."""

from steadyhand.routing.planning.decision import encode_decision, encode_lineup
from steadyhand.routing.planning.situation import FLOOR, Candidate, Event, Lineup, Policy
from steadyhand.routing.planning.timeline import Step, timeline


def test_events_have_the_names_of_who_they_happened_to() -> None:
    candidates = (Candidate(0, "live", "acme", "small"), Candidate(1, "cache"))
    lineup = encode_lineup(Lineup(Policy(), candidates))
    events = (
        Event(0, 1, "empty"),
        Event(10, 0, "started", "first_choice"),
        Event(900, 0, "failed", "timeout"),
        Event(910, FLOOR, "spoke", "last"),
    )
    made = encode_decision(lineup, 1_000_000, 0.5, events, stream=False)
    assert timeline(made) == (
        Step(0, "empty", "", "cache", "", "", 1),
        Step(10, "started", "first_choice", "live", "acme", "small", 0),
        Step(900, "failed", "timeout", "live", "acme", "small", 0),
        Step(910, "spoke", "last", "", "", "", FLOOR),
    )


def test_what_cannot_be_read_tells_nothing() -> None:
    assert timeline(b"") == ()
    assert timeline(b"\xc1") == ()
