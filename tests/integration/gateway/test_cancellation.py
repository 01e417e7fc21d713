"""A client that leaves: its upstream request is closed within seconds, and the record says so."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

import pytest

from tests.support.canned_upstream import Gate
from tests.support.chats import DONE, chunk, event, says, stops
from tests.support.installations import Installation, chat_request, marker
from tests.support.programs import eventually

WITHIN_S = 3.0
"""What is promised. A stalled machine is given more by ``left``, and then fails here, not there."""


def gone(house: Installation, **wanted: Any) -> dict[str, Any]:
    """Return the record of the request that the client with this id has left."""

    def look() -> dict[str, Any] | None:
        found = house.records(outcome="client_gone")
        return next((r for r in found if wanted.items() <= r.items()), None)

    return eventually(look, f"the record of {wanted}")


@pytest.mark.parametrize(
    ("model", "stream"),
    [
        ("slow:ttft_ms=60000", False),
        ("silent-before-headers", False),
        ("silent-mid-body", False),
        ("silent-before-headers", True),
        ("silent-after-headers", True),
    ],
)
def test_leaving_before_an_answer_closes_the_upstream_request(
    house: Installation, model: str, stream: bool
) -> None:
    word = marker()
    with house.line() as line:
        line.send(
            chat_request(f"up/{model}", stream=stream, user=word, headers={"X-Request-Id": word})
        )
        house.upstream(word)
        left_s = monotonic()
    house.left(word)
    assert monotonic() - left_s < WITHIN_S
    record = gone(house, client_request_id=word)
    assert (record["status"], record["reason"]) == (499, "client_gone")


@pytest.mark.parametrize("model", ["drip:gap_ms=200,tokens=300", "silent-mid-body", "endless"])
def test_leaving_a_stream_closes_the_upstream_request(house: Installation, model: str) -> None:
    word = marker()
    sent = {"stream": True, "user": word, "headers": {"X-Request-Id": word}}
    with house.begin(f"up/{model}", **sent) as (line, answer):
        line.piece(answer)
        left_s = monotonic()
    house.left(word)
    assert monotonic() - left_s < WITHIN_S
    record = gone(house, client_request_id=word)
    assert (record["status"], record["rung"]) == (200, "live")
    assert record["first_content_us"] > 0


def test_leaving_while_the_second_rung_is_asked_closes_that_one(house: Installation) -> None:
    word = marker()
    with house.line() as line:
        line.send(chat_request("then-silence", user=word))
        eventually(
            lambda: (found := house.simulated.seen(word)) and found["behaviour"] == "slow",
            "the second rung to be asked",
        )
        left_s = monotonic()
    house.left(word)
    assert monotonic() - left_s < WITHIN_S


def test_other_streams_go_on_when_one_client_leaves(house: Installation) -> None:
    gate = Gate()
    first = event(chunk(says("one")))
    script = house.canned.stream(first, gate, event(chunk(says(" two"))))
    with house.begin(f"canned/{script.model}", stream=True) as (staying, answer):
        staying.piece(answer)
        with house.begin(f"canned/{script.model}", stream=True) as (leaving, other):
            leaving.piece(other)
        gate.open()
        staying.rest(answer)
    assert b" two" in answer.body


def test_a_client_that_sends_half_a_request_and_leaves_reaches_nobody(
    house: Installation,
) -> None:
    word = marker()
    whole = chat_request("up/steady", user=word)
    with house.line() as line:
        line.send(whole[:-10])
    assert house.ask("up/steady").status == 200
    assert house.simulated.seen(word) is None


def test_a_client_that_stops_reading_holds_back_its_upstream_and_nobody_else(
    house: Installation,
) -> None:
    """What is not read is not fetched: 64 MB must not end up in the gateway's memory."""
    events = [event(chunk(says("x" * 1_000_000)))] * 64
    script = house.canned.stream(*events, event(chunk(stops())) + DONE)
    with house.begin(f"canned/{script.model}", stream=True) as (line, answer):
        held = still(lambda: script.played)
        assert held < 40
        assert house.ask("up/steady").status == 200
        assert script.played == held
        line.rest(answer)
    assert len(answer.text()) == 64_000_000
    assert answer.body.endswith(DONE)


def still(look: Callable[[], int]) -> int:
    """Return the value once it has not changed for half a second."""
    before = -1
    for _ in range(120):
        now = look()
        if now == before:
            return now
        before = now
        sleep(0.5)
    raise AssertionError("it never stands still")
