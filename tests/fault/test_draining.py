"""A stop has a bound, and what it cuts is told so."""

import signal
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from tests.support.installations import Installation, Upstreams, chat_request, marker, serving
from tests.support.programs import eventually
from tests.support.raw_client import Answer, Line


def test_what_outlasts_the_drain_time_is_ended_truthfully(own_house: Installation) -> None:
    """``drain_s`` is 2: the stream and the silent request would take a minute."""
    house, word = own_house, marker()
    with house.line() as streaming, house.line() as silent, ThreadPoolExecutor(2) as pool:
        streaming.send(chat_request("up/drip:gap_ms=500,tokens=120", stream=True))
        stream = streaming.head()
        streaming.piece(stream)
        silent.send(chat_request("up/slow:ttft_ms=15000", user=word))
        house.upstream(word)
        began_s = monotonic()
        house.serve.signal(signal.SIGTERM)
        rest = pool.submit(streaming.rest, stream)
        refused = pool.submit(silent.answer).result(30)
        rest.result(30)
    assert (stream.status, stream.is_whole) == (200, True)
    last = stream.chunks()[-1]["error"]
    assert last["code"] == "shutting_down"
    assert b"[DONE]" not in stream.body
    assert (refused.status, refused.error["code"]) == (503, "shutting_down")
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["connection"] == "close"
    assert house.serve.exit_code() == 0
    assert monotonic() - began_s < 30
    found = house.stored()
    assert found[stream.request_id] == found[refused.request_id] == 1


def test_idle_connections_are_closed_at_once(own_house: Installation) -> None:
    with own_house.line() as idle:
        idle.send(chat_request("up/steady"))
        assert idle.answer().status == 200
        own_house.serve.signal(signal.SIGTERM)
        assert idle.is_closed()
    assert own_house.serve.exit_code() == 0


def test_readiness_turns_before_accepting_ends(
    tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEADYHAND_SERVER__READINESS_LEAD_S", "4")

    def ready(house: Installation) -> Answer:
        with Line(house.port) as line:
            return line.ask("GET", "/readyz")

    with serving(tmp_path_factory.mktemp("lead"), upstreams) as house:
        assert ready(house).status == 200
        house.serve.signal(signal.SIGTERM)
        eventually(lambda: ready(house).status == 503, "readiness to turn")
        assert house.ask("up/steady").status == 200, "whoever comes is still answered"
        assert house.serve.exit_code() == 0
        with pytest.raises(ConnectionRefusedError):
            Line(house.port)
