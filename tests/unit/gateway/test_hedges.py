"""A second attempt beside a slow one: the first content wins, and nothing is hidden or doubled."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from steadyhand.gateway.climb.gear import Gear
from steadyhand.http.failures import ConnectionLost
from steadyhand.routing.model import SloClass
from steadyhand.routing.rungs.template import Template
from tests.support.chats import answer_body, chat_body, error_body, event, says, text_events
from tests.support.chats import chunk as chunk_of
from tests.support.gateways import GatewayBench, gateway_bench
from tests.support.ladders import QUICK_COST, gear_with, live_rung, until
from tests.support.replies import MemoryReply
from tests.support.upstreams import Script, answers, hangs, refuses, streams

SOON = SloClass("soon", first_content_ms=3_000, whole_ms=3_000, stream_cap_ms=20_000)


def hedging(
    first: Sequence[Script], second: Sequence[Script], gear: Gear | None = None, **settings: Any
) -> GatewayBench:
    """Build a gateway with one rung that hedges ``first`` with ``second``, after about 30 ms."""
    return gateway_bench(
        {"first": first, "second": second},
        slo=SOON,
        floor=Template("Back soon."),
        rungs=lambda ports: [live_rung(ports, "first", "second", hedge=True)],
        gear=gear or gear_with({"first": QUICK_COST, "second": QUICK_COST}),
        **settings,
    )


@pytest.mark.parametrize("stream", [False, True])
async def test_the_hedge_answers_for_a_silent_first_attempt(stream: bool) -> None:
    good = streams(*text_events("From two")) if stream else answers(answer_body("From two"))
    bench = hedging([hangs()], [good])
    reply = await bench.ask(chat_body(stream=stream))
    assert b"From two" in reply.body
    assert reply.headers[b"x-steadyhand-reason"] == b"hedge"
    assert reply.headers[b"x-steadyhand-deployment"] == b"second/second-model"
    record = bench.record()
    assert [(a.provider, a.role, a.reason) for a in record.attempts] == [
        ("first", "first", "hedge_lost"),
        ("second", "hedge", "ok"),
    ]
    assert bench.gateway.gear.hedge_counts.outcomes == {"won": 1}


async def test_the_first_attempt_wins_if_its_content_comes_first() -> None:
    gate = asyncio.Event()
    bench = hedging([Script(200, head=gate, steps=(answer_body("From one"),))], [hangs()])
    asking = asyncio.ensure_future(bench.ask())
    await bench.providers["second"].waiting.wait()
    gate.set()
    reply = await asking
    assert reply.body == answer_body("From one")
    assert reply.headers[b"x-steadyhand-reason"] == b"first_choice"
    assert [(a.provider, a.role, a.reason) for a in bench.record().attempts] == [
        ("second", "hedge", "hedge_lost"),
        ("first", "first", "ok"),
    ]
    assert bench.gateway.gear.hedge_counts.outcomes == {"lost": 1}


TRAPS = {
    "an error status": refuses(500),
    "an error body under 200": answers(error_body("overloaded", type="server_error")),
    "a lost connection": Script(200, steps=(answer_body()[:30], ConnectionLost("reset"))),
}


@pytest.mark.parametrize("trap", TRAPS.values(), ids=TRAPS.keys())
async def test_an_error_never_wins_over_the_healthy_attempt(trap: Script) -> None:
    """The hedge's error comes first, and must neither be sent nor cancel the first attempt."""
    gate = asyncio.Event()
    bench = hedging([Script(200, head=gate, steps=(answer_body("From one"),))], [trap])
    asking = asyncio.ensure_future(bench.ask())
    await bench.providers["first"].waiting.wait()
    await until(lambda: bench.gateway.gear.hedge_counts.outcomes["failed"] > 0)
    gate.set()
    reply = await asking
    assert (reply.status, reply.body) == (200, answer_body("From one"))
    first, second = sorted(bench.record().attempts, key=lambda a: a.provider)
    assert (first.reason, second.role) == ("ok", "hedge")
    assert second.reason != "ok"


