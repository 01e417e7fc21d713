"""Stored rungs on a climb: who speaks when, what is kept, and late answers for later requests."""

import asyncio
import json
from functools import partial
from typing import Any

import pytest
from typing_extensions import override

from steadyhand.core import sse
from steadyhand.core.chat import Usage
from steadyhand.gateway.climb.gear import Gear
from steadyhand.gateway.climb.harvest import HarvestLimits
from steadyhand.records.annotation import Annotation, LateUsage, body_of
from steadyhand.routing.model import SloClass
from steadyhand.routing.rungs.base import Question, StoredAnswer
from steadyhand.routing.rungs.template import Template
from tests.support.chats import (
    USAGE,
    answer_body,
    chat_body,
    chunk,
    event,
    says,
    stops,
    text_events,
)
from tests.support.gateways import GatewayBench, gateway_bench
from tests.support.ladders import ScriptedStored, gear_with, live_rung, until
from tests.support.replies import MemoryReply
from tests.support.upstreams import Script, answers, hangs, refuses, streams

TIGHT = SloClass("tight", first_content_ms=800, whole_ms=800, stream_cap_ms=20_000)
"""Short enough to wait for its end, long enough for a busy machine to begin in."""

FRESH = StoredAnswer(
    "From the cache",
    model="m-2026",
    usage=Usage(prompt_tokens=12, completion_tokens=5),
    deployment="first/first-model",
    age_ms=1_500,
)
STALE = StoredAnswer("An old one", age_ms=90_000, reason="stale_hit", is_fresh=False)
CURATED = StoredAnswer("By hand", confidence=0.9, source="answers/ü.md", reason="curated")


def cached(
    stored: ScriptedStored,
    script: list[Script],
    *,
    after: bool = False,
    gear: Gear | None = None,
    slo: SloClass = TIGHT,
) -> GatewayBench:
    """Build a gateway with a stored rung before, or ``after``, a live one."""

    def rungs(ports: Any) -> list[Any]:
        live = live_rung(ports, "first")
        return [live, stored] if after else [stored, live]

    return gateway_bench(
        {"first": script}, slo=slo, floor=Template("Back soon."), rungs=rungs, gear=gear
    )


@pytest.mark.parametrize("stream", [False, True])
async def test_a_fresh_answer_speaks_at_once_and_says_what_it_is(stream: bool) -> None:
    bench = cached(ScriptedStored(FRESH), [])
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if stream else {}
    reply = await bench.ask(chat_body(stream=stream, **options))
    said = read(reply, stream=stream)
    assert said["text"] == "From the cache"
    assert (said["model"], said["usage"]["total_tokens"]) == ("m-2026", 17)
    assert reply.headers[b"x-steadyhand-rung"] == b"cache"
    assert reply.headers[b"x-steadyhand-reason"] == b"fresh_hit"
    assert reply.headers[b"x-steadyhand-age-ms"] == b"1500"
    assert reply.headers[b"x-steadyhand-deployment"] == b"first/first-model"
    record = bench.record()
    assert (record.outcome, record.rung, record.age_ms) == ("answered", "cache", 1_500)
    assert (record.input_tokens, record.output_tokens) == (0, 0), "nothing was spent"


def read(reply: MemoryReply, *, stream: bool) -> dict[str, Any]:
    """Return text, model and usage of an answer; all chunks of a stream must agree."""
    if not stream:
        body = reply.json()
        text = body["choices"][0]["message"]["content"]
        return {"text": text, "model": body["model"], "usage": body["usage"]}
    payloads = [sse.payload(one) for one in sse.EventSplitter(10_000).feed(reply.body)]
    assert payloads.pop() == sse.DONE
    chunks = [json.loads(data) for data in payloads if data]
    assert len({(one["id"], one["created"], one["model"]) for one in chunks}) == 1
    texts = [c["delta"].get("content", "") for one in chunks for c in one["choices"]]
    return {"text": "".join(texts), "model": chunks[0]["model"], "usage": chunks[-1]["usage"]}


async def test_a_curated_answer_names_its_source_and_confidence() -> None:
    bench = cached(ScriptedStored(CURATED, kind="knowledge"), [refuses(500)], after=True)
    reply = await bench.ask()
    assert reply.headers[b"x-steadyhand-rung"] == b"knowledge"
    assert reply.headers[b"x-steadyhand-reason"] == b"server_error", "why the live rung did not"
    assert reply.headers[b"x-steadyhand-confidence"] == b"0.900"
    assert reply.headers[b"x-steadyhand-source"] == b"answers/%C3%BC.md"
    record = bench.record()
    assert (record.source, record.confidence) == ("answers/ü.md", 0.9)


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"response_format": {"type": "json_object"}},
    ],
)
async def test_text_does_not_answer_for_a_call_or_for_json(fields: dict[str, Any]) -> None:
    bench = cached(ScriptedStored(FRESH), [answers()])
    reply = await bench.ask(chat_body(**fields))
    assert reply.headers[b"x-steadyhand-rung"] == b"live"


