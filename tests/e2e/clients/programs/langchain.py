"""LangChain, by ``langchain-openai``."""

from typing import Any

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

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


@tool  # type: ignore[untyped-decorator] # the library is not in this environment
def weather(city: str) -> str:
    """Say how warm it is in a city."""
    return f"{FACT} in {city}"


@tool  # type: ignore[untyped-decorator] # the library is not in this environment
def news(topic: str) -> str:
    """Say what is new."""
    return topic


def chat(model: str, key: str = KEY, max_retries: int = 0) -> Any:
    return ChatOpenAI(
        model=model, base_url=BASE_URL, api_key=key, max_retries=max_retries, timeout=60
    )


def usage(message: Any) -> dict[str, int]:
    counted = message.usage_metadata
    return {"input": counted["input_tokens"], "output": counted["output_tokens"]}


def ask(model: str, **options: Any) -> dict[str, Any]:
    answer = chat(model, **options).invoke(ASK)
    finish = answer.response_metadata["finish_reason"]
    return {"text": answer.content, "finish": finish, "usage": usage(answer)}


async def ask_async() -> dict[str, Any]:
    return {"text": (await chat(STEADY).ainvoke(ASK)).content}


def joined(chunks: list[Any]) -> Any:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole


def read(model: str) -> dict[str, Any]:
    chunks = list(chat(model).stream(ASK, stream_usage=True))
    return {"pieces": [c.content for c in chunks if c.content], "usage": usage(joined(chunks))}


async def read_async() -> dict[str, Any]:
    return {"pieces": [c.content async for c in chat(STEADY).astream(ASK) if c.content]}


def tools() -> dict[str, Any]:
    bound = chat(STEADY).bind_tools([weather])
    return told(bound, bound.invoke(ASK))


def tools_streamed() -> dict[str, Any]:
    bound = chat(STEADY).bind_tools([weather])
    return told(bound, joined(list(bound.stream(ASK))))


def tools_at_once() -> dict[str, Any]:
    bound = chat(PARALLEL).bind_tools([weather, news])
    return {
        "plain": [call["name"] for call in bound.invoke(ASK).tool_calls],
        "streamed": [call["name"] for call in joined(list(bound.stream(ASK))).tool_calls],
    }


def told(bound: Any, asked: Any) -> dict[str, Any]:
    call = asked.tool_calls[0]
    result = ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"])
    answer = bound.invoke([HumanMessage(ASK), asked, result])
    return {"called": call["name"], "arguments": call["args"], "text": answer.content}


def structured(**how: Any) -> dict[str, Any]:
    found: Weather = chat(STEADY).with_structured_output(Weather, **how).invoke(ASK)
    return found.model_dump()


if __name__ == "__main__":
    main(
        "LangChain",
        "langchain-openai",
        {
            "plain": lambda: ask(ROUTE),
            "plain_async": ask_async,
            "stream": lambda: read(STEADY),
            "stream_async": read_async,
            "tools": tools,
            "tools_streamed": tools_streamed,
            "tools_at_once": tools_at_once,
            "structured": lambda: structured(method="json_schema", strict=True),
            "structured_by_tool": lambda: structured(method="function_calling"),
            "cut_call": lambda: caught(
                lambda: list(chat(CUT_CALL).bind_tools([weather]).stream(ASK))
            ),
            **asking(ask),
            **reading(read),
        },
    )