async def test_an_error_event_never_wins_over_the_healthy_stream() -> None:
    """A frame that opens a stream and one that is an error are no content."""
    gate = asyncio.Event()
    opening, *rest = text_events("From one")
    trap = streams(opening, event(error_body("overloaded")))
    bench = hedging([Script(200, {}, steps=(opening, gate, *rest))], [trap])
    asking = asyncio.ensure_future(bench.ask(chat_body(stream=True)))
    await until(lambda: bench.gateway.gear.hedge_counts.outcomes["failed"] > 0)
    gate.set()
    reply = await asking
    assert b"From one" in reply.body
    assert b"overloaded" not in reply.body
    assert reply.body.endswith(b"data: [DONE]\n\n")


async def test_a_first_byte_is_no_content() -> None:
    """The first attempt has sent its opening frame; the hedge's text wins all the same."""
    opening, *_ = text_events("never")
    silent = asyncio.Event()
    bench = hedging([Script(200, {}, steps=(opening, silent))], [streams(*text_events("From two"))])
    reply = await bench.ask(chat_body(stream=True))
    assert b"From two" in reply.body
    assert bench.record().provider == "second"


async def test_when_both_fail_the_floor_speaks() -> None:
    gate = asyncio.Event()
    late_failure = Script(500, head=gate, steps=(error_body("no"),))
    bench = hedging([late_failure], [refuses(503)])
    asking = asyncio.ensure_future(bench.ask())
    await until(lambda: bench.gateway.gear.hedge_counts.outcomes["failed"] > 0)
    gate.set()
    reply = await asking
    assert reply.headers[b"x-steadyhand-rung"] == b"template"
    assert [(a.provider, a.reason) for a in bench.record().attempts] == [
        ("second", "overloaded"),
        ("first", "server_error"),
    ]


async def test_a_client_that_leaves_during_a_hedge_cancels_both() -> None:
    bench = hedging([hangs()], [hangs()])
    await bench.ask(leaves_when=bench.providers["second"].waiting)
    record = bench.record()
    assert record.outcome == "client_gone"
    assert {(a.provider, a.role, a.reason) for a in record.attempts} == {
        ("first", "first", "client_gone"),
        ("second", "hedge", "client_gone"),
    }
    assert bench.gateway.gear.hedge_counts.outcomes == {"cancelled": 1}
    in_flight = [health.in_flight for _, health in bench.gateway.gear.health]
    assert in_flight == [0] * len(in_flight)


async def test_a_client_that_leaves_after_the_hedge_has_begun_to_speak() -> None:
    texts = text_events("one", "two", "three")
    bench = hedging([hangs()], [streams(*texts)])
    reply = MemoryReply(leaves_after=1)
    await bench.ask(chat_body(stream=True), reply=reply)
    record = bench.record()
    assert record.outcome == "client_gone"
    assert [a.reason for a in record.attempts] == ["hedge_lost", "client_gone"]


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "tools are offered": (
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        "tool_call",
    ),
    "the messages end in a call": (
        {"messages": [{"role": "assistant", "content": None, "tool_calls": [CALL]}]},
        "tool_call",
    ),
    "the messages end in a result": (
        {"messages": [{"role": "tool", "tool_call_id": "c", "content": "7"}]},
        "tool_call",
    ),
    "the last message is none that we know": ({"messages": [7]}, "tool_call"),
}


@pytest.mark.parametrize(("fields", "reason"), REFUSALS.values(), ids=REFUSALS.keys())
async def test_what_could_act_twice_is_not_hedged(fields: dict[str, Any], reason: str) -> None:
    await refused(hedging([hangs()], []), fields, reason)


async def refused(bench: GatewayBench, fields: dict[str, Any], reason: str) -> None:
    """Ask, and see that the hedge is refused for ``reason``, and then no call made."""
    counts = bench.gateway.gear.hedge_counts
    asking = asyncio.ensure_future(bench.ask(chat_body(**fields)))
    await until(lambda: counts.refused.total() > 0)
    assert counts.refused == {reason: 1}
    assert bench.providers["second"].calls == []
    asking.cancel()
    await asyncio.wait({asking})


