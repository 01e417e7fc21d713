"""LlamaIndex, by ``llama-index-llms-openai-like``."""

from typing import Any

from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike

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

MESSAGES = [ChatMessage(role="user", content=ASK)]


def weather(city: str) -> str:
    """Say how warm it is in a city."""
    return f"{FACT} in {city}"


def news(topic: str) -> str:
    """Say what is new."""
    return topic


NEWS = FunctionTool.from_defaults(news)
TOOL = FunctionTool.from_defaults(weather)


def chat(model: str, key: str = KEY, max_retries: int = 0, **options: Any) -> Any:
    return OpenAILike(
        model=model,
        api_base=BASE_URL,
        api_key=key,
        is_chat_model=True,
        is_function_calling_model=True,
        max_retries=max_retries,
        timeout=60,
        **options,
    )


def usage(raw: Any) -> dict[str, int]:
    return {"input": raw.usage.prompt_tokens, "output": raw.usage.completion_tokens}


def ask(model: str, **options: Any) -> dict[str, Any]:
    answer = chat(model, **options).chat(MESSAGES)
    finish = answer.raw.choices[0].finish_reason
    return {"text": answer.message.content, "finish": finish, "usage": usage(answer.raw)}


async def ask_async() -> dict[str, Any]:
    return {"text": (await chat(STEADY).achat(MESSAGES)).message.content}


def read(model: str) -> dict[str, Any]:
    wanted = {"stream_options": {"include_usage": True}}
    chunks = list(chat(model, additional_kwargs=wanted).stream_chat(MESSAGES))
    counted = [chunk.raw for chunk in chunks if chunk.raw.usage]
    return {"pieces": [c.delta for c in chunks if c.delta], "usage": usage(counted[-1])}


async def read_async() -> dict[str, Any]:
    chunks = await chat(STEADY).astream_chat(MESSAGES)
    return {"pieces": [chunk.delta async for chunk in chunks if chunk.delta]}


def tools() -> dict[str, Any]:
    llm = chat(STEADY)
    return told(llm, llm.chat_with_tools([TOOL], chat_history=MESSAGES))


def tools_streamed() -> dict[str, Any]:
    llm = chat(STEADY)
    *_, last = llm.stream_chat_with_tools([TOOL], chat_history=MESSAGES)
    return told(llm, last)


def tools_at_once() -> dict[str, Any]:
    llm = chat(PARALLEL)
    given = {"tools": [TOOL, NEWS], "chat_history": MESSAGES, "allow_parallel_tool_calls": True}
    *_, last = llm.stream_chat_with_tools(**given)
    return {
        kind: [call.tool_name for call in llm.get_tool_calls_from_response(found)]
        for kind, found in (("plain", llm.chat_with_tools(**given)), ("streamed", last))
    }


def told(llm: Any, asked: Any) -> dict[str, Any]:
    call = llm.get_tool_calls_from_response(asked)[0]
    result = ChatMessage(
        role="tool",
        content=str(TOOL(**call.tool_kwargs)),
        additional_kwargs={"tool_call_id": call.tool_id},
    )
    history = [*MESSAGES, asked.message, result]
    answer = llm.chat_with_tools([TOOL], chat_history=history)
    return {
        "called": call.tool_name,
        "arguments": call.tool_kwargs,
        "text": answer.message.content,
    }


def structured(*, by_schema: bool) -> dict[str, Any]:
    llm = chat(STEADY, should_use_structured_outputs=by_schema)
    found: Weather = llm.structured_predict(Weather, PromptTemplate(ASK))
    return found.model_dump()


def cut_call() -> Any:
    llm = chat(CUT_CALL)
    return caught(lambda: list(llm.stream_chat_with_tools([TOOL], chat_history=MESSAGES)))


if __name__ == "__main__":
    main(
        "LlamaIndex",
        "llama-index-llms-openai-like",
        {
            "plain": lambda: ask(ROUTE),
            "plain_async": ask_async,
            "stream": lambda: read(STEADY),
            "stream_async": read_async,
            "tools": tools,
            "tools_streamed": tools_streamed,
            "tools_at_once": tools_at_once,
            "structured": lambda: structured(by_schema=True),
            "structured_by_tool": lambda: structured(by_schema=False),
            "cut_call": cut_call,
            **asking(ask),
            **reading(read),
        },
    )
