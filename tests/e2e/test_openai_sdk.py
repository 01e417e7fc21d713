"""The official ``openai`` package against a running installation, as applications use it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal

import openai
import pytest
from pydantic import BaseModel

from tests.support.installations import KEY, Installation, marker

ASK: Any = [{"role": "user", "content": "How warm is it in Rome?"}]
SAID = "You asked: “How warm is it in Rome?”. A simulated model answers; no model was asked."


class Weather(BaseModel):
    city: str
    celsius: float
    sky: Literal["clear", "cloudy"]


def tool(name: str) -> Any:
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    return {
        "type": "function",
        "function": {"name": name, "strict": True, "parameters": parameters},
    }


@pytest.fixture
def client(house: Installation) -> Iterator[openai.OpenAI]:
    url = f"http://127.0.0.1:{house.port}/v1"
    with openai.OpenAI(base_url=url, api_key=KEY, max_retries=0, timeout=30) as made:
        yield made


@pytest.fixture
async def patient(house: Installation) -> AsyncIterator[openai.AsyncOpenAI]:
    url = f"http://127.0.0.1:{house.port}/v1"
    async with openai.AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0, timeout=30) as made:
        yield made


def test_a_plain_answer(client: openai.OpenAI) -> None:
    found = client.chat.completions.create(model="up/steady", messages=ASK)
    assert found.choices[0].message.content == SAID
    assert found.choices[0].finish_reason == "stop"
    assert found.usage is not None
    assert found.usage.completion_tokens_details is not None


async def test_a_plain_answer_async(patient: openai.AsyncOpenAI) -> None:
    found = await patient.chat.completions.create(model="up/steady", messages=ASK)
    assert found.choices[0].message.content == SAID


def test_a_stream(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="up/steady", messages=ASK, stream=True)
    with stream:
        chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == SAID
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in chunks)


async def test_many_streams_at_once_async(patient: openai.AsyncOpenAI) -> None:
    async def read(word: str) -> str:
        model = f"up/steady:gap_ms=5,answer={word}%20{word}%20{word}"
        stream = await patient.chat.completions.create(model=model, messages=ASK, stream=True)
        async with stream:
            return "".join([c.choices[0].delta.content or "" async for c in stream])

    words = [f"word{number}" for number in range(20)]
    found = await asyncio.gather(*map(read, words))
    assert found == [f"{word} {word} {word}" for word in words]


def test_usage_in_a_stream(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="up/steady", messages=ASK, stream=True, stream_options={"include_usage": True}
    )
    with stream:
        *before, last = list(stream)
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.total_tokens > 0
    assert all(chunk.usage is None for chunk in before)


@pytest.mark.parametrize("model", ["up/steady", "up/choices-null-usage", "floored"])
def test_the_stream_helper(client: openai.OpenAI, model: str) -> None:
    with client.chat.completions.stream(
        model=model, messages=ASK, stream_options={"include_usage": True}
    ) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
        found = stream.get_final_completion()
    assert found.choices[0].message.content == "".join(deltas)
    assert found.choices[0].finish_reason == "stop"
    assert found.usage is not None


async def test_the_stream_helper_async(patient: openai.AsyncOpenAI) -> None:
    async with patient.chat.completions.stream(model="up/fragments", messages=ASK) as stream:
        found = await stream.get_final_completion()
    assert found.choices[0].message.content == SAID


def test_a_tool_is_called_answered_and_spoken_of(client: openai.OpenAI) -> None:
    tools = [tool("weather")]
    first = client.chat.completions.create(model="up/steady", messages=ASK, tools=tools)
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls is not None
    call = message.tool_calls[0]
    assert call.type == "function"
    assert set(json.loads(call.function.arguments)) == {"city"}
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "31 °C"}
    told: Any = [*ASK, message.model_dump(exclude_none=True), result]
    second = client.chat.completions.create(model="up/steady", messages=told, tools=tools)
    assert second.choices[0].message.content == "The tool answered: 31 °C"


def test_parallel_tool_calls_plain_and_streamed(client: openai.OpenAI) -> None:
    tools = [tool("weather"), tool("news")]
    model = "up/steady:parallel=1"
    plain = client.chat.completions.create(model=model, messages=ASK, tools=tools)
    with client.chat.completions.stream(model=model, messages=ASK, tools=tools) as stream:
        done = [e for e in stream if e.type == "tool_calls.function.arguments.done"]
        streamed = stream.get_final_completion()
    for found in (plain, streamed):
        calls = found.choices[0].message.tool_calls
        assert calls is not None
        assert [c.function.name for c in calls if c.type == "function"] == ["weather", "news"]
        assert len({c.id for c in calls}) == 2
    assert [event.name for event in done] == ["weather", "news"]


def test_one_tool_at_a_time_if_the_client_says_so(client: openai.OpenAI) -> None:
    found = client.chat.completions.create(
        model="up/steady:parallel=1",
        messages=ASK,
        tools=[tool("weather"), tool("news")],
        parallel_tool_calls=False,
    )
    assert len(found.choices[0].message.tool_calls or ()) == 1


def test_a_structured_output_is_parsed(client: openai.OpenAI) -> None:
    found = client.chat.completions.parse(model="up/steady", messages=ASK, response_format=Weather)
    assert isinstance(found.choices[0].message.parsed, Weather)


def test_a_streamed_structured_output_is_parsed(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(
        model="up/steady", messages=ASK, response_format=Weather
    ) as stream:
        found = stream.get_final_completion()
    assert isinstance(found.choices[0].message.parsed, Weather)


def test_a_refusal_is_a_refusal(client: openai.OpenAI) -> None:
    plain = client.chat.completions.parse(model="up/refusal", messages=ASK, response_format=Weather)
    with client.chat.completions.stream(
        model="up/refusal", messages=ASK, response_format=Weather
    ) as stream:
        streamed = stream.get_final_completion()
    for found in (plain, streamed):
        assert found.choices[0].message.parsed is None
        assert "cannot assist" in (found.choices[0].message.refusal or "")


def test_logprobs_n_stop_seed_and_max_tokens(client: openai.OpenAI) -> None:
    found = client.chat.completions.create(
        model="up/steady",
        messages=ASK,
        n=2,
        seed=9_223_372_036_854_775_807,
        stop=["simulated"],
        logprobs=True,
        top_logprobs=2,
    )
    assert [choice.index for choice in found.choices] == [0, 1]
    assert all("simulated" not in (c.message.content or "") for c in found.choices)
    logprobs = found.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.content is not None
    assert len(logprobs.content[0].top_logprobs) == 2
    short = client.chat.completions.create(model="up/steady", messages=ASK, max_completion_tokens=2)
    assert short.choices[0].finish_reason == "length"


def test_image_and_audio_parts_arrive(client: openai.OpenAI) -> None:
    image, audio = base64.b64encode(bytes(1000)).decode(), base64.b64encode(bytes(300)).decode()
    content: Any = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}"}},
        {"type": "input_audio", "input_audio": {"data": audio, "format": "wav"}},
    ]
    found = client.chat.completions.create(
        model="up/steady", messages=[{"role": "user", "content": content}]
    )
    said = found.choices[0].message.content or ""
    assert "an image (image/png, 1000 bytes)" in said
    assert "audio (wav, 300 bytes)" in said


def test_fields_the_sdk_does_not_know_pass_both_ways(
    house: Installation, client: openai.OpenAI
) -> None:
    word = marker()
    found = client.chat.completions.create(
        model="up/reasoning", messages=ASK, user=word, extra_body={"novelty": {"a": None}}
    )
    assert json.loads(house.upstream(word)["body"])["novelty"] == {"a": None}
    assert "step by step" in (found.choices[0].message.model_extra or {})["reasoning_content"]


def test_the_models_list(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert "answers" in names
    assert client.models.retrieve("answers").object == "model"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nowhere")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("model", "error", "code"),
    [
        ("nowhere", openai.NotFoundError, "model_not_found"),
        ("up/error-404", openai.NotFoundError, "model_not_found"),
        ("up/error-400", openai.BadRequestError, "decimal_above_max_value"),
        ("up/context-length", openai.BadRequestError, "context_length_exceeded"),
        ("up/error-413", openai.APIStatusError, "request_too_large"),
        ("up/error-422", openai.UnprocessableEntityError, None),
        ("up/rate-limit", openai.RateLimitError, "rate_limit_exceeded"),
        ("up/quota", openai.RateLimitError, "insufficient_quota"),
        ("up/error-500", openai.InternalServerError, "no_answer"),
        ("up/error-401", openai.InternalServerError, "no_answer"),
        ("up/html-200", openai.InternalServerError, "no_answer"),
    ],
)
def test_errors_are_the_right_exceptions(
    client: openai.OpenAI,
    stream: bool,
    model: str,
    error: type[openai.APIStatusError],
    code: str | None,
) -> None:
    with pytest.raises(error) as caught:
        client.chat.completions.create(model=model, messages=ASK, stream=stream)
    assert caught.value.code == code
    assert caught.value.request_id


def test_a_wrong_key_is_an_authentication_error(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as caught:
        client.with_options(api_key="sk-wrong").models.list()
    assert caught.value.code == "invalid_api_key"


def test_a_rate_limit_error_says_how_long_to_wait(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="up/rate-limit:retry_after_s=3", messages=ASK)
    headers = caught.value.response.headers
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("3", "3000")
    assert headers["x-ratelimit-remaining-requests"] == "0"


def test_the_sdk_retries_a_rate_limit_as_told_and_a_quota_not(
    house: Installation, client: openai.OpenAI
) -> None:
    def tries(model: str) -> int:
        word = marker()
        with pytest.raises(openai.RateLimitError):
            client.with_options(max_retries=2).chat.completions.create(
                model=model, messages=ASK, user=word
            )
        rows = house.simulated.control("GET", "/simulate/requests")["requests"]
        return sum(word in row["body"] for row in rows)

    assert tries("up/rate-limit:retry_after_s=0.1") == 3
    assert tries("up/quota") == 1


def test_a_cut_stream_raises_and_does_not_end_well(client: openai.OpenAI) -> None:
    with (
        client.chat.completions.create(
            model="up/cut-mid-word", messages=ASK, stream=True
        ) as stream,
        pytest.raises(openai.APIError, match="cut off"),
    ):
        list(stream)


def test_raw_responses_have_the_headers(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="up/steady", messages=ASK, extra_headers={"x-request-id": "mine"}
    )
    assert raw.request_id == raw.headers["x-request-id"] == "mine"
    assert raw.headers["x-steadyhand-deployment"] == "up/steady"
    assert raw.headers["x-ratelimit-limit-requests"] == "500"
    assert raw.parse().choices[0].message.content == SAID


def test_closing_a_stream_cancels_upstream(house: Installation, client: openai.OpenAI) -> None:
    word = marker()
    with client.chat.completions.create(
        model="up/drip:gap_ms=200,tokens=300", messages=ASK, stream=True, user=word
    ) as stream:
        next(iter(stream))
    house.left(word)


async def test_a_cancelled_task_cancels_upstream(
    house: Installation, patient: openai.AsyncOpenAI
) -> None:
    word = marker()
    task = asyncio.create_task(
        patient.chat.completions.create(model="up/silent-before-headers", messages=ASK, user=word)
    )
    await asyncio.to_thread(house.upstream, word)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(house.left, word)


def test_a_timeout_of_the_sdk_cancels_upstream(house: Installation, client: openai.OpenAI) -> None:
    word = marker()
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=1.0).chat.completions.create(
            model="up/silent-before-headers", messages=ASK, user=word
        )
    house.left(word)
