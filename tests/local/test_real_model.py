"""A real model on this machine, through the official SDK: ``make test-local GGUF=FILE``.

Any instruction-tuned GGUF will do, so no test asks for knowledge: only for form, for what the
gateway promises, and for what stays true while the model's process is killed.
"""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any, Literal

import openai
import pytest
from pydantic import BaseModel

from tests.support.installations import (
    FLOOR_TEXT,
    KEY,
    Installation,
    Upstreams,
    route_text,
    serving,
    settings_text,
)
from tests.support.programs import eventually
from tests.support.raw_client import Line

pytestmark = pytest.mark.local

LOAD_S = 300.0
"""The model may be large and the machine busy."""

SETTINGS = """
[slo.patient]
first_content_ms = 120000
whole_ms = 240000
stream_cap_ms = 240000

[slo.hurried]
first_content_ms = 2000
whole_ms = 2000
stream_cap_ms = 60000

[providers.here]
kind = "local"
model_file = "model.gguf"
context_tokens = 2048
parallel = 2
"""
PROMPT = """+++
description = "how a librarian answers"
owner = "tests"
+++
You are the assistant of a public library. Answer in one short and friendly sentence, in plain
words. Books are lent for four weeks and may be renewed twice unless somebody else has asked for
them. Films are lent for one week. The reading room is open from nine to six but on Sunday.
"""
ASK: Any = [{"role": "user", "content": "What is the weather in Paris?"}]


class Person(BaseModel):
    name: str
    age: int
    mood: Literal["happy", "sad"]


