"""Traces of a real installation reach a real collector, whatever is killed on the way."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1 import trace_pb2 as trace

from tests.support.chats import answer_body
from tests.support.installations import (
    Installation,
    Upstreams,
    route_text,
    serving,
    settings_text,
)
from tests.support.otlp import Collector, said, spans_in
from tests.support.programs import eventually
from tests.support.raw_client import Line
from tests.support.webhooks import Receiver, hang, receiving, status

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
THEIRS = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        made.answer = status(200)
        yield made


@pytest.fixture
def collector(tmp_path: Path, receiver: Receiver) -> Iterator[Collector]:
    made = Collector(tmp_path, receiver)
    made.start()
    yield made
    made.stop()


def settings(upstreams: Upstreams, url: str) -> dict[str, str]:
    traces = f'\n[traces]\nendpoint = "{url}"\ntimeout_s = 1\nservice_name = "house"\n'
    return {
        "steadyhand.toml": settings_text(upstreams) + traces,
        "routes/second.toml": route_text("dead/gone", "up/steady"),
        "routes/none.toml": route_text("dead/gone"),
    }


@pytest.fixture
def house(tmp_path: Path, upstreams: Upstreams, collector: Collector) -> Iterator[Installation]:
    with serving(tmp_path, upstreams, settings(upstreams, collector.url)) as made:
        yield made


def requests_in(receiver: Receiver) -> dict[str, list[trace.Span]]:
    """Return the spans that came, by request."""
    found: dict[str, list[trace.Span]] = {}
    whose: dict[bytes, str] = {}
    spans = spans_in(receiver.received)
    for span in spans:
        if "steadyhand.request.id" in said(span):
            whose[span.span_id] = str(said(span)["steadyhand.request.id"])
    for span in spans:
        request_id = whose.get(span.span_id) or whose.get(span.parent_span_id)
        if request_id is not None:
            found.setdefault(request_id, []).append(span)
    return found


def asked(house: Installation, model: str) -> str:
    answer = house.ask(model)
    assert answer.status == 200
    return answer.headers["x-steadyhand-request-id"]


def has(receiver: Receiver, wanted: set[str]) -> bool:
    return wanted <= requests_in(receiver).keys()


def test_a_collector_that_others_wrote_reads_every_span(
    house: Installation, receiver: Receiver
) -> None:
    first, second, floor = asked(house, "answers"), asked(house, "second"), asked(house, "none")
    eventually(lambda: has(receiver, {first, second, floor}), "the spans", within_s=60)
    found = requests_in(receiver)
    assert [span.name for span in found[first]] == ["chat answers", "chat steady"]
    assert [span.name for span in found[second]] == ["chat second", "chat gone", "chat steady"]
    assert [span.name for span in found[floor]] == ["chat none", "chat gone", "floor template"]
    root, gone, spoke = found[second]
    assert said(gone)["steadyhand.attempt.ended_because"] == "connect_failed"
    assert said(spoke)["steadyhand.attempt.began_because"] == "connect_failed"
    assert [event.name for event in root.events] == ["steadyhand.switched", "steadyhand.spoke"]
    assert root.start_time_unix_nano <= gone.start_time_unix_nano <= gone.end_time_unix_nano
    assert spoke.end_time_unix_nano <= root.end_time_unix_nano
    assert said(root)["steadyhand.tenant.id"] == "acme"
    assert "hello" not in str(receiver.received).lower(), "no word of anybody leaves"


def test_a_clients_trace_goes_through_to_the_provider(
    house: Installation, receiver: Receiver
) -> None:
    script = house.canned.answer(answer_body())
    answer = house.ask(f"canned/{script.model}", headers={"traceparent": THEIRS})
    told = answer.headers["traceparent"].split("-")
    request_id = answer.headers["x-steadyhand-request-id"]
    eventually(lambda: has(receiver, {request_id}), "the spans", within_s=60)
    root, attempt = requests_in(receiver)[request_id]
    assert (root.trace_id.hex(), root.parent_span_id.hex()) == (TRACE, SPAN)
    assert told == ["00", TRACE, root.span_id.hex(), "01"]
    heard = script.request.headers["traceparent"].split("-")
    assert heard == ["00", TRACE, attempt.span_id.hex(), "01"]


def test_everything_answered_arrives_though_the_collector_and_control_are_killed(
    house: Installation, receiver: Receiver, collector: Collector
) -> None:
    wanted = {asked(house, "answers") for _ in range(5)}
    eventually(lambda: has(receiver, wanted), "the first spans", within_s=60)
    collector.stop()
    wanted |= {asked(house, "answers") for _ in range(5)}
    eventually(lambda: len(house.records()) == 10, "the records to be stored", within_s=60)
    os.kill(house.control_pid(), signal.SIGKILL)
    wanted |= {asked(house, "second") for _ in range(5)}
    collector.start()
    eventually(lambda: has(receiver, wanted), "every span", within_s=90)
    for spans in requests_in(receiver).values():
        (trace_id,) = {span.trace_id for span in spans}
        assert trace_id


def test_a_collector_that_hangs_keeps_no_answer_waiting_and_loses_nothing(
    tmp_path: Path, upstreams: Upstreams, receiver: Receiver
) -> None:
    receiver.answer = hang
    url = f"http://127.0.0.1:{receiver.port}"
    with serving(tmp_path, upstreams, settings(upstreams, url)) as house:
        wanted = {asked(house, "answers") for _ in range(20)}
        eventually(lambda: receiver.received, "a first try", within_s=60)
        wanted |= {asked(house, "answers") for _ in range(20)}
        receiver.received.clear()
        receiver.answer = status(200)
        eventually(lambda: has(receiver, wanted), "every span", within_s=90)
        eventually(lambda: len(house.records()) == 40, "the records", within_s=60)
        assert all(each["in_time"] for each in house.records())


def test_metrics_show_a_receiver_that_refuses(
    tmp_path: Path, upstreams: Upstreams, receiver: Receiver
) -> None:
    receiver.answer = status(400)
    url = f"http://127.0.0.1:{receiver.port}"
    with serving(tmp_path, upstreams, settings(upstreams, url)) as house:
        asked(house, "answers")

        def refused() -> bool:
            with Line(house.control_port) as line:
                shown = line.ask("GET", "/metrics", {"Host": "localhost"}).body.decode()
            return 'steadyhand_trace_tries_total{result="refused"} 1.0' in shown

        eventually(refused, "the refusal to be counted", within_s=60)
