"""The native server over sockets: what a client sees of HTTP."""

import asyncio
import gzip
import socket

import pytest

from steadyhand.http.limits import ServerLimits
from steadyhand.http.messages import Reply, Request
from tests.support.wire import client_of, eventually, serving

TEXT = ((b"content-type", b"text/plain"),)
POST = b"POST /p HTTP/1.1\r\nHost: h\r\n"
GET = b"GET /p HTTP/1.1\r\nHost: h\r\n"


async def echo(request: Request, reply: Reply) -> None:
    """Answer what was understood."""
    reply.send(200, TEXT, request.method + b" " + request.path + b" " + request.body)


async def stream(request: Request, reply: Reply) -> None:
    """Answer in three parts."""
    reply.start(200, TEXT)
    for part in (b"one", b"two" * 10_000, b""):
        reply.write(part)
        await reply.drain()
    reply.end()


async def test_a_request_is_answered_with_length_and_date_and_the_connection_stays() -> None:
    async with serving(echo) as server, client_of(server) as client:
        for body in (b"a", b""):
            client.send(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            response = await client.response()
            assert (response.status, response.body) == (200, b"POST /p " + body)
            assert set(response.headers) == {"date", "content-type", "content-length"}
        assert (server.connections, server.requests, server.in_flight) == (1, 2, 0)


async def test_nodelay_is_set_on_accepted_connections() -> None:
    async with serving(echo) as server, client_of(server):
        await eventually(lambda: server.connections == 1)
        (connection,) = server.open_connections
        sock = connection.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_stream_is_chunked_one_chunk_a_write_and_the_connection_stays() -> None:
    async with serving(stream) as server, client_of(server) as client:
        for _ in range(2):
            client.send(GET + b"\r\n")
            response = await client.response()
            assert response.headers["transfer-encoding"] == "chunked"
            assert response.chunks == (b"one", b"two" * 10_000)


async def test_each_write_leaves_at_once() -> None:
    go_on = asyncio.Event()

    async def slow(request: Request, reply: Reply) -> None:
        reply.start(200, TEXT)
        reply.write(b"first")
        await go_on.wait()
        reply.write(b"second")
        reply.end()

    async with serving(slow) as server, client_of(server) as client:
        client.send(GET + b"\r\n")
        await client.head()
        chunks = client.chunks()
        assert await anext(chunks) == b"first"
        go_on.set()
        assert await anext(chunks) == b"second"


async def test_a_started_head_leaves_without_waiting_for_a_body() -> None:
    async def silent(request: Request, reply: Reply) -> None:
        reply.start(200, TEXT)
        await asyncio.sleep(30)

    async with serving(silent) as server, client_of(server) as client:
        client.send(GET + b"\r\n")
        assert (await client.head())[0] == 200


@pytest.mark.parametrize("asked", [b"", b"Connection: close\r\n"])
async def test_http10_gets_no_chunks_and_a_closed_connection(asked: bytes) -> None:
    async with serving(stream) as server, client_of(server) as client:
        client.send(b"GET / HTTP/1.0\r\n" + asked + b"\r\n")
        response = await client.response()
        assert "transfer-encoding" not in response.headers
        assert response.headers["connection"] == "close"
        assert response.body == b"one" + b"two" * 10_000


async def test_http10_may_keep_the_connection_when_the_length_is_known() -> None:
    async with serving(echo) as server, client_of(server) as client:
        for _ in range(2):
            client.send(b"GET /p HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            response = await client.response()
            assert response.headers["connection"] == "keep-alive"
        client.send(b"GET /p HTTP/1.0\r\n\r\n")
        assert (await client.response()).headers["connection"] == "close"
        assert await client.at_end()


async def test_an_http10_stream_closes_although_keep_alive_was_asked() -> None:
    async with serving(stream) as server, client_of(server) as client:
        client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        response = await client.response()
        assert response.headers["connection"] == "close"


async def test_connection_close_is_obeyed_and_said() -> None:
    async with serving(echo) as server, client_of(server) as client:
        client.send(GET + b"Connection: close\r\n\r\n")
        assert (await client.response()).headers["connection"] == "close"
        assert await client.at_end()


@pytest.mark.parametrize("handler", [echo, stream])
async def test_head_gets_no_body_and_the_connection_stays(handler: object) -> None:
    async with serving(handler) as server, client_of(server) as client:  # type: ignore[arg-type]
        for _ in range(2):
            client.send(b"HEAD /p HTTP/1.1\r\nHost: h\r\n\r\n")
            response = await client.response(bare=True)
            assert response.status == 200
            assert response.headers.get("content-length", "8") == "8"
        client.send(GET + b"\r\n")
        assert (await client.response()).body


async def test_204_has_neither_length_nor_body() -> None:
    async def nothing(request: Request, reply: Reply) -> None:
        reply.send(204, (), b"")

    async with serving(nothing) as server, client_of(server) as client:
        for _ in range(2):
            client.send(GET + b"\r\n")
            response = await client.response()
            assert response.status == 204
            assert "content-length" not in response.headers


async def test_pipelined_requests_are_answered_in_order_one_at_a_time() -> None:
    running = 0

    async def slow_first(request: Request, reply: Reply) -> None:
        nonlocal running
        assert running == 0
        running += 1
        await asyncio.sleep(0.05 if request.path == b"/0" else 0)
        running -= 1
        reply.send(200, TEXT, request.path)

    async with serving(slow_first) as server, client_of(server) as client:
        client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % n for n in range(20)))
        paths = [(await client.response()).body for _ in range(20)]
        assert paths == [b"/%d" % n for n in range(20)]


