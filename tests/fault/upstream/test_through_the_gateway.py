"""A whole gateway over a hostile upstream: what the client gets, and what ``/metrics`` counts."""

import gzip
import re
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import trustme

from tests.fault.conftest import QUICK
from tests.support.chats import DONE, answer_body, begins, chunk, event, says, stops
from tests.support.hostile_upstream import Play, Visit, hostile
from tests.support.installations import (
    FLOOR_TEXT,
    Installation,
    Upstreams,
    route_text,
    serving,
    settings_text,
)
from tests.support.programs import eventually
from tests.support.raw_client import Line

BODY = answer_body("Hello")
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
STREAM = [event(chunk(begins())), event(chunk(says("Hel"))), event(chunk(stops())), DONE]
ZIPPED = gzip.compress(BODY)


def head(status: bytes = b"200 OK", *fields: bytes, length: int = len(BODY)) -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Type: application/json", *fields]
    return b"\r\n".join([*lines, b"Content-Length: %d" % length, b"", b""])


def framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def says_whole(*parts: bytes, every_s: float = 0.0) -> Play:
    def play(visit: Visit) -> None:
        visit.say(*parts, every_s=every_s)

    return play


def drips(raw: bytes) -> Play:
    return says_whole(*(raw[at : at + 1] for at in range(len(raw))), every_s=0.1)


