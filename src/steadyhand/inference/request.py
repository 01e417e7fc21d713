"""What a client asks of a model on this machine, and what is asked of the engine for it. Pure.

Only fields that are known go to the engine: it takes many of its own that no client has any
business with. The engine always streams, also for a whole answer: only then can it be stopped.

A tool call that must be (``tool_choice`` ``required``, or a function by name) is forced by schema,
whatever the model's template can do: the engine writes ``{"name": ..., "arguments": ...}`` under a
grammar and :mod:`steadyhand.inference.forced` makes a tool call of it.
"""

from typing import Any

import msgspec

from steadyhand.core.errors import InvalidJson, InvalidValue, MissingField
from steadyhand.inference.errors import UnsupportedValue

PASSED_ON = (
    *("messages", "tools", "parallel_tool_calls", "response_format", "max_tokens"),
    *("max_completion_tokens", "temperature", "top_p", "top_k", "min_p", "stop", "seed"),
    *("frequency_penalty", "presence_penalty", "repeat_penalty", "logit_bias", "logprobs"),
    *("top_logprobs", "reasoning_effort", "chat_template_kwargs"),
)
_FORMATS = {"text", "json_object", "json_schema"}


class Wanted(msgspec.Struct, frozen=True):
    """A request, read.

    Attributes:
        body: What the engine is asked, as JSON.
        model: What the client calls the model; its answer says the same.
        is_stream: Whether the client wants a stream.
        wants_usage: Whether its stream shall end with the usage.
        forces_call: Whether the engine's text is a tool call.
    """

    body: bytes
    model: str
    is_stream: bool
    wants_usage: bool
    forces_call: bool


def read(body: bytes) -> Wanted:
    """Read a chat request.

    Raises:
        InvalidRequest: It is not one, or asks for what no model here can do.
    """
    fields = _fields(body)
    if not isinstance(fields.get("messages"), list) or not fields["messages"]:
        raise MissingField("messages must be a list that is not empty", param="messages")
    _refuse_unsupported(fields)
    asked = {name: fields[name] for name in PASSED_ON if fields.get(name) is not None}
    schema = _forced_schema(fields)
    if schema is not None:
        form = {"type": "json_schema", "json_schema": {"name": "call", "schema": schema}}
        asked["response_format"] = form
        asked["tool_choice"] = "none"  # the tools stay in the prompt
    elif asked.get("tools"):
        asked["tool_choice"] = fields.get("tool_choice") or "auto"
    asked |= {
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,
        "cache_prompt": True,
    }
    options = fields.get("stream_options")
    return Wanted(
        body=msgspec.json.encode(asked),
        model=str(fields.get("model") or ""),
        is_stream=fields.get("stream") is True,
        wants_usage=isinstance(options, dict) and options.get("include_usage") is True,
        forces_call=schema is not None,
    )


def warm_up(system: str) -> bytes:
    """Return what reads a route's instructions into the prefix cache."""
    messages = [{"role": "system", "content": system}, {"role": "user", "content": "."}]
    asked = {
        "messages": messages,
        "max_tokens": 1,
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,
        "cache_prompt": True,
    }
    return msgspec.json.encode(asked)


def _fields(body: bytes) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidJson(f"the body is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise InvalidJson("the body is not a JSON object")
    return fields


def _refuse_unsupported(fields: dict[str, Any]) -> None:
    if fields.get("n") not in (None, 1):
        raise UnsupportedValue("a model on this machine gives one choice: leave n at 1", param="n")
    if fields.get("functions"):
        raise UnsupportedValue("functions are given as tools", param="functions")
    wanted = fields.get("response_format")
    if wanted is None:
        return
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind not in _FORMATS:
        raise InvalidValue(
            f"response_format has a type of {', '.join(sorted(_FORMATS))}", param="response_format"
        )
    if kind == "json_schema" and not _schema_of(wanted):
        raise MissingField("json_schema needs a schema", param="response_format")


def _schema_of(wanted: dict[str, Any]) -> object:
    given = wanted.get("json_schema")
    return given.get("schema") if isinstance(given, dict) else None


def _forced_schema(fields: dict[str, Any]) -> dict[str, Any] | None:
    """Return the schema of the tool call that must be, or ``None`` if none must."""
    functions = _functions(fields.get("tools") or [])
    choice = fields.get("tool_choice")
    if isinstance(choice, dict):
        named = choice.get("function")
        name = named.get("name") if isinstance(named, dict) else None
        functions = [function for function in functions if function["name"] == name]
        if not functions:
            raise InvalidValue(f"no tool is named {str(name)[:200]!r}", param="tool_choice")
    elif choice not in (None, "none", "auto", "required"):
        raise InvalidValue("tool_choice is none, auto, required or a tool", param="tool_choice")
    elif choice != "required":
        return None
    elif not functions:
        raise MissingField("tool_choice is required, but there are no tools", param="tools")
    calls = [_call_schema(function) for function in functions]
    return calls[0] if len(calls) == 1 else {"anyOf": calls}


def _functions(tools: object) -> list[dict[str, Any]]:
    found = []
    for tool in tools if isinstance(tools, list) else [None]:
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise InvalidValue("tools is a list of functions with names", param="tools")
        found.append(function)
    return found


def _call_schema(function: dict[str, Any]) -> dict[str, Any]:
    """Return what a call looks like; the grammar keeps the order of its properties."""
    arguments = function.get("parameters") or {"type": "object"}
    return {
        "type": "object",
        "properties": {"name": {"const": function["name"]}, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }
