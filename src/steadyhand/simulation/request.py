"""A chat completion request as the simulated model understands it, and how it turns one down."""

from typing import Any

import msgspec


class Link(msgspec.Struct):
    """An image by address, usually a ``data:`` URL; never fetched."""

    url: str


class Clip(msgspec.Struct):
    """Audio in base 64."""

    data: str
    format: str = "wav"


class Part(msgspec.Struct):
    """One part of a message's content."""

    type: str
    text: str | None = None
    image_url: Link | None = None
    input_audio: Clip | None = None


class Message(msgspec.Struct):
    """One message of the conversation."""

    role: str
    content: str | list[Part] | None = None
    tool_call_id: str | None = None

    def text(self) -> str:
        """Return the text of every part, joined."""
        if isinstance(self.content, str):
            return self.content
        return " ".join(part.text for part in self.content or () if part.text)


class Function(msgspec.Struct):
    """A function that may be called."""

    name: str
    parameters: dict[str, Any] | None = None


class Tool(msgspec.Struct):
    """A tool that is offered; only functions are ever called."""

    type: str = "function"
    function: Function | None = None


class StreamOptions(msgspec.Struct):
    """Options that only a stream may have."""

    include_usage: bool | None = False


class ChatRequest(msgspec.Struct):
    """The fields that change the answer; every other one is accepted and ignored."""

    model: str
    messages: list[Message]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = 1
    stop: str | list[str] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    seed: Any = None
    logprobs: bool | None = False
    top_logprobs: int | None = None
    tools: list[Tool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = True
    response_format: dict[str, Any] | None = None

    def wants_usage(self) -> bool:
        """Return whether the stream should end with its usage."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def last_text(self, role: str) -> str:
        """Return the text of the last message of ``role``, or nothing."""
        return next((m.text() for m in reversed(self.messages) if m.role == role), "")


class Refusal(Exception):
    """The request is turned down before the model is asked: a status and OpenAI's four fields."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        """Hold what the error body will say."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param


_DECODER = msgspec.json.Decoder(ChatRequest)


def read(body: bytes) -> ChatRequest:
    """Read a request body with the checks that matter to a gateway's author.

    Raises:
        Refusal: It is not JSON, lacks a field, or asks for what cannot be.
    """
    try:
        request = _DECODER.decode(body)
    except msgspec.ValidationError as error:
        raise _misshapen(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(
            400,
            "We could not parse the JSON body of your request. The simulated model expects a JSON"
            f" payload: {error}",
        ) from None
    _check(request)
    return request


def _check(request: ChatRequest) -> None:
    if not request.messages:
        raise Refusal(
            400,
            "Invalid 'messages': empty array. Expected an array with minimum length 1.",
            code="empty_array",
            param="messages",
        )
    if request.stream_options is not None and not request.stream:
        raise Refusal(
            400,
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )
    if not 1 <= (request.n or 1) <= 128:
        raise Refusal(
            400,
            f"Invalid 'n': {request.n} is not from 1 to 128.",
            code="integer_out_of_range",
            param="n",
        )
    if request.top_logprobs and not request.logprobs:
        raise Refusal(
            400, "'logprobs' must be true for 'top_logprobs' to be set.", param="top_logprobs"
        )


def _misshapen(complaint: str) -> Refusal:
    """Say in OpenAI's words what msgspec says in its own."""
    if "missing required field `" in complaint and " - at " not in complaint:
        field = complaint.split("`")[1]
        return Refusal(
            400,
            f"Missing required parameter: '{field}'.",
            code="missing_required_parameter",
            param=field,
        )
    path = complaint.partition(" - at `$")[2].strip("`.") or None
    return Refusal(400, f"Invalid type for '{path}': {complaint}.", code="invalid_type", param=path)
