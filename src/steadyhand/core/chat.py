"""Chat completions, OpenAI's shape: what the house reads of a request, an answer, a chunk.

Only fields that a decision needs are named; everything else passes by untouched, so a field that
OpenAI adds tomorrow works today. Source: OpenAI's public API description, read 2026-11.

A field kept as it came is ``Raw | UnsetType``, never ``Raw | None``: msgspec reads the latter as
"only null". Null then is the bytes ``null``; :func:`is_given` knows.
"""

from typing import Any, Literal, TypeGuard

import msgspec
from msgspec import UNSET, UnsetType


def is_given(value: msgspec.Raw | UnsetType) -> TypeGuard[msgspec.Raw]:
    """Tell whether a field is there and not null."""
    return value is not UNSET and bytes(value) != b"null"


class StreamOptions(msgspec.Struct, gc=False):
    """The request's ``stream_options``."""

    include_usage: bool | None = None


class JsonSchema(msgspec.Struct, gc=False):
    """``response_format.json_schema``; the schema stays as the client wrote it."""

    name: str = ""
    schema: msgspec.Raw | UnsetType = UNSET


class ResponseFormat(msgspec.Struct, gc=False):
    """The request's ``response_format``."""

    type: str
    json_schema: JsonSchema | None = None


class Extension(msgspec.Struct, gc=False):
    """The ``steadyhand`` object in a request; taken out before the body goes upstream.

    Attributes:
        deadline_ms: A shorter latency budget than the route's, in milliseconds.
        user: The end user; stored answers and sticky choices go by it.
        conversation: Names the conversation; sticky choices go by it.
        locale: BCP 47 tag of the language to answer in.
        user_context: Whether the messages hold facts of one user: their answers are never shared.
        variables: Name → value, for the variables of the route's prompt. An object, if anything.
    """

    deadline_ms: float | None = None
    user: str | None = None
    conversation: str | None = None
    locale: str | None = None
    user_context: bool | None = None
    variables: Any = None


class ChatRequest(msgspec.Struct, gc=False):
    """What is read of a chat request. ``user`` should be a string, and passes by if it is not."""

    model: str
    messages: list[msgspec.Raw]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: int | None = None
    tools: list[msgspec.Raw] | None = None
    functions: list[msgspec.Raw] | None = None
    response_format: ResponseFormat | None = None
    user: Any = None
    steadyhand: Extension | UnsetType | None = UNSET


class Usage(msgspec.Struct, gc=False):
    """Token counts as the provider gives them."""

    class Prompt(msgspec.Struct, gc=False):
        """Parts of the prompt's tokens."""

        cached_tokens: int | None = None

    class Completion(msgspec.Struct, gc=False):
        """Parts of the completion's tokens."""

        reasoning_tokens: int | None = None

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: Prompt | None = None
    completion_tokens_details: Completion | None = None


class AnswerChoice(msgspec.Struct, gc=False):
    """One choice of a whole answer."""

    finish_reason: str | None = None


class Answer(msgspec.Struct, gc=False):
    """What is read of a whole answer; ``error`` set means failure whatever the status said."""

    choices: list[AnswerChoice] | None = None
    usage: Usage | None = None
    model: str | None = None
    error: msgspec.Raw | UnsetType = UNSET


class Delta(msgspec.Struct, gc=False):
    """What a chunk adds. Any of these but ``role`` is content: the stream may commit.

    ``content`` is text, but Mistral's reasoning models send a list of parts.
    """

    content: str | list[msgspec.Raw] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[msgspec.Raw] | None = None
    function_call: msgspec.Raw | UnsetType = UNSET
    audio: msgspec.Raw | UnsetType = UNSET

    def is_plain(self) -> bool:
        """Tell whether there is text or reasoning at most: nothing that acts, refuses or sounds."""
        return not (
            isinstance(self.content, list)
            or self.refusal
            or self.tool_calls
            or is_given(self.function_call)
            or is_given(self.audio)
        )

    def has_content(self) -> bool:
        """Tell whether a reader would have something to show or act on."""
        return bool(
            self.content
            or self.reasoning_content
            or self.reasoning
            or self.refusal
            or self.tool_calls
            or is_given(self.function_call)
            or is_given(self.audio)
        )


class ChunkChoice(msgspec.Struct, gc=False):
    """One choice of a chunk."""

    index: int = 0
    delta: Delta | None = None
    finish_reason: str | None = None


class Chunk(msgspec.Struct, gc=False):
    """What is read of a stream's chunk."""

    choices: list[ChunkChoice] | None = None
    usage: Usage | UnsetType | None = UNSET
    model: str | None = None
    error: msgspec.Raw | UnsetType = UNSET


Modality = Literal["text", "tools", "schema"]
"""What kind of answer a request can take: any text, a tool call, or JSON under a schema."""
