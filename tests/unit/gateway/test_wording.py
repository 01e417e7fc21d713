"""What a route's prompt makes of a request: its values, its language, its gaps."""

import json
from typing import Any

import pytest

from steadyhand.gateway.drill import Order, drill
from steadyhand.routing.drilling import RungId
from steadyhand.routing.rungs.template import Template
from tests.support.chats import HI, write
from tests.support.gateways import GatewayBench, gateway_bench
from tests.support.ladders import ScriptedStored, live_rung
from tests.support.prompts import prompt_of
from tests.support.upstreams import answers, refuses

VARIABLES: dict[str, Any] = {
    "product": {"origin": "application", "max_chars": 20},
    "question": {"default": "none"},
}
TEXT = "Help with {{ product }}.\n{% role 'user' %}\nAsked before: {{ question }}"
TOOL = {"type": "function", "function": {"name": "look", "description": "d"}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}


def bench_of(
    text: str = TEXT, variables: dict[str, Any] | None = None, **more: Any
) -> GatewayBench:
    prompt = prompt_of(text, VARIABLES if variables is None else variables, **more)
    return gateway_bench({"first": [answers()]}, prompt=prompt)


def body(values: Any = None, **more: Any) -> bytes:
    ours = {} if values is None else {"steadyhand": {"variables": values}}
    return write({"model": "assistant", "messages": [HI], **ours, **more})


async def sent(bench: GatewayBench, asked: bytes) -> dict[str, Any]:
    reply = await bench.ask(asked)
    assert reply.status == 200, reply.body
    (call,) = bench.providers["first"].calls
    found: dict[str, Any] = json.loads(call.body)
    return found


async def test_values_become_messages_before_the_clients() -> None:
    found = await sent(bench_of(), body({"product": "X", "question": "Why {{ so }}?"}))
    assert found == {
        "model": "assistant",
        "messages": [
            {"role": "system", "content": "Help with X."},
            {"role": "user", "content": "Asked before: Why {{ so }}?"},
            HI,
        ],
    }


@pytest.mark.parametrize(
    ("values", "code", "param"),
    [
        (None, "variable_missing", "steadyhand.variables.product"),
        ({}, "variable_missing", "steadyhand.variables.product"),
        ({"product": 3}, "variable_invalid", "steadyhand.variables.product"),
        ({"product": "x" * 21}, "variable_invalid", "steadyhand.variables.product"),
        ([], "invalid_value", "steadyhand.variables"),
        ("x", "invalid_value", "steadyhand.variables"),
    ],
)
async def test_wrong_values_are_refused_before_anybody_is_asked(
    values: Any, code: str, param: str
) -> None:
    bench = bench_of()
    reply = await bench.ask(body(values))
    error = reply.json()["error"]
    assert (reply.status, error["code"], error["param"]) == (400, code, param)
    assert bench.providers["first"].calls == []
    assert bench.record().outcome == "rejected"


async def test_values_for_a_prompt_without_variables_do_no_harm() -> None:
    bench = gateway_bench({"first": [answers()]}, instructions="Be kind.")
    found = await sent(bench, body({"product": "X"}))
    assert found["messages"][0] == {"role": "system", "content": "Be kind."}


async def test_the_language_of_the_request_is_spoken() -> None:
    bench = bench_of("Hi", {}, locales={"de": "Hallo"})
    asked = write({"model": "assistant", "messages": [HI], "steadyhand": {"locale": "de-AT"}})
    assert (await sent(bench, asked))["messages"][0]["content"] == "Hallo"


async def test_parameters_fill_only_what_the_request_does_not_say() -> None:
    parameters = {"temperature": 0.2, "max_tokens": 100, "stop": ["END"], "seed": 7}
    bench = bench_of("Hi", {}, parameters=parameters)
    found = await sent(bench, body(temperature=1, max_completion_tokens=5, seed=None))
    assert (found["temperature"], found["stop"], found["seed"]) == (1, ["END"], 7)
    assert "max_tokens" not in found


async def test_parameters_alone_need_no_text() -> None:
    found = await sent(bench_of("", {}, parameters={"temperature": 0}), body())
    assert found == {"model": "assistant", "messages": [HI], "temperature": 0}


async def test_tools_and_schema_are_given_to_requests_that_bring_none() -> None:
    bench = bench_of("Hi", {}, tools=(TOOL,), output=FORMAT)
    found = await sent(bench, body())
    assert (found["tools"], found["response_format"]) == ([TOOL], FORMAT)


async def test_tools_and_schema_of_the_request_come_first() -> None:
    own = {**TOOL, "function": {"name": "own"}}
    bench = bench_of("Hi", {}, tools=(TOOL,), output=FORMAT)
    found = await sent(bench, body(tools=[own], response_format={"type": "json_object"}))
    assert (found["tools"], found["response_format"]) == ([own], {"type": "json_object"})


