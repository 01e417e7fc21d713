"""The simulator's server as HTTP clients of all kinds find it."""

import asyncio
import json

import pytest

from steadyhand.simulation.seen import OTHER_MODELS, Log
from tests.support.simulators import chat_body, simulator_server


async def exchange(url: str, sent: bytes) -> bytes:
    """Send bytes and read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(sent)
    received = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return received


def post(body: bytes, version: bytes = b"1.1", *fields: bytes) -> bytes:
    lines = [b"POST /v1/chat/completions HTTP/" + version, b"host: x", *fields]
    lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


STEADY = chat_body(model="steady")
LAST = (b"connection: close",)


async def test_pipelined_requests_are_answered_in_turn() -> None:
    slow = chat_body(model="steady:ttft_ms=30,answer=first")
    fast = chat_body(model="steady:answer=second")
    async with simulator_server() as (server, url):
        answer = await exchange(url, post(slow) + post(fast, b"1.1", *LAST))
        assert answer.index(b'"first"') < answer.index(b'"second"')
        assert server.log.connections == 1


async def test_old_clients_get_no_chunks() -> None:
    async with simulator_server() as (_, url):
        answer = await exchange(url, post(chat_body(model="steady", stream=True), b"1.0"))
    assert b"transfer-encoding" not in answer
    assert answer.endswith(b"data: [DONE]\n\n")


async def test_a_careful_client_is_told_to_go_on() -> None:
    fields = (b"expect: 100-continue", *LAST)
    async with simulator_server() as (_, url):
        answer = await exchange(url, post(STEADY, b"1.1", *fields))
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


async def test_chunked_bodies_are_read() -> None:
    chunks = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (5, STEADY[:5], len(STEADY) - 5, STEADY[5:])
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    async with simulator_server() as (server, url):
        answer = await exchange(url, head + b"transfer-encoding: chunked\r\n\r\n" + chunks)
        assert b"HTTP/1.1 200" in answer
        assert server.log.latest[-1].body == STEADY


@pytest.mark.parametrize("sent", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nhost\r\n\r\n"])
async def test_what_is_not_http_is_refused(sent: bytes) -> None:
    async with simulator_server() as (_, url):
        assert (await exchange(url, sent)).startswith(b"HTTP/1.1 400 ")


async def test_an_unknown_path_is_refused_in_openais_shape() -> None:
    async with simulator_server() as (_, url):
        answer = await exchange(url, b"GET /v2 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert json.loads(body)["error"]["type"] == "invalid_request_error"


async def test_a_slow_client_holds_the_script() -> None:
    """64 MB for a client that reads nothing must not pile up in the server."""
    async with simulator_server() as (server, url):
        port = int(url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(post(chat_body(model="oversized")))
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.2)
        assert server.log.latest[-1].outcome == "in flight"
        writer.transport.abort()
        for _ in range(200):
            if server.log.client_left:
                break
            await asyncio.sleep(0.01)
        assert server.log.latest[-1].outcome == "client left"


async def test_a_client_that_catches_up_gets_everything() -> None:
    async with simulator_server() as (server, url):
        port = int(url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(post(chat_body(model="oversized:mb=12"), b"1.1", *LAST))
        await asyncio.sleep(0.1)
        size = 0
        while piece := await reader.read(1_000_000):
            size += len(piece)
        writer.close()
        assert size > 12_000_000
        assert server.log.latest[-1].outcome == "played"


async def test_stopping_ends_what_is_in_flight() -> None:
    async with simulator_server() as (server, url):
        asking = asyncio.create_task(exchange(url, post(chat_body(model="silent-before-headers"))))
        for _ in range(200):
            if server.log.in_flight:
                break
            await asyncio.sleep(0.01)
        await server.stop()
        assert await asking == b""
        assert server.log.latest[-1].outcome == "stopped"
        assert server.log.client_left == 0


async def test_requests_are_counted_by_the_model_they_ask_for_and_by_what_is_played() -> None:
    async with simulator_server() as (server, url):
        server.simulator.override("error-500", "mine")
        for model in ("mine", "mine", "steady"):
            await exchange(url, post(chat_body(model=model), b"1.1", *LAST))
        totals = server.log.totals()
    assert totals["by_model"] == {"mine": 2, "steady": 1}
    assert totals["by_behaviour"] == {"error-500": 2, "steady": 1}


async def test_models_are_counted_by_name_up_to_a_bound() -> None:
    log = Log()
    for number in range(1100):
        log.begin("/", [], b"", behaviour="steady", model=f"m{number}", stream=False)
    assert len(log.by_model) == 1001
    assert log.by_model[OTHER_MODELS] == 100