async def test_pipelined_streams_do_not_mix() -> None:
    async with serving(stream) as server, client_of(server) as client:
        client.send((GET + b"\r\n") * 3)
        for _ in range(3):
            assert (await client.response()).chunks == (b"one", b"two" * 10_000)


async def test_what_a_pipelining_client_sends_ahead_is_bounded() -> None:
    go_on = asyncio.Event()

    async def held(request: Request, reply: Reply) -> None:
        await go_on.wait()
        reply.send(200, TEXT, b"%d" % len(request.body))

    body = bytes(1_000_000)
    one = POST + b"Content-Length: %d\r\n\r\n" % len(body) + body
    async with serving(held) as server, client_of(server) as client:
        for _ in range(30):
            client.send(one)
        await eventually(lambda: server.in_flight == 1)
        await asyncio.sleep(0.2)
        assert client.writer.transport.get_write_buffer_size() > 15_000_000
        go_on.set()
        for _ in range(30):
            assert (await client.response()).body == b"1000000"


async def test_expect_100_gets_100_only_for_what_will_be_accepted() -> None:
    limits = ServerLimits(max_body_bytes=100)
    async with serving(echo, limits) as server:
        async with client_of(server) as client:
            client.send(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            assert (await client.head())[0] == 100
            client.send(b"abc")
            assert (await client.response()).body == b"POST /p abc"
        async with client_of(server) as client:
            client.send(POST + b"Expect: 100-continue\r\nContent-Length: 2147483648\r\n\r\n")
            response = await client.response()
            assert (response.status, response.headers["connection"]) == (413, "close")
            assert await client.at_end()
        async with client_of(server) as client:
            client.send(
                POST + b"Expect: 100-continue\r\nContent-Encoding: br\r\nContent-Length: 3\r\n\r\n"
            )
            assert (await client.response()).status == 415


async def test_expect_100_is_not_said_when_the_body_is_already_there() -> None:
    async with serving(echo) as server, client_of(server) as client:
        client.send(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc")
        assert (await client.response()).status == 200


async def test_100_waits_for_the_reply_before_it() -> None:
    async with serving(stream) as server, client_of(server) as client:
        client.send(GET + b"\r\n" + POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert (await client.response()).status == 200
        assert (await client.head())[0] == 100
        client.send(b"abc")
        assert (await client.response()).status == 200


async def test_413_reaches_a_client_that_goes_on_sending() -> None:
    async with serving(echo, ServerLimits(max_body_bytes=1_000)) as server:
        async with client_of(server) as client:
            client.send(POST + b"Content-Length: 3000000\r\n\r\n" + bytes(3_000_000))
            response = await client.response()
            assert response.body.startswith(b"413 request_too_large")
        assert server.refused["request_too_large"] == 1
        assert server.requests == 0


async def test_chunked_bodies_with_extensions_and_trailers_are_read() -> None:
    async with serving(echo) as server, client_of(server) as client:
        for _ in range(2):
            client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n")
            client.send(b"2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n")
            assert (await client.response()).body == b"POST /p abcde"


async def test_gzip_is_decoded_and_other_codings_are_415() -> None:
    body = gzip.compress(b"plain")
    async with serving(echo) as server, client_of(server) as client:
        client.send(
            POST + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        )
        assert (await client.response()).body == b"POST /p plain"
        client.send(POST + b"Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc")
        assert (await client.response()).body.startswith(b"415 unsupported_content_encoding")
        assert await client.at_end()


async def test_both_lengths_are_400_and_nothing_after_them_is_served() -> None:
    async with serving(echo) as server, client_of(server) as client:
        client.send(
            POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET
        )
        response = await client.response()
        assert response.body.startswith(b"400 bad_request")
        assert await client.at_end()
        assert server.requests == 0


async def test_what_is_no_request_is_400_after_the_replies_before_it() -> None:
    async with serving(stream) as server, client_of(server) as client:
        client.send(GET + b"\r\n" + b"nonsense\r\n\r\n")
        assert (await client.response()).status == 200
        assert (await client.response()).status == 400
        assert await client.at_end()


@pytest.mark.parametrize("length", [0, 5])
async def test_an_h2c_upgrade_is_ignored_also_with_a_body(length: int) -> None:
    async with serving(echo) as server, client_of(server) as client:
        for _ in range(2):
            client.send(
                POST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                b"HTTP2-Settings: AAMAAABkAAQ\r\nContent-Length: %d\r\n\r\n"
                % length
                + b"x" * length
            )
            response = await client.response()
            assert (response.status, response.body) == (200, b"POST /p " + b"x" * length)


async def test_absolute_targets_are_served() -> None:
    async with serving(echo) as server, client_of(server) as client:
        client.send(b"GET http://h/p?x HTTP/1.1\r\nHost: h\r\n\r\n")
        assert (await client.response()).body == b"GET /p "


async def test_a_head_over_the_limit_is_431() -> None:
    limits = ServerLimits(max_head_bytes=1_000)
    async with serving(echo, limits) as server, client_of(server) as client:
        client.send(GET + b"X: " + b"a" * 2_000)
        assert (await client.response()).body.startswith(b"431 request_head_too_large")


async def test_a_handler_that_fails_or_says_nothing_is_500_and_counted() -> None:
    async def broken(request: Request, reply: Reply) -> None:
        if request.path == b"/p":
            raise LookupError("a bug")

    async with serving(broken) as server, client_of(server) as client:
        for path in (b"/p", b"/q"):
            client.send(b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % path)
            response = await client.response()
            assert response.body == b"500 internal_error internal error"
        assert server.failures == 2


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_a_reply_that_is_cut_cannot_be_taken_for_whole(version: bytes) -> None:
    async def cut(request: Request, reply: Reply) -> None:
        reply.start(200, TEXT)
        reply.write(b"half")
        await asyncio.sleep(0.05)
        raise LookupError("a bug in the middle")

    async with serving(cut) as server, client_of(server) as client:
        client.send(b"GET / HTTP/%b\r\nHost: h\r\n\r\n" % version)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await client.response()
        assert server.failures == 1


async def test_what_was_written_before_an_abort_arrives() -> None:
    async def cut(request: Request, reply: Reply) -> None:
        reply.start(200, TEXT)
        reply.write(b"error event")
        reply.abort()
        reply.write(b"dropped")
        reply.end()

    async with serving(cut) as server, client_of(server) as client:
        client.send(GET + b"\r\n")
        await client.head()
        chunks = client.chunks()
        assert await anext(chunks) == b"error event"
        with pytest.raises(asyncio.IncompleteReadError):
            await anext(chunks)
        assert server.failures == 0


async def test_misuse_of_a_reply_is_an_error() -> None:
    async def misused(request: Request, reply: Reply) -> None:
        with pytest.raises(RuntimeError):
            reply.write(b"too early")
        with pytest.raises(RuntimeError):
            reply.end()
        with pytest.raises(ValueError, match="line break"):
            reply.send(200, ((b"x", b"a\r\nb: c"),), b"")
        reply.send(200, TEXT, b"ok")
        with pytest.raises(RuntimeError):
            reply.send(200, TEXT, b"twice")
        with pytest.raises(RuntimeError):
            reply.write(b"too late")
        reply.end()
        reply.abort()

    async with serving(misused) as server, client_of(server) as client:
        client.send(GET + b"\r\n")
        assert (await client.response()).body == b"ok"
        assert server.failures == 0


async def test_large_bodies_pass_both_ways_unchanged() -> None:
    async def back(request: Request, reply: Reply) -> None:
        reply.send(200, TEXT, request.body)
        assert reply.bytes_sent == len(request.body)

    body = bytes(range(256)) * 8_192
    async with serving(back) as server, client_of(server) as client:
        for _ in range(2):
            client.send(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert (await client.response()).body == body
