"""The load generator counts what came back, and charges a stall to everything that was due."""

import asyncio
import time
from collections.abc import Iterator
from itertools import count

import pytest

from benchmarks.load import Plan, run
from benchmarks.machine import usable_cores
from benchmarks.mock_upstream import completion
from benchmarks.running import mock_upstream
from benchmarks.targets import PATH

EVENT = b'data: {"choices":[]} @00000000000000000001@\n\n'
DONE = b"data: [DONE]\n\n"
ONE_EVENT = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(EVENT), EVENT, len(DONE), DONE)
)


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with mock_upstream(usable_cores()[-1]) as (address, _):
        yield address + PATH


def plan(
    url: str, *, connections: int = 4, rate: float | None = None, events: int | None = None
) -> Plan:
    return Plan(
        url=url,
        headers=(),
        connections=connections,
        rate=rate,
        events=events,
        gap_us=0,
        warm_s=0.0,
        counted_s=0.5,
        spread_s=0.0,
        budget_s=1.0,
        may_refuse=False,
    )


async def test_a_closed_loop_counts_answers(upstream: str) -> None:
    result = await run(plan(upstream))
    assert result["errors"] == result["unanswered"] == 0, result["problem"]
    assert result["total"] > 10
    assert 0 < result["per_s"] <= result["total"] / 0.5
    assert 0 < result["latency_us"]["p50"] <= result["latency_us"]["max"]


async def test_an_open_loop_sends_what_is_due_and_no_more(upstream: str) -> None:
    result = await run(plan(upstream, rate=100))
    assert result["total"] == 50
    assert result["errors"] == result["unanswered"] == 0, result["problem"]


async def test_events_of_streams_are_counted(upstream: str) -> None:
    result = await run(plan(upstream, events=20))
    assert result["errors"] == 0, result["problem"]
    assert 0 < result["events_per_s"] * 0.5 <= result["total"] * 20
    assert result["event_delay_us"]["p50"] > 0


async def test_a_stream_that_lacks_an_event_is_an_error() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            writer.write(ONE_EVENT)
            await asyncio.sleep(0.01)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{PATH}"
        result = await run(plan(url, events=2))
    assert result["errors"] == result["total"] > 0
    assert result["problem"].startswith("1 events instead of 2")


async def test_a_stall_is_charged_to_all_that_had_to_wait() -> None:
    """With two connections only two requests are under way; forty more were due meanwhile."""
    begin_s = time.monotonic()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            now_s = time.monotonic() - begin_s
            if 0.05 < now_s < 0.45:
                await asyncio.sleep(0.45 - now_s)
            writer.write(completion(100))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{PATH}"
        result = await run(plan(url, connections=2, rate=100))
    assert result["total"] == 50
    assert result["latency_us"]["p50"] > 100_000


async def test_a_lost_connection_is_an_error_and_is_opened_again() -> None:
    numbers = count()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            if next(numbers) == 3:
                break
            writer.write(completion(100))
            await asyncio.sleep(0.001)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{PATH}"
        result = await run(plan(url, connections=1))
    assert result["errors"] == 1
    assert result["problem"].startswith("connection lost")
    assert result["total"] > 10
