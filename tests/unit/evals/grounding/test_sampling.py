"""Samples: the draw, what is labelled context, what is found, and the rate with its interval."""

import json
from math import sqrt
from random import Random

import msgspec
import pytest

from steadyhand.evals.grounding import rate as rates
from steadyhand.evals.grounding.context import MOST_SEGMENTS, blocks, segments
from steadyhand.evals.grounding.finding import annotated, asks_judge, checked, judged
from steadyhand.evals.grounding.rate import Tally, rate, wilson
from steadyhand.evals.grounding.sample import (
    Arm,
    Sample,
    decoded,
    draw_key,
    encoded,
    is_drawn,
)
from steadyhand.records.annotation import GROUNDING, annotation, body_of
from steadyhand.routing.exposure import assigned, slices

KEY = draw_key(b"a secret of the installation")
CONTEXT = "Refunds are possible within 30 days of purchase."


def asked(*messages: object) -> bytes:
    return json.dumps({"model": "m", "messages": messages}).encode()


def sample(answer: str, problem: str = "", arm: Arm = Arm()) -> Sample:  # noqa: B008 - frozen
    body = asked({"role": "tool", "content": CONTEXT}, {"role": "user", "content": "Terms?"})
    return msgspec.structs.replace(
        Sample("acme", "support", "", 0.5, 60, body, answer, arm=arm), problem=problem
    )


def test_the_draw_keeps_to_its_probability_and_its_key() -> None:
    ids = [f"req_{number:010d}" for number in range(20_000)]
    drawn = {id_ for id_ in ids if is_drawn(KEY, id_, 0.1)}
    assert abs(len(drawn) / len(ids) - 0.1) < 4 * sqrt(0.09 / len(ids))
    assert drawn == {id_ for id_ in ids if is_drawn(KEY, id_, 0.1)}
    assert drawn < {id_ for id_ in ids if is_drawn(KEY, id_, 0.2)}
    other = {id_ for id_ in ids if is_drawn(draw_key(b"another"), id_, 0.1)}
    assert len(drawn & other) < 0.2 * len(drawn)
    assert all(is_drawn(KEY, id_, 1.0) for id_ in ids)


def test_the_draw_knows_nothing_of_the_arm() -> None:
    cut, chance = slices(2_500), Random(5)
    counts = {True: [0, 0], False: [0, 0]}
    for number in range(20_000):
        arm = assigned("salt", cut, f"conversation {number}").arm
        drawn = is_drawn(KEY, f"req_{chance.getrandbits(60):015d}", 0.2)
        counts[arm == "candidate"][drawn] += 1
    mine, theirs = (counts[arm][True] / sum(counts[arm]) for arm in (True, False))
    assert abs(mine - theirs) < 0.03


def test_a_sample_is_what_was_kept() -> None:
    made = sample("x", arm=Arm("salt", 7, 1, 500, 3))
    assert decoded(encoded(made)) == made
    with pytest.raises(msgspec.DecodeError):
        decoded(b"\x93")


def test_results_of_tools_and_labelled_blocks_are_context() -> None:
    found = segments(
        asked(
            {"role": "system", "content": "Be kind. <context source='a'>One.</context> <b>No</b>"},
            {"role": "user", "content": [{"type": "text", "text": "<document>Two.</document>"}, 7]},
            {"role": "user", "content": [{"type": "image_url", "image_url": {}}]},
            {"role": "assistant", "content": "<document>I said so.</document>"},
            {"role": "tool", "content": "Three."},
            {"role": "function", "content": [{"text": "Four."}]},
            {"role": "user", "content": None},
            {"role": ["odd"], "content": "<passage>Five"},
        )
    )
    assert found == ["One.", "Two.", "Three.", "Four.", "Five"]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"messages": 7}', b"[" * 5_000, b'{"messages":["x"]}']
)
def test_what_is_no_request_has_no_context(body: bytes) -> None:
    assert segments(body) == []


def test_blocks_are_taken_once_and_to_a_bound() -> None:
    assert blocks("<source>a <passage>b</passage></source> <source></source>") == [
        "a <passage>b</passage>"
    ]
    assert blocks("<documents>x</documents> <document" + " " * 600 + ">y") == []
    assert len(segments(asked({"role": "user", "content": "<source>a</source>" * 500}))) == (
        MOST_SEGMENTS
    )


def test_what_is_found_is_said_without_content() -> None:
    found = checked("req_1", 5, sample("We were founded in 1987 by Anna Miller."))
    said = annotated(found, sample("x", arm=Arm("salt", 7, 1, 500, 3)))
    assert (said.verdict, said.reason, said.by) == ("ungrounded", "", "overlap-1")
    assert (said.rollout, said.unit, said.slot, said.weight) == ("salt", 7, 1, 500)
    note = annotation("req_1", 9, said)
    assert note.kind == GROUNDING
    assert b"Anna" not in note.body
    assert body_of(note) == said


@pytest.mark.parametrize("problem", ["not_plain", "too_long"])
def test_what_was_not_kept_is_not_measured(problem: str) -> None:
    found = checked("req_1", 5, sample("", problem))
    assert (found.verdict, found.reason) == ("not_measured", problem)
    assert annotated(found, sample("", problem)).score == -1
    assert not asks_judge(found, "all")


def test_only_a_clear_word_of_the_judge_counts() -> None:
    unsure = checked("req_1", 5, sample("Customers like buying and refunds."))
    assert (unsure.verdict, unsure.reason) == ("not_measured", "unsure")
    assert asks_judge(unsure, "unsure")
    sure = checked("req_1", 5, sample(CONTEXT))
    assert sure.verdict == "grounded"
    assert not asks_judge(sure, "unsure")
    assert asks_judge(sure, "all")
    assert judged(sure, "ungrounded", "judge@m", "says so").verdict == "ungrounded"
    told = judged(unsure, "grounded", "judge@m")
    assert (told.verdict, told.reason, told.by) == ("grounded", "", "judge:judge@m")
    for outcome in ("failed", "late", "malformed", "not_told", "over_budget", "resting"):
        left = judged(unsure, outcome, "judge@m")
        assert (left.verdict, left.reason, left.by) == ("not_measured", "unsure", "overlap-1")


def test_a_rate_tells_what_is_not_known() -> None:
    found = rate(Tally(2, 2, 2), Tally(6, 6, 6), Tally(2, 2, 2))
    assert found.share == 0.25
    assert found.low < 0.25 < found.high
    assert (found.least, found.most) == (0.2, 0.4)
    assert rate(Tally(), Tally(), Tally()) == rates.Rate(0, 0, 0, None, 0, 1, 0, 1)
    assert rate(Tally(), Tally(), Tally(3, 3, 3)) == rates.Rate(0, 0, 3, None, 0, 1, 0, 1)


def test_samples_weigh_by_their_probability() -> None:
    found = rate(Tally(10, 10, 10), Tally(10, 100, 1_000), Tally())
    assert found.share == pytest.approx(10 / 110)
    even = rate(Tally(10, 10, 10), Tally(100, 100, 100), Tally())
    assert found.high - found.low > even.high - even.low


def test_the_interval_holds_at_low_counts() -> None:
    chance = Random(11)
    for true, size in ((0.02, 40), (0.1, 20), (0.5, 10)):
        held = 0
        for _ in range(2_000):
            seen = sum(chance.random() < true for _ in range(size)) / size
            low, high = wilson(seen, size)
            held += low <= true <= high
        assert held / 2_000 > 0.92
