"""What of a client's request goes to the engine, and what is refused before."""

import json
from typing import Any

import pytest

from steadyhand.core.errors import InvalidRequest
from steadyhand.inference.request import Wanted, read, warm_up

ASK = [{"role": "user", "content": "é?"}]


def tool(name: str = "f", **parameters: Any) -> dict[str, Any]:
    given = {"parameters": parameters} if parameters else {}
    return {"type": "function", "function": {"name": name, **given}}


def wanted(**fields: Any) -> tuple[Wanted, dict[str, Any]]:
    found = read(json.dumps({"model": "m", "messages": ASK, **fields}).encode())
    return found, json.loads(found.body)


def test_known_fields_go_to_the_engine_and_others_stay_behind() -> None:
    found, asked = wanted(temperature=0, seed=2**60, stop=["x"], max_tokens=None, id_slot=3, n=1)
    assert asked == {
        "messages": ASK,
        "temperature": 0,
        "seed": 2**60,
        "stop": ["x"],
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,
        "cache_prompt": True,
    }
    assert found.model == "m"
    assert [found.is_stream, found.wants_usage, found.forces_call] == [False, False, False]


def test_a_stream_with_usage() -> None:
    found, _ = wanted(stream=True, stream_options={"include_usage": True})
    assert found.is_stream
    assert found.wants_usage
    assert not wanted(stream=True, stream_options=None)[0].wants_usage


@pytest.mark.parametrize(("given", "passed"), [(None, "auto"), ("auto", "auto"), ("none", "none")])
def test_a_free_choice_of_tools_is_the_templates(given: str | None, passed: str) -> None:
    found, asked = wanted(tools=[tool()], tool_choice=given)
    assert (asked["tool_choice"], found.forces_call) == (passed, False)


def test_one_call_that_must_be_is_forced_by_its_schema() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    choice = {"type": "function", "function": {"name": "g"}}
    found, asked = wanted(tools=[tool(), tool("g", **schema)], tool_choice=choice)
    assert found.forces_call
    assert asked["tool_choice"] == "none"
    assert len(asked["tools"]) == 2
    forced = asked["response_format"]["json_schema"]["schema"]
    assert forced["properties"] == {"name": {"const": "g"}, "arguments": schema}
    assert list(forced["properties"]) == forced["required"] == ["name", "arguments"]


def test_any_call_that_must_be_is_forced_to_be_one_of_them() -> None:
    _, asked = wanted(tools=[tool(), tool("g")], tool_choice="required")
    calls = asked["response_format"]["json_schema"]["schema"]["anyOf"]
    assert [call["properties"]["name"]["const"] for call in calls] == ["f", "g"]
    assert calls[0]["properties"]["arguments"] == {"type": "object"}


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"messages": []}, "messages", "missing_required_parameter"),
        ({"messages": "hi"}, "messages", "missing_required_parameter"),
        ({"n": 2}, "n", "unsupported_value"),
        ({"functions": [{"name": "f"}]}, "functions", "unsupported_value"),
        ({"response_format": {"type": "xml"}}, "response_format", "invalid_value"),
        ({"response_format": "json"}, "response_format", "invalid_value"),
        (
            {"response_format": {"type": "json_schema"}},
            "response_format",
            "missing_required_parameter",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {}}},
            "response_format",
            "missing_required_parameter",
        ),
        ({"tools": "f"}, "tools", "invalid_value"),
        ({"tools": [{"type": "function"}]}, "tools", "invalid_value"),
        ({"tools": [{"function": {"name": 1}}]}, "tools", "invalid_value"),
        ({"tool_choice": "required"}, "tools", "missing_required_parameter"),
        ({"tools": [tool()], "tool_choice": "always"}, "tool_choice", "invalid_value"),
        (
            {"tools": [tool()], "tool_choice": {"function": {"name": "x"}}},
            "tool_choice",
            "invalid_value",
        ),
        ({"tools": [tool()], "tool_choice": {"function": 1}}, "tool_choice", "invalid_value"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_field(
    fields: dict[str, Any], param: str, code: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        wanted(**fields)
    assert (caught.value.param, caught.value.code, caught.value.status) == (param, code, 400)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"a":"\xff"}', b"[" * 100_000])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read(body)


@pytest.mark.parametrize("kind", ["text", "json_object"])
def test_formats_are_passed_on(kind: str) -> None:
    assert wanted(response_format={"type": kind})[1]["response_format"] == {"type": kind}


def test_a_warm_up_reads_the_instructions_and_says_next_to_nothing() -> None:
    asked = json.loads(warm_up("Be brief."))
    assert asked["messages"][0] == {"role": "system", "content": "Be brief."}
    assert asked["max_tokens"] == 1