async def test_what_is_valid_for_all_answers_for_json() -> None:
    valid = StoredAnswer('{"a":1}', answers_all=True)
    bench = cached(ScriptedStored(valid), [])
    reply = await bench.ask(chat_body(response_format={"type": "json_object"}))
    assert reply.headers[b"x-steadyhand-rung"] == b"cache"


async def test_a_stale_answer_waits_for_the_live_rung() -> None:
    bench = cached(ScriptedStored(STALE), [answers()])
    assert (await bench.ask()).headers[b"x-steadyhand-rung"] == b"live"


@pytest.mark.parametrize("script", [refuses(500), hangs()], ids=["fails", "is silent"])
async def test_a_stale_answer_speaks_when_the_live_rung_does_not(script: Script) -> None:
    bench = cached(ScriptedStored(STALE), [script])
    reply = await bench.ask()
    assert (reply.status, read(reply, stream=False)["text"]) == (200, "An old one")
    assert reply.headers[b"x-steadyhand-rung"] == b"cache"
    assert reply.headers[b"x-steadyhand-reason"] in {b"server_error", b"gave_up"}
    await bench.gateway.gear.harvest.close()


async def test_slower_tiers_are_asked_and_their_answer_speaks() -> None:
    bench = cached(ScriptedStored(fetched=FRESH), [])
    reply = await bench.ask()
    assert reply.headers[b"x-steadyhand-rung"] == b"cache"


def was_left(stored: ScriptedStored) -> bool:
    return stored.cancelled == stored.fetches


async def test_a_frozen_tier_does_not_keep_the_live_rung_waiting() -> None:
    for _ in range(5):  # a busy machine may have no time left for the tier
        frozen = ScriptedStored(is_slow=True, gate=asyncio.Event())
        bench = cached(frozen, [answers()])
        reply = await bench.ask()
        assert reply.headers[b"x-steadyhand-rung"] == b"live"
        await until(partial(was_left, frozen))
        if frozen.fetches:
            return
    raise AssertionError("never asked")


async def test_a_tier_that_raises_is_a_miss() -> None:
    class Broken(ScriptedStored):
        @override
        async def fetch(self, question: Question, until_s: float) -> StoredAnswer | None:
            raise RuntimeError("a bug")

    bench = cached(Broken(is_slow=True), [answers()])
    assert (await bench.ask()).headers[b"x-steadyhand-rung"] == b"live"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_whole_live_answer_is_offered(stream: bool) -> None:
    stored = ScriptedStored()
    good = streams(*text_events("Hel", "lo")) if stream else answers(answer_body("Hello"))
    bench = cached(stored, [good])
    await bench.ask(chat_body(stream=stream))
    (kept,) = stored.kept
    assert (kept.content, kept.deployment, kept.is_late) == ("Hello", "first/first-model", False)
    (question,) = stored.questions
    assert (question.tenant, question.route, question.stream) == ("acme", "assistant", stream)


CALL = [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]
MESSAGE = {"role": "assistant", "content": "x"}
UNKEPT = {
    "cut by its length": answers(
        answer_body(choices=[{"index": 0, "message": MESSAGE, "finish_reason": "length"}])
    ),
    "filtered": answers(
        answer_body(choices=[{"index": 0, "message": MESSAGE, "finish_reason": "content_filter"}])
    ),
    "two choices": answers(
        answer_body(choices=[{"message": MESSAGE, "finish_reason": "stop"}] * 2)
    ),
    "a tool call": answers(
        answer_body(choices=[{"message": MESSAGE | {"tool_calls": CALL}, "finish_reason": "stop"}])
    ),
    "a refusal": answers(
        answer_body(choices=[{"message": MESSAGE | {"refusal": "no"}, "finish_reason": "stop"}])
    ),
    "no text": answers(
        answer_body(choices=[{"message": {"content": None}, "finish_reason": "stop"}])
    ),
    "parts": answers(
        answer_body(choices=[{"message": {"content": [{}]}, "finish_reason": "stop"}])
    ),
    "a cut stream": streams(event(chunk(says("half")))),
    "a stream cut by its length": streams(
        event(chunk(says("x"))), event(chunk(stops("length"))), b"data: [DONE]\n\n"
    ),
    "a stream with a call": streams(
        event(chunk({"index": 0, "delta": {"tool_calls": CALL}, "finish_reason": None})),
        event(chunk(stops())),
        b"data: [DONE]\n\n",
    ),
    "a stream of two choices": streams(
        *(event(chunk(says("x", index))) for index in (0, 1)),
        *(event(chunk(stops(index=index))) for index in (0, 1)),
        b"data: [DONE]\n\n",
    ),
    "a stream too long to keep": streams(
        event(chunk(says("x" * 300_000))), event(chunk(stops())), b"data: [DONE]\n\n"
    ),
}


