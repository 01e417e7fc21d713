"""pydantic-ai; the agent itself carries results of tools back."""

from typing import Any

from openai import AsyncOpenAI
from pydantic_ai import Agent, NativeOutput, ToolOutput
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

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

Calls = list[dict[str, Any]]


def agent(name: str, key: str = KEY, max_retries: int = 0, **options: Any) -> Any:
    client = AsyncOpenAI(base_url=BASE_URL, api_key=key, max_retries=max_retries, timeout=60)
    model = OpenAIChatModel(name, provider=OpenAIProvider(openai_client=client))
    return Agent(model, **options)


def equipped(name: str, calls: Calls) -> Any:
    def weather(city: str) -> str:
        """Say how warm it is in a city."""
        calls.append({"called": "weather", "arguments": {"city": city}})
        return f"{FACT} in {city}"

    def news(topic: str) -> str:
        """Say what is new."""
        calls.append({"called": "news", "arguments": {"topic": topic}})
        return topic

    made = agent(name)
    made.tool_plain(weather)
    if name == PARALLEL:
        made.tool_plain(news)
    return made


def usage(counted: Any) -> dict[str, int]:
    return {"input": counted.input_tokens, "output": counted.output_tokens}


async def ask(model: str, **options: Any) -> dict[str, Any]:
    found = await agent(model, **options).run(ASK)
    finish = found.response.finish_reason
    return {"text": found.output, "finish": finish, "usage": usage(found.usage)}


async def read(model: str) -> dict[str, Any]:
    async with agent(model).run_stream(ASK) as result:
        pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
        return {"pieces": pieces, "usage": usage(result.usage)}


async def tools() -> dict[str, Any]:
    calls: Calls = []
    found = await equipped(STEADY, calls).run(ASK)
    return {"text": found.output, **calls[0]}


async def tools_streamed(model: str = STEADY) -> dict[str, Any]:
    calls: Calls = []
    async with equipped(model, calls).run_stream(ASK) as result:
        text = await result.get_output()
    return {"text": text, **calls[0]}


async def tools_at_once() -> dict[str, Any]:
    plain: Calls = []
    await equipped(PARALLEL, plain).run(ASK)
    streamed: Calls = []
    async with equipped(PARALLEL, streamed).run_stream(ASK) as result:
        await result.get_output()
    return {
        "plain": sorted((call["called"] for call in plain), reverse=True),  # they run at once
        "streamed": sorted((call["called"] for call in streamed), reverse=True),
    }


async def structured(output: Any) -> dict[str, Any]:
    return dict((await agent(STEADY, output_type=output).run(ASK)).output.model_dump())


if __name__ == "__main__":
    main(
        "pydantic-ai",
        "pydantic-ai-slim",
        {
            "plain": lambda: ask(ROUTE),
            "stream": lambda: read(STEADY),
            "tools": tools,
            "tools_streamed": tools_streamed,
            "tools_at_once": tools_at_once,
            "structured": lambda: structured(NativeOutput(Weather, strict=True)),
            "structured_by_tool": lambda: structured(ToolOutput(Weather)),
            "cut_call": lambda: caught(lambda: tools_streamed(CUT_CALL)),
            **asking(ask),
            **reading(read),
        },
    )
