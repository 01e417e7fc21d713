"""Which live answers may be kept for later, and what is kept of them. Pure.

Kept is one choice of plain text that ended by itself (``stop``). Not kept: tool calls, refusals,
what a filter touched, what was cut by its length, several choices, audio. When in doubt, not.
"""

import msgspec
from msgspec import UNSET, UnsetType

from steadyhand.core.chat import Usage, is_given
from steadyhand.gateway.relay import ChatStream, KeptStream
from steadyhand.routing.rungs.base import GoodAnswer


class _Message(msgspec.Struct, gc=False):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[msgspec.Raw] | None = None
    function_call: msgspec.Raw | UnsetType = UNSET
    audio: msgspec.Raw | UnsetType = UNSET

    def text(self) -> str:
        """Return the text if there is nothing else, or nothing."""
        has_more = self.refusal or self.tool_calls
        if has_more or is_given(self.function_call) or is_given(self.audio):
            return ""
        return self.content or ""


class _Choice(msgspec.Struct, gc=False):
    message: _Message
    finish_reason: str | None = None


class _Whole(msgspec.Struct, gc=False):
    choices: list[_Choice]
    usage: Usage | None = None
    model: str | None = None


_DECODER = msgspec.json.Decoder(_Whole)


def good_whole(body: bytes, deployment: str, *, is_late: bool = False) -> GoodAnswer | None:
    """Return what is kept of a whole answer, ``None`` if it is none to keep."""
    try:
        read = _DECODER.decode(body)
    except (msgspec.DecodeError, RecursionError):  # a content of parts, for instance
        return None
    if len(read.choices) != 1 or read.choices[0].finish_reason != "stop":
        return None
    text = read.choices[0].message.text()
    if not text:
        return None
    return GoodAnswer(text, "stop", read.model or "", read.usage, deployment, is_late)


def good_stream(chat: ChatStream, deployment: str, *, is_late: bool = False) -> GoodAnswer | None:
    """Return what is kept of a stream that has ended, ``None`` if it is none to keep."""
    text = chat.plain_text if isinstance(chat, KeptStream) else ""
    if not (text and chat.is_whole and chat.finish_reason == "stop"):
        return None
    return GoodAnswer(text, "stop", chat.served_model, chat.usage, deployment, is_late)