async def test_empty_tools_and_a_null_schema_are_none() -> None:
    bench = bench_of("Hi", {}, tools=(TOOL,), output=FORMAT)
    found = await sent(bench, body(tools=[], response_format=None))
    assert (found["tools"], found["response_format"]) == ([TOOL], FORMAT)


async def test_a_prompt_with_a_schema_makes_floors_of_text_silent() -> None:
    """The answer must fit the schema, whoever speaks: a text floor would break that."""
    prompt = prompt_of("Hi", output=FORMAT)
    bench = gateway_bench({"first": [refuses(500)]}, prompt=prompt, floor=Template("Sorry."))
    assert (await bench.ask(body())).status == 503


async def test_a_rungs_own_prompt_gets_the_values_and_has_its_own_parameters() -> None:
    own = prompt_of("Safely, {{ product }}.", VARIABLES, parameters={"temperature": 0})
    prompt = prompt_of(TEXT, VARIABLES, parameters={"temperature": 1})
    bench = gateway_bench(
        {"first": [refuses(500)], "second": [answers()]}, prompt=prompt, own_prompts=[None, own]
    )
    assert (await bench.ask(body({"product": "X"}))).status == 200
    first, second = (
        json.loads(bench.providers[name].calls[0].body) for name in ("first", "second")
    )
    assert (first["messages"][0]["content"], first["temperature"]) == ("Help with X.", 1)
    assert second == {
        "model": "assistant",
        "messages": [{"role": "system", "content": "Safely, X."}, HI],
        "temperature": 0,
    }
    assert b"steadyhand" not in bench.providers["second"].calls[0].body


async def test_a_rungs_plain_prompt_beside_one_with_values() -> None:
    bench = gateway_bench(
        {"first": [refuses(500)], "second": [answers()]},
        prompt=prompt_of(TEXT, VARIABLES),
        own_prompts=[None, prompt_of("Plainly.")],
    )
    assert (await bench.ask(body({"product": "X"}))).status == 200
    second = json.loads(bench.providers["second"].calls[0].body)
    assert second["messages"] == [{"role": "system", "content": "Plainly."}, HI]


async def test_answers_that_depend_on_values_are_kept_apart() -> None:
    """A stored answer is found by a question that has the values in it, seen or not."""
    stored = ScriptedStored()
    own = prompt_of("Safely, {{ product }}.", VARIABLES)
    for product in ("X", "Y"):
        bench = gateway_bench(
            {"first": [answers()]},
            rungs=lambda ports: [stored, live_rung(ports, "first")],
            prompt=prompt_of("Hi"),
            own_prompts=[None, own],
        )
        assert (await bench.ask(body({"product": product}))).status == 200
    assert len({question.body for question in stored.questions}) == 2


@pytest.mark.parametrize("number", [0, 1])
async def test_a_drill_gives_the_values_of_an_example(number: int) -> None:
    own = prompt_of("Safely, {{ product }}.", VARIABLES)
    bench = gateway_bench(
        {"first": [answers()], "second": [answers()]},
        prompt=prompt_of(TEXT, VARIABLES),
        own_prompts=[None, own],
    )
    name = ("first", "second")[number]
    rung = RungId("assistant", number, "live", name, f"{name}-model")
    found = await drill(bench.gateway, rung, Order(), 0.9)
    assert found is not None
    assert (found.result, found.reason) == (True, "ok")
    (call,) = bench.providers[name].calls
    said = ("Help with example.", "Safely, example.")[number]
    assert json.loads(call.body)["messages"][0]["content"] == said


async def test_what_would_be_too_long_is_refused_as_the_callers_mistake() -> None:
    variables = {"tags": {"type": "texts", "max_chars": 100_000, "max_items": 1_000}}
    bench = bench_of("{% for t in tags %}{{ t }}{% endfor %}", variables)
    reply = await bench.ask(body({"tags": ["x" * 100_000] * 3}))
    assert (reply.status, reply.json()["error"]["code"]) == (413, "prompt_too_long")


async def test_a_rung_may_be_the_only_one_with_a_prompt() -> None:
    own = prompt_of("Safely, {{ product }}.", VARIABLES, parameters={"temperature": 0})
    bench = gateway_bench({"first": [answers()]}, own_prompts=[own])
    found = await sent(bench, body({"product": "X"}))
    assert found["messages"] == [{"role": "system", "content": "Safely, X."}, HI]
    assert found["temperature"] == 0


async def test_a_rungs_prompt_without_a_text_still_takes_the_place_of_the_routes() -> None:
    own = prompt_of("", parameters={"temperature": 0})
    bench = gateway_bench(
        {"first": [refuses(500)], "second": [answers()]},
        prompt=prompt_of("Be bold.", parameters={"temperature": 1}),
        own_prompts=[None, own],
    )
    assert (await bench.ask(body())).status == 200
    second = json.loads(bench.providers["second"].calls[0].body)
    assert second == {"model": "assistant", "messages": [HI], "temperature": 0}
