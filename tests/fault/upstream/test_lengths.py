"""Wrong lengths: too short, too long, two of them, none; and statuses without a body."""

import threading
import time

import pytest

from steadyhand.http.failures import ConnectionLost, MalformedResponse, UpstreamError
from tests.support.client import ask, pool_at
from tests.support.hostile_upstream import CHUNKED, OK, Visit, answering, hostile, polite

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("parts", "failure"),
    [
        ((HEAD + b"Content-Length: 9\r\n\r\nshort",), ConnectionLost),
        ((CHUNKED + b"5\r\nshort\r\n",), ConnectionLost),
        ((CHUNKED + b"5\r\nshort\r\n0\r\n",), ConnectionLost),
        ((CHUNKED + b"5\r\nsho",), ConnectionLost),
        ((CHUNKED + b"5\r\ntoo long\r\n0\r\n\r\n",), MalformedResponse),
        ((CHUNKED + b"-1\r\n\r\n",), MalformedResponse),
        ((CHUNKED + b"fffffffffffffffff\r\n",), MalformedResponse),
        ((HEAD + b"Content-Length: -1\r\n\r\n",), MalformedResponse),
        ((HEAD + b"Content-Length: 1e3\r\n\r\n",), MalformedResponse),
        ((HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n",), MalformedResponse),
        ((HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",), MalformedResponse),
        ((HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok",), MalformedResponse),
        ((HEAD + b"Content-Length: 2, 2\r\n\r\nok",), MalformedResponse),
        (
            (CHUNKED[:-2] + b"Content-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",),
            MalformedResponse,
        ),
        ((HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",), MalformedResponse),
        ((HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n",), MalformedResponse),
        ((HEAD + b"Transfer-Encoding: identity\r\n\r\nok",), MalformedResponse),
    ],
)
async def test_a_wrong_length_is_a_failure_and_ends_the_connection(
    parts: tuple[bytes, ...], failure: type[UpstreamError]
) -> None:
    with hostile(answering(*parts), polite) as peer:
        async with pool_at(peer.port) as pool:
            with pytest.raises(failure):
                await ask(pool)
            assert (pool.idle, pool.busy, pool.traffic.retried) == (0, 0, 0)
            assert await ask(pool) == b"ok"


@pytest.mark.parametrize(
    "extra", [b"x", b"\r\n\r\nx", OK.replace(b"ok", b"NO"), b"HTTP/1.1 100 Continue\r\n\r\n"]
)
@pytest.mark.parametrize("apart", [False, True], ids=["glued", "apart"])
async def test_what_follows_a_body_is_never_taken_for_the_next_answer(
    extra: bytes, apart: bool
) -> None:
    """As long as it has arrived when the next request leaves; later, nobody could tell."""
    said = threading.Event()

    def play(visit: Visit) -> None:
        visit.request()
        visit.say(*((OK, extra) if apart else (OK + extra,)))
        said.set()
        visit.until_gone()

    with hostile(play, polite) as peer:
        async with pool_at(peer.port) as pool:
            assert await ask(pool) == b"ok"
            assert said.wait(10)
            time.sleep(0.02)  # noqa: ASYNC251  the loop shall not see what the kernel has
            for _ in range(3):
                assert await ask(pool) == b"ok"
            assert len(peer.visits) == 2


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
@pytest.mark.parametrize("length", [b"", b"Content-Length: 5\r\n"])
async def test_a_status_without_a_body_has_none_whatever_it_says(
    status: bytes, length: bytes
) -> None:
    def play(visit: Visit) -> None:
        visit.request()
        visit.say(b"HTTP/1.1 " + status + b"\r\n" + length + b"\r\n")
        visit.request()
        visit.say(OK)

    with hostile(play, polite) as peer:
        async with pool_at(peer.port) as pool:
            assert await ask(pool) == b""
            assert await ask(pool) == b"ok"


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_a_body_where_none_may_be_ends_the_connection(status: bytes) -> None:
    raw = b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\nwrong"
    with hostile(answering(raw), polite) as peer:
        async with pool_at(peer.port) as pool:
            assert await ask(pool) == b""
            assert (pool.idle, pool.busy) == (0, 0)
            assert await ask(pool) == b"ok"


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.0 200 OK\r\n\r\nto the end",
        b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nto the end",
        b"HTTP/1.1 200 OK\r\n\r\nto the end",
    ],
)
async def test_a_body_without_a_length_ends_with_the_connection(raw: bytes) -> None:
    with hostile(answering(raw[:-4], raw[-4:], every_s=0.02), polite) as peer:
        async with pool_at(peer.port) as pool:
            assert await ask(pool) == b"to the end"
            assert (pool.idle, pool.busy) == (0, 0)


async def test_a_body_without_a_length_that_ends_in_a_reset_is_cut_off() -> None:
    def play(visit: Visit) -> None:
        visit.request()
        visit.say(b"HTTP/1.0 200 OK\r\n\r\nto the")
        visit.gone.wait(0.2)
        visit.reset()

    with hostile(play) as peer:
        async with pool_at(peer.port) as pool:
            with pytest.raises(ConnectionLost):
                await ask(pool)


async def test_http_1_0_is_kept_only_if_it_says_so() -> None:
    def play(visit: Visit) -> None:
        visit.request()
        visit.say(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok")
        visit.request()
        visit.say(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
        visit.until_gone()

    with hostile(play) as peer:
        async with pool_at(peer.port) as pool:
            assert await ask(pool) == b"ok"
            assert pool.idle == 1
            assert await ask(pool) == b"ok"
            assert (pool.idle, pool.busy) == (0, 0)
