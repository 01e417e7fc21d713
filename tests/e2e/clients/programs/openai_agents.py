"""The OpenAI Agents SDK; the runner itself carries results of tools back."""

from typing import Any

from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, Runner, function_tool
from openai import AsyncOpenAI

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
    model = OpenAIChatCompletionsModel(model=name, openai_client=client)
    settings = ModelSettings(include_usage=True)
    return Agent(name="asker", model=model, model_settings=settings, **options)


def equipped(name: str, calls: Calls) -> Any:
    def weather(city: str) -> str:
        """Say how warm it is in a city."""
        calls.append({"called": "weather", "arguments": {"city": city}})
        return f"{FACT} in {city}"

    def news(topic: str) -> str:
        """Say what is new."""
        calls.append({"called": "news", "arguments": {"topic": topic}})
        return topic

    given = [weather, news] if name == PARALLEL else [weather]
    return agent(name, tools=[function_tool(one) for one in given])


def usage(result: Any) -> dict[str, int]:
    counted = result.context_wrapper.usage
    return {"input": counted.input_tokens, "output": counted.output_tokens}


async def ask(model: str, **options: Any) -> dict[str, Any]:
    found = await Runner.run(agent(model, **options), ASK)
    return {"text": found.final_output, "usage": usage(found)}


async def streamed(made: Any) -> dict[str, Any]:
    result = Runner.run_streamed(made, ASK)
    pieces = [
        event.data.delta
        async for event in result.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
    return {"pieces": pieces, "text": result.final_output, "usage": usage(result)}


async def tools() -> dict[str, Any]:
    calls: Calls = []
    found = await Runner.run(equipped(STEADY, calls), ASK)
    return {"text": found.final_output, **calls[0]}


async def tools_streamed() -> dict[str, Any]:
    calls: Calls = []
    return {**await streamed(equipped(STEADY, calls)), **calls[0]}


async def tools_at_once() -> dict[str, Any]:
    plain: Calls = []
    await Runner.run(equipped(PARALLEL, plain), ASK)
    streams: Calls = []
    await streamed(equipped(PARALLEL, streams))
    return {
        "plain": sorted((call["called"] for call in plain), reverse=True),  # they run at once
        "streamed": sorted((call["called"] for call in streams), reverse=True),
    }


async def structured() -> dict[str, Any]:
    found = await Runner.run(agent(STEADY, output_type=Weather), ASK)
    return dict(found.final_output.model_dump())


if __name__ == "__main__":
    main(
        "OpenAI Agents SDK",
        "openai-agents",
        {
            "plain": lambda: ask(ROUTE),
            "stream": lambda: streamed(agent(STEADY)),
            "tools": tools,
            "tools_streamed": tools_streamed,
            "tools_at_once": tools_at_once,
            "structured": structured,
            "cut_call": lambda: caught(lambda: streamed(equipped(CUT_CALL, []))),
            **asking(ask),
            **reading(lambda model: streamed(agent(model))),
        },
    )
