"""Which requests become traces."""

import pytest

from steadyhand.records.record import DRILL
from steadyhand.telemetry.traces.sampling import Sampling
from tests.support.records import record

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"
NONE, ALL = Sampling(0, troubles=False, drills=False), Sampling(100, troubles=True, drills=False)
TROUBLES = Sampling(0, troubles=True, drills=False)


def test_as_many_as_are_wanted_are_drawn() -> None:
    made = [record(number) for number in range(2_000)]
    assert all(ALL.wants(each) for each in made)
    assert not any(NONE.wants(each) for each in made)
    some = Sampling(10, troubles=False, drills=False)
    assert 120 < sum(some.wants(each) for each in made) < 280
    assert [some.wants(each) for each in made] == [some.wants(each) for each in made]


@pytest.mark.parametrize("outcome", ["failed", "truncated", "interrupted"])
def test_failures_are_sent_whatever_was_drawn(outcome: str) -> None:
    assert TROUBLES.wants(record(1, outcome=outcome))
    assert not NONE.wants(record(1, outcome=outcome))


def test_late_answers_are_sent_whatever_was_drawn() -> None:
    assert TROUBLES.wants(record(1, in_time=False))
    assert not TROUBLES.wants(record(1))
    assert not NONE.wants(record(1, in_time=False))


def test_who_began_the_trace_decides() -> None:
    assert NONE.wants(record(1, traceparent=PARENT + "1"))
    assert not ALL.wants(record(1, traceparent=PARENT + "0"))
    assert not ALL.wants(record(1, traceparent=PARENT + "0", outcome="failed"))


def test_strangers_and_drills_are_not_sent() -> None:
    assert not ALL.wants(record(1, tenant="", outcome="rejected", traceparent=PARENT + "1"))
    drill = record(1, wire=DRILL, tenant="")
    assert not ALL.wants(drill)
    assert Sampling(100, troubles=False, drills=True).wants(drill)
