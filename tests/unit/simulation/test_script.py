"""Scripts: chosen by name, the same under a seed, paced as the dials say."""

from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.simulation.behaviour import ANSWER, BEHAVIOURS, choose
from steadyhand.simulation.dials import BadDial, Dials, tuned
from steadyhand.simulation.draws import Draws
from steadyhand.simulation.request import Refusal
from steadyhand.simulation.simulator import Simulator
from steadyhand.simulation.steps import Bytes, CleanEnd, Head, Step, Wait
from tests.support.outcomes import judge_plain, judge_stream
from tests.support.simulators import chat_body

ENOUGH = 400


def simulator(seed: int = 0, dials: Dials | None = None, now_s: float = 1000.0) -> Simulator:
    return Simulator(seed, dials or Dials(), lambda: now_s)


def steps(made: Simulator, model: str, **fields: Any) -> list[Step]:
    return list(islice(made.play(chat_body(**fields), model=model).steps, ENOUGH))


def waits(found: list[Step]) -> list[float]:
    return [step.seconds for step in found if isinstance(step, Wait)]


def status(found: list[Step]) -> int:
    return next(step.status for step in found if isinstance(step, Head))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", [name for name in BEHAVIOURS if name != "oversized"])
def test_the_same_seed_and_calls_give_the_same_script(name: str, stream: bool) -> None:
    first, again, other = simulator(7), simulator(7), simulator(8)
    dials = f"{name}:p50_ms=100,p99_ms=900,gap_ms=3"
    for _ in range(3):
        assert steps(first, dials, stream=stream) == steps(again, dials, stream=stream)
    assert steps(simulator(7), dials, stream=stream) != steps(other, dials, stream=stream)


def test_each_call_has_chances_of_its_own() -> None:
    made = simulator()
    found = {steps(made, "steady")[1] for _ in range(5)}
    assert len(found) == 5, "ids must differ"


def test_a_name_that_is_no_behaviour_is_not_found() -> None:
    with pytest.raises(Refusal) as caught:
        choose("stedy", Dials())
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")
    assert "Did you mean 'steady'" in caught.value.message
    assert status(steps(simulator(), "gpt-4.1")) == 404


@pytest.mark.parametrize(
    "settings",
    ["ttft=5", "ttft_ms=soon", "ttft_ms=-1", "gap_ms=nan", "p=1.5", "period_s=0", "tokens=1e3",
     "mb=1e9", "ttft_ms", "=3"],
)  # fmt: skip
def test_a_dial_that_makes_no_sense_is_refused(settings: str) -> None:
    with pytest.raises(BadDial):
        tuned(Dials(), settings)
    assert status(steps(simulator(), f"steady:{settings}")) == 400


def test_dials_are_read_from_the_name_then_the_behaviour_then_the_settings() -> None:
    own = Dials(ttft_ms=5, gap_ms=7)
    assert choose("steady", own).dials == own
    assert choose("slow", own).dials.ttft_ms == 3000
    assert choose("slow:ttft_ms=9", own).dials == Dials(ttft_ms=9, gap_ms=7)
    assert choose("steady:answer=a%2C%20b", own).dials.answer == "a, b"


@given(st.integers(0, 500), st.integers(0, 50), st.integers(1, 30))
def test_a_stream_waits_before_it_begins_and_between_tokens(
    ttft_ms: int, gap_ms: int, tokens: int
) -> None:
    model = f"steady:ttft_ms={ttft_ms},gap_ms={gap_ms},tokens={tokens}"
    found = steps(simulator(), model, stream=True)
    expected = [ttft_ms / 1000] if ttft_ms else []
    expected += [gap_ms / 1000] * (tokens + 2) if gap_ms else []
    assert waits(found) == expected
    assert isinstance(found[-1], CleanEnd)


def test_a_plain_answer_waits_for_the_sum() -> None:
    found = steps(simulator(), "steady:ttft_ms=100,gap_ms=10,tokens=20")
    assert waits(found) == [pytest.approx(0.1 + 20 * 0.01)]


def test_a_lognormal_wait_has_the_quantiles_that_were_asked_for() -> None:
    dials = Dials(ttft_ms=50, p50_ms=200, p99_ms=2000)
    drawn = sorted(dials.first_wait_s(Draws(1, call, b"")) for call in range(4000))
    assert drawn[2000] == pytest.approx(0.25, rel=0.1)
    assert drawn[3960] == pytest.approx(2.05, rel=0.25)
    assert min(drawn) > 0.05


def test_flap_follows_the_clock() -> None:
    def at(now_s: float) -> int:
        return status(steps(simulator(now_s=now_s), "flap:period_s=10"))

    assert [at(now_s) for now_s in (0, 9.9, 10, 19.9, 20)] == [200, 200, 500, 500, 200]


@pytest.mark.parametrize(("share", "least", "most"), [(0, 0, 0), (0.3, 240, 360), (1, 1000, 1000)])
def test_random_fails_as_often_as_asked(share: float, least: int, most: int) -> None:
    made = simulator(seed=3)
    found = [steps(made, f"random:p={share}") for _ in range(1000)]
    assert least <= sum(not is_healthy(script) for script in found) <= most


def is_healthy(found: list[Step]) -> bool:
    body = b"".join(step.data for step in found if isinstance(step, Bytes))
    return isinstance(found[-1], CleanEnd) and judge_plain(body) == ANSWER


def test_an_override_replaces_every_model_or_one() -> None:
    made = simulator()
    made.override("error-500")
    made.override("drip", model="quote")
    assert made.overrides == {"*": "error-500", "quote": "drip"}
    assert status(steps(made, "steady")) == 500
    assert status(steps(made, "no such model")) == 500
    assert waits(steps(made, "quote", stream=True))[0] == 0.5
    made.override(None)
    made.override(None, model="quote")
    made.override(None, model="never set")
    assert made.overrides == {}
    assert status(steps(made, "steady")) == 200


def test_an_override_that_is_no_behaviour_changes_nothing() -> None:
    made = simulator()
    with pytest.raises(Refusal):
        made.override("eror-500")
    assert made.overrides == {}


def test_headers_of_a_rate_limit_say_how_long() -> None:
    found = steps(simulator(), "rate-limit:retry_after_s=1.5")
    headers = dict(found[0].headers) if isinstance(found[0], Head) else {}
    assert headers[b"retry-after"] == b"2"
    assert headers[b"retry-after-ms"] == b"1500"
    assert headers[b"x-ratelimit-remaining-requests"] == b"0"
    bare = steps(simulator(), "rate-limit-bare")[0]
    assert isinstance(bare, Head)
    assert not {b"retry-after", b"retry-after-ms"} & dict(bare.headers).keys()


@pytest.mark.parametrize("stream", [False, True])
def test_a_great_answer_is_as_long_as_it_declares(stream: bool) -> None:
    found = steps(simulator(), "oversized:mb=0.9", stream=stream, n=1 if stream else 3)
    body = b"".join(step.data for step in found if isinstance(step, Bytes))
    head = found[0]
    assert isinstance(head, Head)
    assert head.length == (None if stream else len(body))
    assert body.count(b"x" * 1000) == 900
    assert (judge_stream if stream else judge_plain)(body) == ANSWER


def test_a_word_is_cut_in_two() -> None:
    found = steps(simulator(), "cut-mid-word:answer=Steady%20hands%20answer,after=2", stream=True)
    sent = b"".join(step.data for step in found if isinstance(step, Bytes))
    assert b'"content":" ha"' in sent
    assert not sent.endswith(b"\n\n")
