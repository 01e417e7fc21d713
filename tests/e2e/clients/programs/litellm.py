"""litellm as a library, by its generic ``openai/`` provider."""

import json
from typing import Any

import litellm

from tests.e2e.clients.programs.speaking import (
    ASK,
    BASE_URL,
    CUT_CALL,
    FACT,
    KEY,
    PARALLEL,
    ROUTE,
    STEADY,
    Weather,
    asking,
    caught,
    main,
    reading,
)

MESSAGES: Any = [{"role": "user", "content": ASK}]


def tool(name: str, argument: str) -> Any:
    parameters = {
        "type": "object",
        "properties": {argument: {"type": "string"}},
        "required": [argument],
    }
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOL = tool("weather", "city")


def given(model: str, key: str = KEY, max_retries: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "model": f"openai/{model}",
        "api_base": BASE_URL,
        "api_key": key,
        "max_retries": max_retries,
        "timeout": 60,
        "messages": MESSAGES,
        **more,
    }


def call(model: str, **more: Any) -> Any:
    return litellm.completion(**given(model, **more))


def usage(counted: Any) -> dict[str, int]:
    return {"input": counted.prompt_tokens, "output": counted.completion_tokens}


def ask(model: str, **options: Any) -> dict[str, Any]:
    answer = call(model, **options)
    choice = answer.choices[0]
    return {
        "text": choice.message.content,
        "finish": choice.finish_reason,
        "usage": usage(answer.usage),
    }


async def ask_async() -> dict[str, Any]:
    answer: Any = await litellm.acompletion(**given(STEADY))
    return {"text": answer.choices[0].message.content}


def texts(chunks: list[Any]) -> list[str]:
    found = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    return [text for text in found if text]


def read(model: str) -> dict[str, Any]:
    chunks = list(call(model, stream=True, stream_options={"include_usage": True}))
    counted = [chunk.usage for chunk in chunks if getattr(chunk, "usage", None)]
    return {"pieces": texts(chunks), "usage": usage(counted[-1])}


async def read_async() -> dict[str, Any]:
    chunks: Any = await litellm.acompletion(**given(STEADY, stream=True))
    return {"pieces": texts([chunk async for chunk in chunks])}


def tools() -> dict[str, Any]:
    return told(call(STEADY, tools=[TOOL]))


def tools_streamed() -> dict[str, Any]:
    chunks = list(call(STEADY, tools=[TOOL], stream=True))
    return told(litellm.stream_chunk_builder(chunks, messages=MESSAGES))


def tools_at_once() -> dict[str, Any]:
    given = {"tools": [TOOL, tool("news", "topic")]}
    chunks = list(call(PARALLEL, stream=True, **given))
    answers = {
        "plain": call(PARALLEL, **given),
        "streamed": litellm.stream_chunk_builder(chunks, messages=MESSAGES),
    }
    return {
        kind: [one.function.name for one in answer.choices[0].message.tool_calls]
        for kind, answer in answers.items()
    }


def told(asked: Any) -> dict[str, Any]:
    message = asked.choices[0].message
    wanted = message.tool_calls[0]
    arguments = json.loads(wanted.function.arguments)
    result = {
        "role": "tool",
        "tool_call_id": wanted.id,
        "content": f"{FACT} in {arguments['city']}",
    }
    history = [*MESSAGES, message.model_dump(exclude_none=True), result]
    answer = call(STEADY, tools=[TOOL], messages=history)
    return {
        "called": wanted.function.name,
        "arguments": arguments,
        "text": answer.choices[0].message.content,
    }


def structured() -> dict[str, Any]:
    answer = call(STEADY, response_format=Weather)
    return Weather.model_validate_json(answer.choices[0].message.content).model_dump()


if __name__ == "__main__":
    main(
        "litellm",
        "litellm",
        {
            "plain": lambda: ask(ROUTE),
            "plain_async": ask_async,
            "stream": lambda: read(STEADY),
            "stream_async": read_async,
            "tools": tools,
            "tools_streamed": tools_streamed,
            "tools_at_once": tools_at_once,
            "structured": structured,
            "cut_call": lambda: caught(lambda: list(call(CUT_CALL, stream=True, tools=[TOOL]))),
            **asking(ask),
            **reading(read),
        },
    )