def speaks_plainly(visit: Visit) -> None:
    """Answer whatever comes, as a port without TLS does."""
    visit.hello()
    visit.say(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def dies_when_asked_again(visit: Visit) -> None:
    """Answer the first request of a connection; die of the second, without a word."""
    if len(visit.requests) == 1:
        visit.say(head() + BODY)
    else:
        visit.close()


def endless_headers(visit: Visit) -> None:
    visit.say(b"HTTP/1.1 200 OK\r\nX: ")
    visit.endlessly(bytes([97]) * 16384)


def falls_silent(visit: Visit) -> None:
    visit.say(EVENTS, framed(STREAM[0]))
    visit.until_gone()


def slowly(visit: Visit) -> None:
    time.sleep(0.3)
    visit.say(head() + BODY)


PLAYS: dict[str, Play] = {
    "good": says_whole(head() + BODY),
    "stale": dies_when_asked_again,
    "slow": slowly,
    "to-the-end": says_whole(b"HTTP/1.0 200 OK\r\n\r\n" + BODY),
    "cut-before-the-end": says_whole(b"HTTP/1.0 200 OK\r\n\r\n" + BODY[:-9]),
    "hints": says_whole(b"HTTP/1.1 103 E\r\n\r\n" * 3, head() + BODY),
    "too-long": says_whole(head() + BODY + b"and more"),
    "zipped": says_whole(head(b"200 OK", b"Content-Encoding: gzip", length=len(ZIPPED)) + ZIPPED),
    "zipped-refusal": says_whole(
        head(b"429 Slow", b"Content-Encoding: gzip", length=len(ZIPPED)) + ZIPPED
    ),
    "no-content": says_whole(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "not-modified": says_whole(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
    "switch": says_whole(b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    "two-lengths": says_whole(head(b"200 OK", b"Content-Length: 3") + BODY),
    "drips-status": drips(b"HTTP/1.1 200 " + b"O" * 300),
    "drips-headers": drips(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300),
    "endless-headers": endless_headers,
    "endless-roles": lambda visit: visit.say(
        EVENTS, *(framed(event(chunk(begins())) * 500) for _ in range(400))
    ),
    "stream": says_whole(EVENTS, *map(framed, STREAM), b"0\r\n\r\n", every_s=0.01),
    "stream-to-the-end": says_whole(
        b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", *STREAM
    ),
    "stream-drips-roles": says_whole(EVENTS, *[framed(STREAM[0])] * 99, every_s=0.1),
    "stream-falls-silent": falls_silent,
}


def by_model(visit: Visit) -> None:
    """Play what the request's model names; a connection that a play closed is over."""
    while True:
        asked = msgspec.json.decode(visit.request())
        play = PLAYS[asked["model"]]
        play(visit)
        if asked["model"] not in KEEPS:
            return


KEEPS = {"good", "stale", "slow", "hints", "stream", "no-content", "not-modified", "zipped"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("hostile")
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def secured(visit: Visit) -> None:
        visit.secure(context)
        by_model(visit)

    with hostile(by_model) as plain, hostile(secured) as tls, hostile(speaks_plainly) as other:
        base = 'kind = "openai"\nbase_url = '
        providers = f"""
[providers.bad]
{base}"http://127.0.0.1:{plain.port}/v1"

[providers.narrow]
{base}"http://127.0.0.1:{plain.port}/v1"
max_connections = 1

[providers.nowhere]
{base}"http://no-such-provider.invalid/v1"

[providers.trusted]
{base}"https://localhost:{tls.port}/v1"
ca_file = "authorities/own.pem"

[providers.untrusted]
{base}"https://localhost:{tls.port}/v1"

[providers.not-tls]
{base}"https://localhost:{other.port}/v1"
"""
        files = {
            "steadyhand.toml": settings_text(upstreams) + QUICK + providers,
            "authorities/own.pem": authority.cert_pem.bytes().decode(),
            **{f"routes/{name}.toml": route_text(f"bad/{name}", slo="quick") for name in PLAYS},
            "routes/nowhere.toml": route_text("nowhere/any", "up/steady", slo="quick"),
            "routes/narrow.toml": route_text("narrow/slow", slo="quick"),
        }
        with serving(folder, upstreams, files) as made:
            yield made


def counted(house: Installation, series: str) -> float:
    """Read one series of ``/metrics``."""
    with Line(house.control_port) as line:
        text = line.ask("GET", "/metrics", {"Host": "localhost"}).body.decode()
    found = re.search(rf"(?m)^steadyhand_upstream_{re.escape(series)} (\S+)$", text)
    assert found, series
    return float(found.group(1))


def grows(house: Installation, series: str, before: float, by: float = 1) -> None:
    eventually(lambda: counted(house, series) >= before + by, f"{series} to grow by {by}")


@pytest.mark.parametrize("model", ["good", "to-the-end", "hints", "too-long"])
def test_odd_but_whole_answers_are_answers(house: Installation, model: str) -> None:
    for _ in range(2):
        answer = house.ask(f"bad/{model}")
        assert (answer.status, answer.text()) == (200, "Hello")


@pytest.mark.parametrize("model", ["stream", "stream-to-the-end"])
def test_streams_that_are_whole_end_so(house: Installation, model: str) -> None:
    answer = house.ask(f"bad/{model}", stream=True)
    assert answer.text() == "Hel"
    assert answer.body.endswith(DONE)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("cut-before-the-end", "malformed"),
        ("zipped", "malformed"),
        ("zipped-refusal", "rate_limited"),
        ("no-content", None),
        ("not-modified", None),
        ("switch", "malformed_response"),
        ("two-lengths", "malformed_response"),
        ("endless-headers", "response_too_large"),
        ("drips-status", "gave_up"),
        ("drips-headers", "gave_up"),
    ],
)
def test_what_is_no_answer_ends_in_the_floor_in_time(
    house: Installation, model: str, reason: str | None
) -> None:
    begun_s = time.monotonic()
    answer = house.ask(model)
    assert time.monotonic() - begun_s < 10
    assert (answer.status, answer.text()) == (200, FLOOR_TEXT)
    attempt = house.record(answer.request_id)["attempts"][0]
    assert attempt["reason"] == (reason or attempt["reason"]) != "ok"


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("stream-drips-roles", "gave_up"),
        ("stream-falls-silent", "gave_up"),
        ("endless-roles", "malformed"),
    ],
)
def test_a_stream_that_says_nothing_ends_in_the_floor(
    house: Installation, model: str, reason: str
) -> None:
    answer = house.ask(model, stream=True)
    assert answer.text() == FLOOR_TEXT
    found = house.record(answer.request_id)["attempts"][0]["reason"]
    assert found in (reason, "gave_up")


def test_stale_connections_are_repaired_and_counted(house: Installation) -> None:
    retried = 'stale_connections_total{found="retry",process="0"}'
    before = counted(house, retried)
    reused = counted(house, 'connections_reused_total{process="0"}')
    for _ in range(4):
        assert house.ask("bad/stale").text() == "Hello"
    grows(house, retried, before)
    grows(house, 'connections_reused_total{process="0"}', reused)


def test_a_name_that_does_not_exist_is_the_next_rungs_turn(house: Installation) -> None:
    answer = house.ask("nowhere")
    assert answer.status == 200
    failures = 'connect_failures_total{process="0",reason="dns_failed"}'
    before = counted(house, failures)
    found = house.ask("nowhere/any")
    assert found.status == 503
    reason = house.record(found.request_id)["attempts"][0]["reason"]
    if reason == "dns_failed":  # a machine without a resolver may let it run into the time limit
        grows(house, failures, before)
    assert reason in ("dns_failed", "connect_timeout")
    assert counted(house, 'name_lookups_total{event="begun",process="0"}') >= 1


def test_authorities_of_the_workspace_are_trusted_and_no_others(house: Installation) -> None:
    assert house.ask("trusted/good").text() == "Hello"
    failures = 'connect_failures_total{process="0",reason="tls_failed"}'
    before = counted(house, failures)
    for provider in ("untrusted", "not-tls"):
        answer = house.ask(f"{provider}/good")
        assert answer.status == 503
        assert house.record(answer.request_id)["attempts"][0]["reason"] == "tls_failed"
    grows(house, failures, before, by=2)
    assert house.ask("trusted/good").text() == "Hello"


def test_a_refused_connection_is_counted(house: Installation) -> None:
    failures = 'connect_failures_total{process="0",reason="connect_failed"}'
    before = counted(house, failures)
    assert house.ask("dead/any").status == 503
    grows(house, failures, before)


def test_requests_over_the_pools_bound_wait_and_then_give_up(house: Installation) -> None:
    given_up = 'waits_given_up_total{process="0"}'
    before = counted(house, given_up)
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda _: house.ask("narrow"), range(12)))
    assert {answer.status for answer in answers} == {200}
    texts = [answer.text() for answer in answers]
    assert FLOOR_TEXT in texts
    grows(house, given_up, before)
    reasons = {house.record(one.request_id)["attempts"][0]["reason"] for one in answers}
    assert reasons <= {"ok", "pool_exhausted", "gave_up"}


def test_connections_are_shown_while_they_are_open(house: Installation) -> None:
    assert house.ask("bad/good").text() == "Hello"
    eventually(
        lambda: counted(house, 'connections{process="0",state="open"}') >= 1, "a kept connection"
    )
    assert counted(house, 'connections_opened_total{process="0"}') >= 1
    eventually(lambda: counted(house, 'waiting{process="0"}') == 0, "nobody to wait")
    eventually(
        lambda: counted(house, 'connections{process="0",state="opening"}') == 0, "none to open"
    )
