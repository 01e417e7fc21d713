"""Hedges over real sockets: whatever the upstreams do, one whole answer or the floor."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from steadyhand.providers.openai import OpenAIProvider, Settings, build
from steadyhand.routing.model import SloClass
from steadyhand.routing.rungs.template import Template
from tests.support.chats import answer_body, chat_body, chunk, error_body, event, says, text_events
from tests.support.client import left
from tests.support.gateways import GatewayBench, gateway_bench
from tests.support.hostile_upstream import HostileUpstream, Visit, hostile
from tests.support.ladders import QUICK_COST, gear_with, live_rung
from tests.support.replies import MemoryReply
from tests.support.simulators import ports

SOON = SloClass("soon", first_content_ms=4_000, whole_ms=4_000, stream_cap_ms=20_000)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
OPENING, *_ = text_events("x")
Play = Callable[[Visit], None]


def whole(text: str) -> Play:
    """Answer whole requests and streams alike."""

    def play(visit: Visit) -> None:
        if b'"stream":true' in visit.request():
            visit.say(HEAD, *text_events(text))
            return
        body = answer_body(text)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        visit.say(head % len(body), body)

    return play


def silent(visit: Visit) -> None:
    visit.request()
    visit.until_gone()


def dripping(visit: Visit) -> None:
    visit.request()
    visit.say(b"HTTP/1.1 200 OK\r\n")
    visit.endlessly(b"x-drip: 1\r\n", every_s=0.05)


def opened_then_silent(visit: Visit) -> None:
    visit.request()
    visit.say(HEAD, OPENING)
    visit.until_gone()


def lying(visit: Visit) -> None:
    """Claim success and say an error."""
    visit.request()
    visit.say(HEAD, OPENING, event(error_body("overloaded")))


def cut_before_commit(visit: Visit) -> None:
    visit.request()
    visit.say(HEAD, OPENING)
    visit.reset()


def cut_after_commit(visit: Visit) -> None:
    visit.request()
    visit.say(HEAD, OPENING, event(chunk(says("half"))))
    visit.reset()


WAITING = {silent, dripping, opened_then_silent}
"""Plays that go on until the gateway closes the connection."""


def provider(peer: HostileUpstream) -> OpenAIProvider:
    return build(Settings(base_url=f"http://127.0.0.1:{peer.port}/v1"), ports())


@asynccontextmanager
async def hedged(
    first: Play, second: Play
) -> AsyncIterator[tuple[GatewayBench, HostileUpstream, HostileUpstream]]:
    """Serve with one rung of two upstreams; the second is asked after about 30 ms of silence."""
    with hostile(first) as one, hostile(second) as two:
        real = {"first": provider(one), "second": provider(two)}
        yield (
            gateway_bench(
                real=real,
                slo=SOON,
                floor=Template("Back soon."),
                rungs=lambda rung_ports: [live_rung(rung_ports, "first", "second", hedge=True)],
                gear=gear_with({"first": QUICK_COST, "second": QUICK_COST}),
            ),
            one,
            two,
        )
        for made in real.values():
            await made.close()


@pytest.mark.parametrize("first", [silent, dripping, opened_then_silent, lying, cut_before_commit])
@pytest.mark.parametrize("stream", [False, True])
async def test_the_second_answers_whole_whatever_the_first_does(first: Play, stream: bool) -> None:
    async with hedged(first, whole("From two")) as (bench, one, _):
        reply = await bench.ask(chat_body(stream=stream))
        assert reply.status == 200
        assert b"From two" in reply.body
        assert reply.body.endswith(b"data: [DONE]\n\n") is stream
        assert bench.record().provider == "second"
        if first in WAITING:
            await left(one.visits[0])


@pytest.mark.parametrize("second", [lying, cut_before_commit])
async def test_a_second_that_fails_first_neither_wins_nor_harms(second: Play) -> None:
    opened = threading.Event()

    def late(visit: Visit) -> None:
        visit.request()
        opened.wait(20)
        visit.say(HEAD, *text_events("From one"))

    async with hedged(late, second) as (bench, _, _):
        asking = asyncio.ensure_future(bench.ask(chat_body(stream=True)))
        counts = bench.gateway.gear.hedge_counts
        while not counts.outcomes["failed"]:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)
        opened.set()
        reply = await asking
        assert b"From one" in reply.body
        assert reply.body.endswith(b"data: [DONE]\n\n")
        assert bench.record().provider == "first"


async def test_after_commit_nobody_else_speaks() -> None:
    async with hedged(cut_after_commit, whole("From two")) as (bench, _, _):
        reply = await bench.ask(chat_body(stream=True))
        assert b"half" in reply.body
        assert b"From two" not in reply.body
        assert b"[DONE]" not in reply.body
        assert bench.record().outcome == "truncated"


async def test_when_both_die_the_floor_speaks() -> None:
    async with hedged(cut_before_commit, cut_before_commit) as (bench, _, _):
        reply = await bench.ask(chat_body(stream=True))
        assert (reply.status, reply.headers[b"x-steadyhand-rung"]) == (200, b"template")


async def test_a_client_that_leaves_takes_both_connections_along() -> None:
    async with hedged(silent, silent) as (bench, one, two):
        reply = MemoryReply()
        asked = asyncio.Event()

        async def both_asked() -> None:
            while not (one.visits and two.visits and two.visits[0].requests):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            asked.set()

        watching = asyncio.ensure_future(both_asked())
        await bench.ask(reply=reply, leaves_when=asked)
        await watching
        await left(one.visits[0])
        await left(two.visits[0])
        assert bench.record().outcome == "client_gone"