async def test_no_hedge_goes_to_another_region() -> None:
    bench = gateway_bench(
        {"first-eu": [hangs()], "second": []},
        slo=SOON,
        rungs=lambda ports: [live_rung(ports, "first-eu", "second", hedge=True)],
        gear=gear_with({"first-eu": QUICK_COST, "second": QUICK_COST}),
    )
    await refused(bench, {}, "residency")


async def test_no_hedge_adds_to_a_slowdown() -> None:
    gear = gear_with({"first": QUICK_COST, "second": QUICK_COST}, slow=("first",))
    await refused(hedging([hangs()], [], gear), {}, "slowdown")


async def test_no_hedge_without_a_token() -> None:
    gear = gear_with({"first": QUICK_COST, "second": QUICK_COST}, tokens=0.2)
    await refused(hedging([hangs()], [], gear), {}, "budget")


async def test_a_budget_for_one_hedge_lets_one_of_many_requests_hedge() -> None:
    """Twelve at once find tokens for one: the others wait for the attempt that they have."""
    many, gate = 12, asyncio.Event()
    gear = gear_with({"first": QUICK_COST, "second": QUICK_COST}, tokens=1.0)
    waiting = Script(200, head=gate, steps=(answer_body("From one"),))
    bench = hedging([waiting] * many, [answers(answer_body("From two"))], gear)
    asking = [asyncio.ensure_future(bench.ask()) for _ in range(many)]
    await until(lambda: gear.hedge_counts.refused["budget"] == many - 1)
    gate.set()
    bodies = [(await one).body for one in asking]
    assert bodies.count(answer_body("From two")) == 1
    assert bodies.count(answer_body("From one")) == many - 1
    assert gear.hedge_counts.outcomes == {"won": 1}
    assert gear.hedge_counts.refused == {"budget": many - 1}


async def test_a_first_attempt_pays_in_and_a_fallback_takes_out() -> None:
    gear = gear_with({"first": QUICK_COST, "second": QUICK_COST}, tokens=3.0)
    bench = hedging([answers(), refuses(500)], [answers()], gear)
    await bench.ask()
    assert gear.hedges.of("acme", "first").tokens == pytest.approx(3.05)
    await bench.ask()
    assert gear.hedges.of("acme", "first").tokens == pytest.approx(3.1)
    assert gear.hedges.of("acme", "second").tokens == pytest.approx(2.0)


async def test_a_rung_of_one_deployment_hedges_with_the_same_once_more() -> None:
    bench = gateway_bench(
        {"first": [hangs(), answers(answer_body("again"))]},
        slo=SOON,
        rungs=lambda ports: [live_rung(ports, "first", hedge=True)],
        gear=gear_with({"first": QUICK_COST}),
    )
    reply = await bench.ask()
    assert reply.body == answer_body("again")
    assert [(a.role, a.reason) for a in bench.record().attempts] == [
        ("first", "hedge_lost"),
        ("hedge", "ok"),
    ]


async def test_the_second_attempt_is_not_one_more_try_after_a_failure() -> None:
    """The spare place of a rung of one deployment is for a hedge, not for asking again."""
    bench = gateway_bench(
        {"first": [refuses(500)]},
        slo=SOON,
        rungs=lambda ports: [live_rung(ports, "first", hedge=True)],
        gear=gear_with({"first": QUICK_COST}),
    )
    assert (await bench.ask()).status == 503
    assert len(bench.record().attempts) == 1


async def test_the_losers_tokens_are_billed_as_an_estimate() -> None:
    bench = hedging([hangs()], [answers()])
    await bench.ask()
    lost, won = bench.record().attempts
    assert (lost.usage, lost.output_tokens) == ("estimated", 0)
    assert lost.input_tokens > 0
    assert (won.usage, won.input_tokens) == ("", 0), "the record has them"


def test_chunks_of_this_module_are_content() -> None:
    """The traps above differ from content in what they say, not in their shape."""
    assert b"content" in chunk_of(says("x"))
