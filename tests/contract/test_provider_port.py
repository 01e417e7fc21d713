"""What every provider owes the gateway beyond its wire: limits, cancellation, many at once.

Run in process, and over a socket to the simulator's server by either transport.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from steadyhand.http.failures import (
    ConnectFailed,
    FirstByteTimedOut,
    GaveUp,
    IdleTimedOut,
    ResponseTooLarge,
    TotalTimedOut,
    UpstreamError,
)
from steadyhand.http.transports import Kind
from steadyhand.providers import openai, simulated
from steadyhand.providers.base import Provider
from steadyhand.simulation.seen import Log
from tests.support.simulators import call, limits, ports, simulator_server


@dataclass
class Bench:
    """A provider under test, and what its upstream saw if it has one."""

    provider: Provider
    upstream: Log | None


@pytest.fixture(params=["in process", "over a socket", "over a socket by aiohttp"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    if request.param == "in process":
        yield Bench(simulated.build(simulated.Settings(), ports()), None)
        return
    async with simulator_server() as (server, url):
        kind: Kind = "aiohttp" if "aiohttp" in request.param else "native"
        settings = openai.Settings(base_url=f"{url}/v1", transport=kind)
        provider = openai.build(settings, ports())
        try:
            yield Bench(provider, server.log)
        finally:
            await provider.close()


async def settled(log: Log | None) -> None:
    """Wait until the upstream has noticed that everybody is gone."""
    for _ in range(300):
        if log is None or log.in_flight == 0:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the upstream request goes on")


async def test_status_and_headers_are_there_before_the_body(bench: Bench) -> None:
    reply = await bench.provider.open(call("silent-after-headers", stream=True), limits())
    assert reply.status == 200
    assert reply.headers[b"content-type"].startswith(b"text/event-stream")
    assert all(name == name.lower() for name in reply.headers)
    reply.close()


async def test_a_body_is_read_as_it_comes_and_ends_with_nothing(bench: Bench) -> None:
    reply = await bench.provider.open(call("drip:gap_ms=5", stream=True), limits())
    pieces = [await reply.read()]
    while pieces[-1]:
        pieces.append(await reply.read())
    assert len(pieces) > 3
    assert b"".join(pieces).endswith(b"data: [DONE]\n\n")
    assert await reply.read() == b""
    reply.close()


async def test_a_stream_always_ends_with_its_usage(bench: Bench) -> None:
    reply = await bench.provider.open(call("steady", stream=True), limits())
    body = await reply.read_all(1_000_000)
    reply.close()
    assert b'"choices":[],"usage":{"prompt_tokens":' in body


@pytest.mark.parametrize(
    ("model", "bounds", "failure"),
    [
        ("silent-before-headers", {"first_byte_s": 0.05}, FirstByteTimedOut),
        ("silent-before-headers", {"total_s": 0.05}, TotalTimedOut),
        ("silent-mid-body", {"idle_s": 0.05}, IdleTimedOut),
        ("silent-mid-body", {"total_s": 0.1}, TotalTimedOut),
        ("slow:ttft_ms=5000", {"first_byte_s": 0.05}, FirstByteTimedOut),
        ("drip:gap_ms=5000", {"idle_s": 0.05}, IdleTimedOut),
        ("endless", {"total_s": 0.1}, TotalTimedOut),
    ],
)
async def test_each_limit_has_its_failure(
    bench: Bench, model: str, bounds: dict[str, float], failure: type[UpstreamError]
) -> None:
    with pytest.raises(failure):
        await drain(bench.provider, model, **bounds)
    await settled(bench.upstream)


async def drain(provider: Provider, model: str, **bounds: float) -> bytes:
    reply = await provider.open(call(model, stream=True), limits(**bounds))
    try:
        return await reply.read_all(10_000_000)
    finally:
        reply.close()


@pytest.mark.parametrize("model", ["silent-before-headers", "silent-mid-body", "endless"])
async def test_an_exchange_is_given_up_at_the_point_that_is_named(bench: Bench, model: str) -> None:
    with pytest.raises(GaveUp):
        await drain(bench.provider, model, give_up_at_s=time.monotonic() + 0.1)
    await settled(bench.upstream)


async def test_the_point_may_be_moved_while_a_read_waits(bench: Bench) -> None:
    reply = await bench.provider.open(call("silent-after-headers", stream=True), limits())
    reading = asyncio.create_task(reply.read())
    await asyncio.sleep(0.02)
    reply.give_up_at(time.monotonic() + 0.02)
    with pytest.raises(GaveUp):
        await asyncio.wait_for(reading, 5)
    reply.close()


async def test_the_point_may_be_moved_out(bench: Bench) -> None:
    bounds = limits(give_up_at_s=time.monotonic() + 0.3)
    reply = await bench.provider.open(call("drip:gap_ms=60,tokens=10", stream=True), bounds)
    reply.give_up_at(float("inf"))
    assert (await reply.read_all(1_000_000)).endswith(b"[DONE]\n\n")
    reply.close()


async def test_a_body_past_the_callers_limit_is_refused(bench: Bench) -> None:
    reply = await bench.provider.open(call("oversized:mb=2"), limits())
    with pytest.raises(ResponseTooLarge):
        await reply.read_all(100_000)
    reply.close()


@pytest.mark.parametrize("model", ["slow:ttft_ms=60000", "silent-mid-body", "endless"])
async def test_cancelling_a_request_ends_it_upstream(bench: Bench, model: str) -> None:
    running = asyncio.create_task(drain(bench.provider, model))
    await asyncio.sleep(0.1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await settled(bench.upstream)
    if bench.upstream is not None:
        assert bench.upstream.client_left == 1
        assert bench.upstream.latest[-1].outcome == "client left"


async def test_closing_a_reply_early_ends_it_upstream(bench: Bench) -> None:
    reply = await bench.provider.open(call("endless", stream=True), limits())
    await reply.read()
    reply.close()
    await settled(bench.upstream)


async def test_a_failure_leaves_the_next_request_unharmed(bench: Bench) -> None:
    for model in ("error-500", "malformed-json", "wrong-length-short", "cut-mid-word"):
        with suppress(UpstreamError):
            await drain(bench.provider, model)
        assert (await drain(bench.provider, "steady")).endswith(b"[DONE]\n\n")


async def test_many_at_once_do_not_mix(bench: Bench) -> None:
    async def ask(number: int) -> bytes:
        text = f"steady:answer=number%20{number}%20of%20many,ttft_ms={number % 7}"
        return await drain(bench.provider, text)

    bodies = await asyncio.gather(*(ask(number) for number in range(100)))
    for number, body in enumerate(bodies):
        assert f'" {number}"'.encode() in body


async def test_a_port_where_nobody_listens() -> None:
    provider = openai.build(openai.Settings(base_url="http://127.0.0.1:9/v1"), ports())
    with pytest.raises(ConnectFailed):
        await drain(provider, "steady")
    await provider.close()
