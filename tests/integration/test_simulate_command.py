"""``steadyhand simulate`` as a process, and the official SDK against it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from pydantic import BaseModel

COMMAND = [sys.executable, "-m", "steadyhand", "simulate"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}
QUESTION: Any = [{"role": "user", "content": "How warm is it in Zürich?"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
            "additionalProperties": False,
        },
    },
}


class Step(BaseModel):
    explanation: str
    weight: float


class Plan(BaseModel):
    title: str
    steps: list[Step]
    parent: "Plan | None"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with subprocess.Popen(
        [*COMMAND, "--port", "0"], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[3]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.fixture
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="sk-any", max_retries=0) as made:
        yield made


def test_a_plain_answer(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="steady", messages=QUESTION, n=2)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert "Zürich" in (answer.choices[0].message.content or "")
    assert answer.usage is not None
    assert answer.usage.total_tokens > 10


@pytest.mark.parametrize(
    "model", ["steady", "crlf", "no-space", "comments", "multi-line-data", "fragments"]
)
def test_a_stream(client: openai.OpenAI, model: str) -> None:
    plain = client.chat.completions.create(model="steady", messages=QUESTION)
    stream = client.chat.completions.create(
        model=model, messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == plain.choices[0].message.content
    assert chunks[-1].usage == plain.usage


def test_the_sdks_own_assembly_of_a_stream(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(
        model="steady:parallel=1", messages=QUESTION, tools=[WEATHER]
    ) as stream:
        answer = stream.get_final_completion()
    calls = answer.choices[0].message.tool_calls or []
    assert [call.function.name for call in calls] == ["weather"]
    assert calls[0].function.parsed_arguments == json.loads(calls[0].function.arguments)


def test_tools_there_and_back(client: openai.OpenAI) -> None:
    first = client.chat.completions.create(model="steady", messages=QUESTION, tools=[WEATHER])
    assert first.choices[0].finish_reason == "tool_calls"
    calls = first.choices[0].message.tool_calls or []
    assert calls[0].type == "function"
    assert set(json.loads(calls[0].function.arguments)) == {"city", "days"}
    result = {"role": "tool", "tool_call_id": calls[0].id, "content": "21 degrees"}
    messages: Any = [*QUESTION, first.choices[0].message, result]
    second = client.chat.completions.create(model="steady", messages=messages, tools=[WEATHER])
    assert "21 degrees" in (second.choices[0].message.content or "")


def test_structured_outputs(client: openai.OpenAI) -> None:
    answer = client.chat.completions.parse(model="steady", messages=QUESTION, response_format=Plan)
    plan = answer.choices[0].message.parsed
    assert isinstance(plan, Plan)
    assert plan.steps


def test_a_refusal_of_structured_outputs(client: openai.OpenAI) -> None:
    answer = client.chat.completions.parse(model="refusal", messages=QUESTION, response_format=Plan)
    assert answer.choices[0].message.parsed is None
    assert answer.choices[0].message.refusal


def test_logprobs(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(
        model="steady", messages=QUESTION, logprobs=True, top_logprobs=2
    )
    assert answer.choices[0].logprobs is not None
    assert len((answer.choices[0].logprobs.content or [])[0].top_logprobs) == 2


async def test_async(url: str) -> None:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="sk-any") as client:
        stream = await client.chat.completions.create(
            model="drip:gap_ms=1", messages=QUESTION, stream=True
        )
        text = [c.choices[0].delta.content or "" async for c in stream]
    assert "Zürich" in "".join(text)


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("error-400", openai.BadRequestError),
        ("error-401", openai.AuthenticationError),
        ("error-403", openai.PermissionDeniedError),
        ("gpt-4.1", openai.NotFoundError),
        ("error-422", openai.UnprocessableEntityError),
        ("rate-limit", openai.RateLimitError),
        ("error-500", openai.InternalServerError),
        ("reset-before-headers", openai.APIConnectionError),
        ("error-first-event", openai.APIError),
    ],
)
def test_faults_are_the_sdks_errors(
    client: openai.OpenAI, model: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        list(client.chat.completions.create(model=model, messages=QUESTION, stream=True))


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert {"steady", "cut-mid-word"} <= {model.id for model in client.models.list()}
    assert client.models.retrieve("drip").id == "drip"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4.1")


def test_one_command_breaks_it_and_one_mends_it(client: openai.OpenAI, url: str) -> None:
    broken = httpx.post(f"{url}/simulate", content=b'{"behaviour": "error-503"}')
    assert broken.json()["overrides"] == {"*": "error-503"}
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="steady", messages=QUESTION)
    mended = httpx.post(f"{url}/simulate", content=b'{"behaviour": null}')
    assert mended.json()["overrides"] == {}
    client.chat.completions.create(model="steady", messages=QUESTION)
    assert httpx.get(f"{url}/simulate").json()["by_behaviour"]["error-503"] >= 1


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"behaviour": "eror"}', b'{"behavior": "drip"}', b"\xff"]
)
def test_a_mistaken_command_is_refused(url: str, content: bytes) -> None:
    answer = httpx.post(f"{url}/simulate", content=content)
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["message"]


def test_what_arrived_can_be_seen(client: openai.OpenAI, url: str) -> None:
    client.chat.completions.create(model="steady", messages=QUESTION, user="who")
    seen = httpx.get(f"{url}/simulate/requests").json()["requests"][-1]
    assert dict(seen["headers"])["authorization"] == "Bearer sk-any"
    assert json.loads(seen["body"])["user"] == "who"
    assert (seen["behaviour"], seen["outcome"]) == ("steady", "played")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, env=ENVIRONMENT, timeout=30
    )


def test_the_behaviours_can_be_listed() -> None:
    found = run("--list")
    assert found.returncode == 0
    assert "cut-mid-word" in found.stdout


@pytest.mark.parametrize("option", [["--behaviour", "eror-500"], ["--dials", "ttft=3"]])
def test_a_mistake_on_the_command_line_is_refused(option: list[str]) -> None:
    found = run("--port", "0", *option)
    assert found.returncode != 0
    assert "simulate --list" in found.stderr


def test_a_port_that_is_taken_is_named(url: str) -> None:
    port = url.rpartition(":")[2]
    found = run("--port", port)
    assert found.returncode != 0
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in found.stderr
