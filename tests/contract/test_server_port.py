"""What a handler and its client may rely on, whichever server carries them.

One list of cases for our own server and for the ASGI adapter, under uvicorn and mounted in a
Starlette application. Where a carrier cannot do the same, :data:`DIFFERENCES` says what it does
instead; the guide has the same rows.
"""

import asyncio
import gzip
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from steadyhand.http.limits import ServerLimits
from steadyhand.http.messages import Handler, Reply, Request
from tests.support.certificates import Authority
from tests.support.server_ports import CARRIERS, Carrier, carried
from tests.support.tree import ROOT
from tests.support.wire import PATIENCE_S, RawClient, eventually

TEXT = ((b"content-type", b"text/plain"),)

DIFFERENCES = {
    "unfinished head": "test_an_unfinished_head",
    "no HTTP": "test_what_is_no_request",
    "HTTP/1.0": "test_http10_streams",
    "cut before its start": "test_a_reply_that_is_cut_before_it_starts",
    "connections": "test_more_than_may_be_open",
    "stalled client": "test_a_client_that_takes_nothing_is_cut",
}
"""Where carriers differ on purpose: row of the guide's table → the test that shows both sides."""


@pytest.fixture(params=CARRIERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def talking(
    name: str, handler: Handler, limits: ServerLimits | None = None
) -> AsyncIterator[tuple[Carrier, RawClient]]:
    async with carried(name, handler, limits) as carrier, connected(carrier) as client:
        yield carrier, client


@asynccontextmanager
async def connected(carrier: Carrier) -> AsyncIterator[RawClient]:
    client = RawClient(*await asyncio.open_connection("127.0.0.1", carrier.port))
    try:
        yield client
    finally:
        await client.close()


def post(carrier: Carrier, body: bytes, fields: bytes = b"") -> bytes:
    fields += b"Content-Length: %d\r\n" % len(body)
    return carrier.request(b"POST", b"/p", fields) + body


async def echo(request: Request, reply: Reply) -> None:
    reply.send(200, TEXT, request.method + b" " + request.path + b" " + request.body)


async def stream(request: Request, reply: Reply) -> None:
    reply.start(200, TEXT)
    for part in (b"one", b"two" * 10_000, b""):
        reply.write(part)
        await reply.drain()
    reply.end()


def test_the_guide_has_a_row_for_each_difference() -> None:
    guide = (ROOT / "docs/guides/mount-in-your-application.md").read_text(encoding="utf-8")
    table = guide.partition("## What differs")[2].partition("\n## ")[0]
    rows = re.findall(r"(?m)^\| ([^|]+) \|", table)[1:]
    assert set(rows[:-1] if rows[-1].startswith("--") else rows) >= set(DIFFERENCES)
    assert all(test in globals() for test in DIFFERENCES.values())


async def test_a_whole_answer_has_its_length_and_the_connection_stays(name: str) -> None:
    async with talking(name, echo) as (carrier, client):
        for body in (b"a", b"", b"x" * 300_000):
            client.send(post(carrier, body))
            response = await client.response()
            assert (response.status, response.body) == (200, b"POST /p " + body)
            assert response.headers["content-length"] == str(len(response.body))
            assert response.headers["content-type"] == "text/plain"
            assert "date" in response.headers
        await eventually(lambda: carrier.counters.in_flight == 0)
        assert carrier.counters.requests == 3


async def test_a_stream_arrives_whole_and_the_connection_stays(name: str) -> None:
    async with talking(name, stream) as (carrier, client):
        for _ in range(2):
            client.send(carrier.request(b"GET", b"/p"))
            response = await client.response()
            assert response.headers["transfer-encoding"] == "chunked"
            assert response.body == b"one" + b"two" * 10_000


async def test_each_write_leaves_at_once(name: str) -> None:
    go_on = asyncio.Event()

    async def slow(request: Request, reply: Reply) -> None:
        reply.start(200, TEXT)
        reply.write(b"first")
        await go_on.wait()
        reply.write(b"second")
        reply.end()

    async with talking(name, slow) as (carrier, client):
        client.send(carrier.request(b"GET", b"/p"))
        await client.head()
        chunks = client.chunks()
        assert await anext(chunks) == b"first"
        go_on.set()
        assert await anext(chunks) == b"second"


async def test_a_started_head_leaves_without_waiting_for_a_body(name: str) -> None:
    async def silent(request: Request, reply: Reply) -> None:
        reply.start(200, TEXT)
        await asyncio.sleep(30)

    async with talking(name, silent) as (carrier, client):
        client.send(carrier.request(b"GET", b"/p"))
        assert (await client.head())[0] == 200


@pytest.mark.parametrize("handler", [echo, stream])
async def test_head_gets_no_body(name: str, handler: Handler) -> None:
    async with talking(name, handler) as (carrier, client):
        for _ in range(2):
            client.send(carrier.request(b"HEAD", b"/p"))
            response = await client.response(bare=True)
            assert response.status == 200
            assert response.headers.get("content-length", "8") == "8"
        client.send(carrier.request(b"GET", b"/p"))
        assert (await client.response()).body


async def test_204_has_neither_length_nor_body(name: str) -> None:
    async def nothing(request: Request, reply: Reply) -> None:
        reply.send(204, (), b"")

    async with talking(name, nothing) as (carrier, client):
        for _ in range(2):
            client.send(carrier.request(b"GET", b"/p"))
            response = await client.response()
            assert response.status == 204
            assert "content-length" not in response.headers


async def test_a_request_is_seen_as_it_was_sent(name: str) -> None:
    seen: list[Request] = []

    async def keep(request: Request, reply: Reply) -> None:
        seen.append(request)
        reply.send(200, TEXT, b"ok")

    async with talking(name, keep) as (carrier, client):
        fields = b"X-One:  a \r\nx-two: b\r\nX-ONE: c\r\n"
        client.send(carrier.request(b"GET", b"/v1/models/a%2Fb%20c?q=%20x&r", fields))
        await client.response()
        client.send(carrier.request(b"GET", b"/"))
        await client.response()
    first, second = seen
    assert (first.method, first.path) == (b"GET", b"/v1/models/a%2Fb%20c")
    assert first.query == b"q=%20x&r"
    assert first.headers[b"x-one"] == b"a, c"
    assert first.headers[b"x-two"] == b"b"
    assert first.peer == "127.0.0.1"
    assert first.begun_s <= first.received_s
    assert second.path == b"/"


async def test_pipelined_requests_are_answered_in_order(name: str) -> None:
    async def answer(request: Request, reply: Reply) -> None:
        await asyncio.sleep(0.05 if request.path == b"/0" else 0)
        reply.send(200, TEXT, request.path)

    async with talking(name, answer) as (carrier, client):
        client.send(b"".join(carrier.request(b"GET", b"/%d" % n) for n in range(10)))
        assert [(await client.response()).body for _ in range(10)] == [
            b"/%d" % n for n in range(10)
        ]


async def test_many_at_once_do_not_mix(name: str) -> None:
    async def slow_echo(request: Request, reply: Reply) -> None:
        await asyncio.sleep(0.01 * (len(request.body) % 3))
        await echo(request, reply)

    async with carried(name, slow_echo) as carrier:

        async def ask(number: int) -> None:
            body = b"%d" % number * (number + 1)
            async with connected(carrier) as client:
                client.send(post(carrier, body))
                assert (await client.response()).body == b"POST /p " + body

        await asyncio.gather(*map(ask, range(40)))


async def test_chunked_bodies_with_extensions_and_trailers_are_read(name: str) -> None:
    async with talking(name, echo) as (carrier, client):
        for _ in range(2):
            client.send(carrier.request(b"POST", b"/p", b"Transfer-Encoding: chunked\r\n"))
            client.send(b"3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n")
            assert (await client.response()).body == b"POST /p abcde"


@pytest.mark.parametrize(
    ("body", "coding", "said"),
    [
        (gzip.compress(b"plain", mtime=0), b"gzip", b"POST /p plain"),
        (gzip.compress(b"plain", mtime=0), b"X-GZIP", b"POST /p plain"),
        (b"plain", b"identity", b"POST /p plain"),
        (b"plain", b"gzip", b"400 bad_request the body is not gzip"),
        (
            gzip.compress(b"plain", mtime=0)[:-4],
            b"gzip",
            b"400 bad_request the gzip body is cut off",
        ),
        (gzip.compress(bytes(20_000), mtime=0), b"gzip", b"413 request_too_large"),
        (b"abc", b"br", b"415 unsupported_content_encoding"),
    ],
)
async def test_content_codings(name: str, body: bytes, coding: bytes, said: bytes) -> None:
    limits = ServerLimits(max_body_bytes=10_000)
    async with talking(name, echo, limits) as (carrier, client):
        client.send(post(carrier, body, b"Content-Encoding: %b\r\n" % coding))
        response = await client.response()
        assert response.body.startswith(said)
        assert (response.headers.get("connection") == "close") == (response.status != 200)


@pytest.mark.parametrize("chunked", [False, True])
async def test_413_reaches_a_client_that_goes_on_sending(name: str, chunked: bool) -> None:
    async with talking(name, echo, ServerLimits(max_body_bytes=1_000)) as (carrier, client):
        if chunked:
            client.send(carrier.request(b"POST", b"/p", b"Transfer-Encoding: chunked\r\n"))
            client.send(b"10000\r\n" + bytes(0x10000) + b"\r\n0\r\n\r\n")
        else:
            client.send(post(carrier, bytes(100_000)))
        response = await client.response()
        assert response.body.startswith(b"413 request_too_large")
        assert carrier.counters.refused["request_too_large"] == 1
        assert carrier.counters.requests == 0


async def test_expectations(name: str) -> None:
    limits = ServerLimits(max_body_bytes=100)
    async with carried(name, echo, limits) as carrier:
        async with connected(carrier) as client:
            expect = b"Expect: 100-continue\r\nContent-Length: 3\r\n"
            client.send(carrier.request(b"POST", b"/p", expect))
            assert (await client.head())[0] == 100
            client.send(b"abc")
            assert (await client.response()).body == b"POST /p abc"
        async with connected(carrier) as client:
            expect = b"Expect: 100-continue\r\nContent-Length: 2147483648\r\n"
            client.send(carrier.request(b"POST", b"/p", expect))
            assert (await client.response()).status == 413
        async with connected(carrier) as client:
            client.send(carrier.request(b"POST", b"/p", b"Expect: more\r\nContent-Length: 0\r\n"))
            assert (await client.response()).body.startswith(b"417 expectation_failed")


async def test_a_head_over_the_limit_is_431(name: str) -> None:
    async with talking(name, echo, ServerLimits(max_head_bytes=1_000)) as (carrier, client):
        client.send(carrier.request(b"GET", b"/p", b"X: " + b"a" * 2_000 + b"\r\n"))
        assert (await client.response()).body.startswith(b"431 request_head_too_large")


async def test_a_body_that_trickles_is_408_and_one_that_flows_is_not(name: str) -> None:
    limits = ServerLimits(body_timeout_s=0.3, body_rate_bytes=1_000)
    async with carried(name, echo, limits) as carrier:
        async with connected(carrier) as client:
            client.send(carrier.request(b"POST", b"/p", b"Content-Length: 10\r\n") + b"a")
            response = await client.response()
            assert response.body.startswith(b"408 request_timeout")
            assert await client.at_end()
        assert carrier.counters.refused["request_timeout"] == 1
        async with connected(carrier) as client:
            client.send(carrier.request(b"POST", b"/p", b"Content-Length: 6000\r\n"))
            for _ in range(6):
                client.send(bytes(1_000))
                await asyncio.sleep(0.1)
            assert (await client.response()).status == 200


@pytest.mark.parametrize("fields", [b"", b"Host: a\r\nHost: b\r\n"])
async def test_not_one_host_is_400(name: str, fields: bytes) -> None:
    async with talking(name, echo) as (carrier, client):
        client.send(b"GET %b/p HTTP/1.1\r\n%b\r\n" % (carrier.prefix, fields))
        assert (await client.response()).status == 400
        assert carrier.counters.requests == 0


async def test_two_lengths_are_400_and_nothing_after_them_is_served(name: str) -> None:
    async with talking(name, echo) as (carrier, client):
        fields = b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
        client.send(carrier.request(b"POST", b"/p", fields) + b"0\r\n\r\n")
        client.send(carrier.request(b"GET", b"/next"))
        assert (await client.response()).status == 400
        assert await client.at_end()
        assert carrier.counters.requests == 0


async def test_a_handler_that_fails_or_says_nothing_is_500_and_counted(name: str) -> None:
    async def broken(request: Request, reply: Reply) -> None:
        if request.path == b"/p":
            raise LookupError("a bug")

    async with talking(name, broken) as (carrier, client):
        for path in (b"/p", b"/q"):
            client.send(carrier.request(b"GET", path))
            response = await client.response()
            assert response.body == b"500 internal_error internal error"
        assert carrier.counters.failures == 2


async def test_a_reply_that_is_cut_cannot_be_taken_for_whole(name: str) -> None:
    async def cut(request: Request, reply: Reply) -> None:
        reply.start(200, TEXT)
        reply.write(b"half")
        raise LookupError("a bug in the middle")

    async with talking(name, cut) as (carrier, client):
        client.send(carrier.request(b"GET", b"/p"))
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await client.response()
        assert carrier.counters.failures == 1


async def test_what_was_written_before_an_abort_arrives(name: str) -> None:
    async def cut(request: Request, reply: Reply) -> None:
        reply.start(200, TEXT)
        reply.write(b"error event")
        reply.abort()
        reply.write(b"dropped")
        reply.end()

    async with talking(name, cut) as (carrier, client):
        client.send(carrier.request(b"GET", b"/p"))
        await client.head()
        chunks = client.chunks()
        assert await anext(chunks) == b"error event"
        with pytest.raises(asyncio.IncompleteReadError):
            await anext(chunks)
        assert carrier.counters.failures == 0


async def test_misuse_of_a_reply_is_an_error(name: str) -> None:
    async def misused(request: Request, reply: Reply) -> None:
        with pytest.raises(RuntimeError):
            reply.write(b"too early")
        with pytest.raises(RuntimeError):
            reply.end()
        with pytest.raises(ValueError, match="line break"):
            reply.send(200, ((b"x", b"a\r\nb: c"),), b"")
        assert not reply.started
        reply.send(200, TEXT, b"ok")
        with pytest.raises(RuntimeError):
            reply.send(200, TEXT, b"twice")
        with pytest.raises(RuntimeError):
            reply.write(b"too late")
        reply.end()
        reply.abort()
        assert (reply.started, reply.bytes_sent) == (True, 2)

    async with talking(name, misused) as (carrier, client):
        client.send(carrier.request(b"GET", b"/p"))
        assert (await client.response()).body == b"ok"
        await eventually(lambda: carrier.counters.in_flight == 0)
        assert carrier.counters.failures == 0


@pytest.mark.parametrize("begun", [False, True])
async def test_a_client_that_leaves_cancels_its_handler(name: str, begun: bool) -> None:
    cancelled = asyncio.Event()

    async def waiting(request: Request, reply: Reply) -> None:
        try:
            if begun:
                reply.start(200, TEXT)
                reply.write(b"first")
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with carried(name, waiting) as carrier:
        async with connected(carrier) as client:
            client.send(post(carrier, b"abc"))
            await eventually(lambda: carrier.counters.in_flight == 1)
            if begun:
                await client.head()
        async with asyncio.timeout(PATIENCE_S):
            await cancelled.wait()
        await eventually(lambda: carrier.counters.in_flight == 0)
        assert carrier.counters.disconnects == 1
        assert carrier.counters.failures == 0


async def test_a_client_that_leaves_within_its_body_is_not_answered(name: str) -> None:
    async with carried(name, echo) as carrier:
        async with connected(carrier) as client:
            client.send(carrier.request(b"POST", b"/p", b"Content-Length: 10\r\n") + b"abc")
            await asyncio.sleep(0.05)
        await eventually(lambda: carrier.counters.connections == 0)
        assert (carrier.counters.requests, carrier.counters.failures) == (0, 0)


async def test_a_handler_may_finish_after_its_reply(name: str) -> None:
    finished = asyncio.Event()

    async def tidy(request: Request, reply: Reply) -> None:
        reply.send(200, TEXT, b"ok")
        await asyncio.sleep(0.1)
        finished.set()

    async with carried(name, tidy) as carrier:
        async with connected(carrier) as client:
            client.send(carrier.request(b"GET", b"/p"))
            assert (await client.response()).body == b"ok"
        async with asyncio.timeout(PATIENCE_S):
            await finished.wait()
        assert carrier.counters.disconnects == 0


async def test_a_slow_client_holds_its_handler_back(name: str) -> None:
    piece, pieces = bytes(100_000), 300
    written = 0

    async def flood(request: Request, reply: Reply) -> None:
        nonlocal written
        reply.start(200, TEXT)
        for _ in range(pieces):
            reply.write(piece)
            written += 1
            await reply.drain()
        reply.end()

    async with talking(name, flood) as (carrier, client):
        client.send(carrier.request(b"GET", b"/p"))
        await client.head()
        before = -1
        while before != written:
            before = written
            await asyncio.sleep(0.3)
        assert written < pieces / 2  # what the sockets and the bounds hold, not all of it
        body = 0
        async for chunk in client.chunks():
            body += len(chunk)
        assert body == len(piece) * pieces


async def test_stopping_lets_what_is_in_hand_end_in_time(name: str) -> None:
    async def slow(request: Request, reply: Reply) -> None:
        await asyncio.sleep(0.2 if request.path == b"/soon" else 60)
        reply.send(200, TEXT, b"ok")

    async with talking(name, slow) as (carrier, soon), connected(carrier) as late:
        soon.send(carrier.request(b"GET", b"/soon"))
        late.send(carrier.request(b"GET", b"/late"))
        await eventually(lambda: carrier.counters.in_flight == 2)
        await carrier.server.close(drain_s=0.5)
        assert (await soon.response()).body == b"ok"
        assert carrier.counters.in_flight == 0


async def test_https(name: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cafile=authority.file)
    async with carried(name, stream, tls=authority.issue("localhost")) as carrier:
        opened = await asyncio.open_connection("localhost", carrier.port, ssl=context)
        client = RawClient(*opened)
        client.send(carrier.request(b"GET", b"/p"))
        assert (await client.response()).body == b"one" + b"two" * 10_000
        await client.close()


async def test_an_unfinished_head(name: str) -> None:
    limits = ServerLimits(head_timeout_s=0.2)
    async with talking(name, echo, limits) as (carrier, client):
        client.send(b"GET /p HTTP/1.1\r\nHost: ")
        if carrier.is_own:
            assert (await client.response()).status == 408
            return
        await asyncio.sleep(0.5)
        client.send(b"h\r\n\r\n")  # uvicorn waits for ever
        assert (await client.response()).status in (200, 404)


async def test_what_is_no_request(name: str) -> None:
    async with talking(name, echo) as (carrier, client):
        client.send(b"nonsense\r\n\r\n")
        response = await client.response()
        assert response.status == 400
        words = b"400 bad_request" if carrier.is_own else b"Invalid HTTP request received."
        assert response.body.startswith(words)
        assert await client.at_end()
        assert carrier.counters.refused["bad_request"] == (1 if carrier.is_own else 0)


async def test_http10_streams(name: str) -> None:
    async with talking(name, stream) as (carrier, client):
        client.send(b"GET %b/p HTTP/1.0\r\n\r\n" % carrier.prefix)
        response = await client.response()
        assert response.body == b"one" + b"two" * 10_000
        assert response.headers["connection"] == "close"
        assert ("transfer-encoding" in response.headers) != carrier.is_own  # uvicorn chunks it


async def test_a_reply_that_is_cut_before_it_starts(name: str) -> None:
    async def cut(request: Request, reply: Reply) -> None:
        reply.abort()

    async with talking(name, cut) as (carrier, client):
        client.send(carrier.request(b"GET", b"/p"))
        if carrier.is_own:
            assert await client.at_end()
        else:
            assert (await client.response()).status == 500


async def test_more_than_may_be_open(name: str) -> None:
    async def held(request: Request, reply: Reply) -> None:
        await asyncio.sleep(60)

    bounds = ServerLimits(max_connections=1)
    async with talking(name, held, bounds) as (carrier, first), connected(carrier) as second:
        first.send(carrier.request(b"GET", b"/p"))
        await eventually(lambda: carrier.counters.in_flight == 1)
        if not carrier.is_own:  # it sees requests, not connections
            second.send(carrier.request(b"GET", b"/p"))
        response = await second.response()
        assert response.body.startswith(b"503 too_many_connections")
        assert carrier.counters.refused["too_many_connections"] == 1


async def test_a_client_that_takes_nothing_is_cut(name: str) -> None:
    cancelled = asyncio.Event()

    async def flood(request: Request, reply: Reply) -> None:
        reply.start(200, TEXT)
        try:
            while True:
                reply.write(bytes(100_000))
                await reply.drain()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with talking(name, flood, ServerLimits(stall_s=0.3)) as (carrier, client):
        client.send(carrier.request(b"GET", b"/p"))
        await client.head()
        async with asyncio.timeout(PATIENCE_S):
            await cancelled.wait()
        assert carrier.counters.disconnects == 1
        # Our own server resets the connection; under uvicorn it ends once the client reads on.
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await asyncio.wait_for(anext(c async for c in client.chunks() if not c), PATIENCE_S)