def tool(name: str, field: str) -> Any:
    parameters = {
        "type": "object",
        "properties": {field: {"type": "string"}},
        "required": [field],
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = [tool("get_weather", "city"), tool("get_time", "zone")]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("real")
    root = folder / "workspace"
    root.mkdir()
    (root / "model.gguf").symlink_to(Path(os.environ["STEADYHAND_TEST_GGUF"]))
    prompted = 'prompt = "library"\n'
    files = {
        "steadyhand.toml": settings_text(upstreams) + SETTINGS,
        "prompts/library.md": PROMPT,
        "routes/model.toml": route_text("here/real", slo="patient"),
        "routes/library.toml": prompted + route_text("here/real", slo="patient"),
        "routes/hurried.toml": route_text("here/real", slo="hurried"),
    }
    with serving(folder, upstreams, files) as made:
        warm(made)
        yield made


@pytest.fixture(scope="module")
def client(house: Installation) -> Iterator[openai.OpenAI]:
    url = f"http://127.0.0.1:{house.port}/v1"
    with openai.OpenAI(base_url=url, api_key=KEY, max_retries=0, timeout=300) as made:
        yield made


def metric(house: Installation, name: str, more: str = "") -> float:
    with Line(house.control_port) as line:
        text = line.ask("GET", "/metrics", {"Host": "localhost"}).body.decode()
    series = f'steadyhand_model_{name}{{{more}provider="here"}} '
    return next((float(row[len(series) :]) for row in text.splitlines() if series in row), -1.0)


def warm(house: Installation, times: int = 1) -> None:
    """Wait until the model is loaded and has read the route's prompt."""
    eventually(lambda: metric(house, "up") == 1, "the model to be loaded", within_s=LOAD_S)
    eventually(
        lambda: metric(house, "warm_ups_total") >= times, "the prompt to be read", within_s=LOAD_S
    )


def idle(house: Installation) -> bool:
    return metric(house, "requests_generating") == 0


def note(question: str, answer: object, seconds: float) -> None:
    print(f"\n  asked: {question}\n  said:  {answer!r}\n  after: {seconds:.2f} s")


def test_a_chat(client: openai.OpenAI) -> None:
    began_s = monotonic()
    question = "Say hello in one short sentence."
    found = client.chat.completions.create(
        model="model", max_tokens=24, messages=[{"role": "user", "content": question}]
    )
    note(question, found.choices[0].message.content, monotonic() - began_s)
    assert found.choices[0].message.content
    assert found.choices[0].message.content != FLOOR_TEXT
    assert found.choices[0].finish_reason in ("stop", "length")
    assert found.usage is not None
    assert 0 < found.usage.completion_tokens <= 24
    total = found.usage.prompt_tokens + found.usage.completion_tokens
    assert found.usage.total_tokens == total


def test_the_routes_prompt_was_read_ahead(client: openai.OpenAI) -> None:
    question = "How long may I keep a book?"
    began_s = monotonic()
    first_s = 0.0
    text = ""
    cached = prompt = 0
    for chunk in client.chat.completions.create(
        model="library",
        messages=[{"role": "user", "content": question}],
        stream=True,
        max_tokens=40,
        temperature=0,
        stream_options={"include_usage": True},
    ):
        if chunk.choices and chunk.choices[0].delta.content:
            first_s = first_s or monotonic() - began_s
            text += chunk.choices[0].delta.content
        if chunk.usage is not None:
            details = chunk.usage.prompt_tokens_details
            cached = (details.cached_tokens if details else 0) or 0
            prompt = chunk.usage.prompt_tokens
    note(f"{question} (first content after {first_s:.2f} s, {cached} of {prompt} tokens cached)",
         text, monotonic() - began_s)  # fmt: skip
    assert text
    assert text != FLOOR_TEXT
    assert cached > 40, "most of the route's prompt"


def test_stop_seed_and_length(client: openai.OpenAI) -> None:
    def ask(**fields: Any) -> Any:
        messages: Any = [{"role": "user", "content": "Count from one to ten, with commas."}]
        return client.chat.completions.create(model="model", messages=messages, **fields).choices[0]

    assert ask(max_tokens=3).finish_reason == "length"
    free = ask(max_tokens=30, temperature=0).message.content
    assert "," in free, free
    stopped = ask(max_tokens=30, temperature=0, stop=[","])
    assert stopped.finish_reason == "stop"
    assert "," not in stopped.message.content
    twice = [ask(max_tokens=12, temperature=1.0, seed=7).message.content for _ in range(2)]
    assert twice[0] == twice[1]
    spoken = ask(max_tokens=2, logprobs=True, top_logprobs=2)
    assert spoken.logprobs is not None
    assert len(spoken.logprobs.content[0].top_logprobs) == 2


@pytest.mark.parametrize("choice", ["required", "get_time"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_call(client: openai.OpenAI, choice: str, stream: bool) -> None:
    given: Any = choice
    if choice != "required":
        given = {"type": "function", "function": {"name": choice}}
    began_s = monotonic()
    asked: Any = {"messages": ASK, "tools": TOOLS, "tool_choice": given, "max_tokens": 80}
    if stream:
        with client.chat.completions.stream(model="model", **asked) as events:
            message: Any = events.get_final_completion().choices[0].message
    else:
        message = client.chat.completions.create(model="model", **asked).choices[0].message
    call = message.tool_calls[0]
    note(f"{ASK[0]['content']} (tool_choice {choice}, stream {stream})",
         (call.function.name, call.function.arguments), monotonic() - began_s)  # fmt: skip
    wanted = {"get_weather": "city", "get_time": "zone"}
    assert call.id
    assert choice in ("required", call.function.name)
    assert set(json.loads(call.function.arguments)) == {wanted[call.function.name]}
    assert not message.content


def test_a_tool_may_be_left_alone(client: openai.OpenAI) -> None:
    found = client.chat.completions.create(
        model="model", messages=ASK, tools=TOOLS, tool_choice="auto", max_tokens=60
    )
    message = found.choices[0].message
    note(f"{ASK[0]['content']} (tool_choice auto)", message.tool_calls or message.content, 0)
    assert message.tool_calls or message.content


def test_an_answer_under_a_schema(client: openai.OpenAI) -> None:
    question = "Make up a person."
    began_s = monotonic()
    found = client.chat.completions.parse(
        model="model",
        messages=[{"role": "user", "content": question}],
        response_format=Person,
        max_tokens=120,
    )
    note(question, found.choices[0].message.content, monotonic() - began_s)
    assert isinstance(found.choices[0].message.parsed, Person)
    free = client.chat.completions.create(
        model="model",
        messages=[{"role": "user", "content": "Give me a JSON object with one key."}],
        response_format={"type": "json_object"},
        max_tokens=200,
        temperature=0,
    ).choices[0]
    if free.finish_reason == "stop":
        assert isinstance(json.loads(free.message.content or ""), dict)


def test_what_cannot_be_is_refused(client: openai.OpenAI) -> None:
    asked: Any = {"model": "model", "messages": ASK, "max_tokens": 8}
    with pytest.raises(openai.BadRequestError) as twice:
        client.chat.completions.create(**asked, n=2)
    assert twice.value.param == "n"
    nonsense: Any = {"name": "x", "schema": {"type": "nonsense"}}
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(
            **asked, response_format={"type": "json_schema", "json_schema": nonsense}
        )
    long = [{"role": "user", "content": "word " * 5000}]
    with pytest.raises(openai.BadRequestError) as too_long:
        client.chat.completions.create(**asked | {"messages": long})
    assert too_long.value.code == "context_length_exceeded"


def test_a_client_that_leaves_stops_the_model(house: Installation, client: openai.OpenAI) -> None:
    stopped = metric(house, "requests_total", 'outcome="stopped",')
    story: Any = [{"role": "user", "content": "Tell a very long story about the sea."}]
    stream = client.chat.completions.create(
        model="model", messages=story, stream=True, max_tokens=1500
    )
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            break
    eventually(lambda: not idle(house), "the board to show it")
    stream.close()
    eventually(lambda: idle(house), "the slot to be free", within_s=20)
    counted = 'outcome="stopped",'
    eventually(lambda: metric(house, "requests_total", counted) > stopped, "it to be counted")


def read_and_kill(stream: Any, said: list[str], pid: int) -> None:
    """Read a stream; kill the process once it has said something."""
    for chunk in stream:
        said += [choice.delta.content or "" for choice in chunk.choices]
        if "".join(said) and pid:
            os.kill(pid, signal.SIGKILL)
            pid = 0


def test_the_model_is_killed_in_the_middle(house: Installation, client: openai.OpenAI) -> None:
    pid, warm_ups = int(metric(house, "process_id")), int(metric(house, "warm_ups_total"))
    story: Any = [{"role": "user", "content": "Tell a very long story about a mountain."}]
    stream = client.chat.completions.create(
        model="model", messages=story, stream=True, max_tokens=1500
    )
    said: list[str] = []
    with pytest.raises(openai.APIError) as broken:
        read_and_kill(stream, said, pid)
    text = "".join(said)
    note(story[0]["content"], f"{text} -> {broken.value.message}", 0)

    began_s = monotonic()
    floor = client.chat.completions.with_raw_response.create(model="hurried", messages=ASK)
    took_s = monotonic() - began_s
    note(
        f"{ASK[0]['content']} (the model is away)", floor.parse().choices[0].message.content, took_s
    )
    assert floor.headers["x-steadyhand-rung"] == "template"
    assert took_s < 10
    record = house.record(floor.headers["x-request-id"])
    assert record["attempts"][0]["reason"] in ("model_loading", "model_unavailable")

    warm(house, warm_ups + 1)
    began_s = monotonic()
    again = client.chat.completions.create(model="library", messages=ASK, max_tokens=30)
    note(f"{ASK[0]['content']} (after the kill)", again.choices[0].message.content,
         monotonic() - began_s)  # fmt: skip
    assert again.choices[0].message.content != FLOOR_TEXT
    assert again.usage is not None
    details = again.usage.prompt_tokens_details
    assert details is not None
    assert (details.cached_tokens or 0) > 40, "the prompt was read again after the restart"
    assert metric(house, "restarts_total") >= 1
