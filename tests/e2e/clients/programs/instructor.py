"""instructor: every answer is a validated object, by a forced tool or by a schema."""

from typing import Any

import instructor
from openai import AsyncOpenAI, OpenAI

from tests.e2e.clients.programs.speaking import (
    ASK,
    BASE_URL,
    CUT,
    KEY,
    ROUTE,
    STEADY,
    Weather,
    asking,
    caught,
    main,
)

SCHEMA, TOOLS = instructor.Mode.JSON_SCHEMA, instructor.Mode.TOOLS
QUESTION: Any = {"messages": [{"role": "user", "content": ASK}], "max_retries": 0}


def client(key: str = KEY, max_retries: int = 0, mode: instructor.Mode = SCHEMA) -> Any:
    made = OpenAI(base_url=BASE_URL, api_key=key, max_retries=max_retries, timeout=60)
    return instructor.from_openai(made, mode=mode)


def plain() -> dict[str, Any]:
    """With no model of the answer, instructor hands on what came."""
    found = client().create(model=ROUTE, response_model=None, **QUESTION)
    counted = found.usage
    return {
        "text": found.choices[0].message.content,
        "finish": found.choices[0].finish_reason,
        "usage": {"input": counted.prompt_tokens, "output": counted.completion_tokens},
    }


def structured(model: str, **options: Any) -> dict[str, Any]:
    found = client(**options).create(model=model, response_model=Weather, **QUESTION)
    return dict(found.model_dump())


async def structured_async() -> dict[str, Any]:
    made = AsyncOpenAI(base_url=BASE_URL, api_key=KEY, max_retries=0, timeout=60)
    found = await instructor.from_openai(made, mode=SCHEMA).create(
        model=STEADY, response_model=Weather, **QUESTION
    )
    return dict(found.model_dump())


def structured_streamed(model: str = STEADY) -> dict[str, Any]:
    *_, last = client().create_partial(model=model, response_model=Weather, **QUESTION)
    return dict(last.model_dump())


def structured_list() -> dict[str, Any]:
    found = client(mode=TOOLS).create_iterable(model=STEADY, response_model=Weather, **QUESTION)
    return dict(next(iter(found)).model_dump())


if __name__ == "__main__":
    scenarios = asking(structured)
    del scenarios["floor"]  # a template never answers a request for an object
    main(
        "instructor",
        "instructor",
        {
            "plain": plain,
            "structured": lambda: structured(STEADY),
            "structured_async": structured_async,
            "structured_by_tool": lambda: structured(STEADY, mode=TOOLS),
            "structured_streamed": structured_streamed,
            "structured_list": structured_list,
            "cut": lambda: caught(lambda: structured_streamed(CUT)),
            **scenarios,
        },
    )
