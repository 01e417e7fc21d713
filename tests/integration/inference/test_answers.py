"""A model's host answers in OpenAI's wire, over a real socket, from a real process."""

import asyncio
import json
from pathlib import Path

import pytest
from openai.types.chat import ChatCompletion

from steadyhand.core.sse import DONE
from steadyhand.http.failures import GaveUp
from steadyhand.inference.service import remaining_s
from tests.support.local_models import Bench, call, model_bench, patient
from tests.support.outcomes import events

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


async def test_answers_refusals_and_cancellation(tmp_path: Path) -> None:
    async with model_bench(tmp_path, parallel=2) as bench:
        await bench.until("up")
        await whole_answers(bench)
        await streams(bench)
        await forced_calls(bench)
        await refusals(bench)
        await cancellation(bench)


async def whole_answers(bench: Bench) -> None:
    heard = await bench.ask("say=3")
    whole = ChatCompletion.model_validate_json(heard.body)
    assert whole.choices[0].message.content == "w0 w1 w2 "
    assert whole.model == "small"
    assert whole.usage is not None
    assert whole.usage.total_tokens == 17
    counts = bench.model.counts
    assert (counts.answered, counts.prompt_tokens, counts.output_tokens) == (1, 12, 3)
    assert counts.cached_tokens == 0
    await bench.ask("say=3")
    assert counts.cached_tokens == 10
    many = await asyncio.gather(*(bench.ask(f"say={count} gap_ms=1") for count in range(1, 9)))
    for count, one in enumerate(many, 1):
        assert one.json["choices"][0]["message"]["content"].count("w") == count


async def streams(bench: Bench) -> None:
    heard = await bench.ask("say=2", stream=True)
    *chunks, last = events(heard.body)
    assert last == DONE
    assert json.loads(chunks[-1])["usage"]["completion_tokens"] == 2, "the provider asks for it"
    assert [json.loads(one)["choices"] for one in chunks[:-1]]


async def forced_calls(bench: Bench) -> None:
    text = 'text={"name":"f","arguments":{"a":1}}'
    heard = await bench.ask(text, tools=[TOOL], tool_choice="required")
    message = heard.json["choices"][0]["message"]
    assert message["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a":1}'}


async def refusals(bench: Bench) -> None:
    too_long = await bench.ask("refuse=400")
    assert (too_long.status, too_long.code) == (400, "context_length_exceeded")
    broken = await bench.ask("raise")
    assert (broken.status, broken.code) == (500, "engine_refused")
    twice = await bench.ask("say=1", n=2)
    assert (twice.status, twice.code, twice.json["error"]["param"]) == (
        400,
        "unsupported_value",
        "n",
    )
    failure = bench.provider.classify(400, {}, too_long.body)
    assert (failure.reason, failure.callers_own) == ("context_length_exceeded", True)
    await bench.until("idle")
    assert bench.model.counts.stopped == 0, "a refusal is no request that was stopped"


async def cancellation(bench: Bench) -> None:
    """A client that leaves, and a rung that gives up, free the slot; the process lives on."""
    stopped, pid = bench.model.counts.stopped, bench.model.pid
    reply = await bench.provider.open(call("endless gap_ms=5", stream=True), patient())
    assert await reply.read()
    assert bench.model.generating == 1
    reply.close()
    await bench.until("idle")
    for stream in (True, False):
        with pytest.raises(GaveUp):
            await bench.ask("endless gap_ms=5", left_s=0.3, stream=stream)
        await bench.until("idle")
    with pytest.raises(GaveUp):  # while the prompt is read
        await bench.ask("say=1 prompt_ms=4000", left_s=0.3)
    await bench.until("idle")
    assert bench.model.counts.stopped == stopped + 4
    assert bench.model.pid == pid
    assert (await bench.ask("say=1")).status == 200


async def test_other_paths_and_methods_are_refused(tmp_path: Path) -> None:
    async with model_bench(tmp_path) as bench:
        socket = str(tmp_path / "model.sock")
        for line, status in (("GET /v1/chat/completions", b"405"), ("POST /v1/x", b"404")):
            reader, writer = await asyncio.open_unix_connection(socket)
            writer.write(f"{line} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".encode())
            assert (await reader.readline()).split()[1] == status
            writer.close()
            await writer.wait_closed()
        reader, writer = await asyncio.open_unix_connection(socket)
        writer.write(b"nonsense\r\n\r\n")
        assert b" 400 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
        assert bench.model.counts.answered == 0


def test_a_deadline_that_is_no_number_is_none() -> None:
    assert remaining_s({b"x-steadyhand-remaining-ms": b"250.0"}) == 0.25
    assert remaining_s({b"x-steadyhand-remaining-ms": b"soon"}) == float("inf")
    assert remaining_s({}) == float("inf")
