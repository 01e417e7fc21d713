"""Who may wait for a model, and who is told at once that it is in vain."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.inference.admission import Bench, Costs, Seen, Verdict, decide, wait_s

seconds = st.floats(0, 1e4, allow_nan=False)
LEARNED = Costs(slot_s=4.0, first_content_s=1.0, whole_s=4.0)


def bench(*ages_s: float, slots: int = 2, waiting: int = 0, max_queue: int = 8) -> Bench:
    return Bench(slots, ages_s, waiting, max_queue)


@pytest.mark.parametrize(
    ("remaining_s", "found", "is_stream", "expected"),
    [
        (0.1, bench(1.0), True, Verdict(None, 0.0)),  # a free slot refuses nobody
        (5.0, bench(3.0, 1.0), True, Verdict(None, 1.0)),  # the older one is soon done
        (1.9, bench(3.0, 1.0), True, Verdict("model_busy", 1.0)),  # 1 s of wait and 1 s to begin
        (4.9, bench(3.0, 1.0), False, Verdict("model_busy", 1.0)),  # a whole answer takes 4 s
        (5.0, bench(3.0, 1.0), False, Verdict(None, 1.0)),
        (inf, bench(0.0, 0.0, waiting=8), True, Verdict("model_queue_full", 20.0)),
        (9.0, bench(9.0, 9.0, waiting=2), True, Verdict(None, 4.0)),  # two turns from now
        (1.0, bench(9.0, 9.0), True, Verdict(None, 0.0)),  # overdue: any moment
    ],
)
def test_a_verdict(remaining_s: float, found: Bench, is_stream: bool, expected: Verdict) -> None:
    assert decide(remaining_s, found, LEARNED, is_stream=is_stream) == expected


def test_what_is_not_known_yet_refuses_nobody() -> None:
    assert decide(0.001, bench(0.0, 0.0), Costs(), is_stream=False).refusal is None


def test_a_request_does_not_overtake_those_who_wait() -> None:
    free_but_wanted = bench(0.0, waiting=2)
    assert decide(1.0, free_but_wanted, LEARNED, is_stream=True).refusal == "model_busy"


@given(st.lists(seconds, min_size=1, max_size=8), st.integers(0, 30), st.floats(0, 1e3), seconds)
def test_a_longer_queue_never_makes_the_wait_shorter(
    ages_s: list[float], waiting: int, slot_s: float, remaining_s: float
) -> None:
    costs = Costs(slot_s, 0.1, slot_s)
    waits = [
        wait_s(Bench(len(ages_s), ages_s, count, 99), costs) for count in (waiting, waiting + 1)
    ]
    assert 0 <= waits[0] <= waits[1]
    verdicts = [
        decide(left_s, Bench(len(ages_s), ages_s, waiting, 99), costs, is_stream=True)
        for left_s in (remaining_s, remaining_s + 1)
    ]
    assert not (verdicts[0].refusal is None and verdicts[1].refusal), "more time never hurts"


def test_costs_follow_what_is_seen() -> None:
    costs = Costs().after(Seen(True, 3.0, 1.0, True))
    assert costs == Costs(3.0, 1.0, None)
    costs = costs.after(Seen(False, 8.0, 6.0, True))
    assert costs.slot_s == pytest.approx(4.0)
    assert costs.first_content_s == pytest.approx(2.0)
    assert (costs.need_s(is_stream=True), costs.need_s(is_stream=False)) == (
        costs.first_content_s,
        8.0,
    )


def test_one_that_was_given_up_says_only_that_it_takes_longer() -> None:
    known = Costs(2.0, 1.0, 2.0)
    quick = known.after(Seen(True, 0.1, None, False))
    assert quick.first_content_s == 1.0
    slow = known.after(Seen(True, 6.0, None, False))
    assert slow.first_content_s == pytest.approx(2.0)
    assert known.after(Seen(False, 0.5, 0.4, False)).whole_s == 2.0
    assert Costs().after(Seen(False, 0.5, None, False)).whole_s == 0.5