@pytest.mark.parametrize("script", UNKEPT.values(), ids=UNKEPT.keys())
async def test_what_is_not_one_whole_plain_text_is_not_offered(script: Script) -> None:
    stored = ScriptedStored()
    bench = cached(stored, [script])
    is_stream = script.headers.get(b"content-type") == b"text/event-stream"
    reply = await bench.ask(chat_body(stream=is_stream))
    assert reply.status == 200
    assert stored.kept == []


@pytest.mark.parametrize("stream", [False, True])
async def test_a_late_answer_is_harvested(stream: bool) -> None:
    """The floor spoke in time; the answer that came later serves the next one who asks."""
    gate, stored, notes = asyncio.Event(), ScriptedStored(), list[Annotation]()
    whole = Script(200, head=gate, steps=(answer_body("Late"),))
    late = Script(200, head=gate, steps=tuple(text_events("La", "te"))) if stream else whole
    bench = cached(stored, [late], gear=gear_with(annotations=notes))
    reply = await bench.ask(chat_body(stream=stream))
    assert reply.headers[b"x-steadyhand-rung"] == b"template"
    (attempt,) = [a for a in bench.records[0].attempts if a.rung == "live"]
    assert attempt.reason == "harvested"
    gate.set()
    await until(lambda: bench.gateway.gear.harvest.outcomes.total() == 1)
    (kept,) = stored.kept
    assert (kept.content, kept.is_late) == ("Late", True)
    assert bench.gateway.gear.harvest.outcomes == {"kept": 1}
    usage = body_of(notes[0])
    assert isinstance(usage, LateUsage)
    assert (usage.role, usage.counting, usage.input_tokens) == (
        "harvest",
        "reported",
        USAGE["prompt_tokens"],
    )
    bench.record()  # the reply was closed
    assert bench.gateway.serving.users == 0


async def test_a_harvest_takes_no_longer_than_its_limit() -> None:
    stored = ScriptedStored()
    bench = cached(stored, [hangs()], gear=gear_with(limits=HarvestLimits(max_s=0.02)))
    await bench.ask()
    harvest = bench.gateway.gear.harvest
    await until(lambda: harvest.outcomes.total() == 1)
    assert (dict(harvest.outcomes), stored.kept) == ({"capped": 1}, [])


async def test_a_harvest_says_no_more_than_its_limit() -> None:
    gate, stored = asyncio.Event(), ScriptedStored()
    late = Script(200, head=gate, steps=tuple(text_events("one", "two" * 100)))
    bench = cached(stored, [late], gear=gear_with(limits=HarvestLimits(max_bytes=300)))
    await bench.ask(chat_body(stream=True))
    gate.set()
    harvest = bench.gateway.gear.harvest
    await until(lambda: harvest.outcomes.total() == 1)
    assert (dict(harvest.outcomes), stored.kept) == ({"capped": 1}, [])
    bench.record()  # the reply was closed


async def test_without_room_a_late_answer_is_cancelled() -> None:
    stored = ScriptedStored()
    bench = cached(stored, [hangs()], gear=gear_with(limits=HarvestLimits(max_at_once=0)))
    await bench.ask()
    assert bench.gateway.gear.harvest.outcomes == {}
    (attempt,) = [a for a in bench.record().attempts if a.rung == "live"]
    assert attempt.reason == "gave_up"


async def test_a_harvest_that_fails_keeps_nothing() -> None:
    gate, stored = asyncio.Event(), ScriptedStored()
    bench = cached(stored, [Script(500, head=gate)])
    await bench.ask()
    gate.set()
    harvest = bench.gateway.gear.harvest
    await until(lambda: harvest.outcomes.total() == 1)
    assert (harvest.outcomes, stored.kept) == ({"failed": 1}, [])


async def test_a_process_that_stops_cancels_its_harvests() -> None:
    bench = cached(ScriptedStored(), [hangs()])
    await bench.ask()
    harvest = bench.gateway.gear.harvest
    await harvest.close()
    assert harvest.outcomes == {"cancelled": 1}
    assert bench.gateway.serving.users == 0


async def test_a_client_that_leaves_cancels_what_nobody_else_uses() -> None:
    bench = cached(ScriptedStored(), [hangs()])
    await bench.ask(leaves_when=bench.providers["first"].waiting)
    assert bench.gateway.gear.harvest.outcomes == {}
    assert bench.record().attempts[-1].reason == "client_gone"


async def test_an_answer_to_revalidate_speaks_and_is_refreshed_behind() -> None:
    old = StoredAnswer("Old", reason="stale_hit", is_fresh=False, revalidate=True)
    stored = ScriptedStored(old)
    bench = cached(stored, [answers(answer_body("New"))])
    reply = await bench.ask()
    assert read(reply, stream=False)["text"] == "Old"
    await until(lambda: bench.gateway.gear.harvest.outcomes.total() == 1)
    assert [kept.content for kept in stored.kept] == ["New"]
