"""A chat stream on its way through: what is passed on, what it means, whether it is whole.

Pure: bytes in, bytes out, no clock and no socket. Rules (see ``docs/concepts/streams.md``):

- *Content* is the first text, reasoning, refusal, tool-call or audio delta. Until then nothing
  must reach the client, so that another rung may still speak.
- A stream is whole only if every choice has a finish reason **and** ``[DONE]`` came. ``[DONE]`` is
  therefore held back until the rest has been seen to be whole.
- Usage is always asked for; what the client did not ask for is taken out again, by splice.
- Who asked gets it as OpenAI sends it: once, at the end, with empty ``choices``. Some providers
  send running totals on every chunk, and clients that add up what they get would count each.
"""

import msgspec
from msgspec import UNSET
from typing_extensions import override

from steadyhand.core import splice, sse
from steadyhand.core.chat import Chunk, Delta, Usage, is_given
from steadyhand.core.errors import InvalidRequest

MAX_EVENT_BYTES = 8 * 1024 * 1024
_DECODER = msgspec.json.Decoder(Chunk)


class ChatStream:
    """Reads one stream.

    Attributes:
        has_content: A first content delta has been seen: the stream may commit.
        is_done: ``[DONE]`` has been seen.
        error: The first error event's data, or ``None``. Nothing after it counts.
        malformed: Why the stream cannot be read on, or empty.
        usage: The last usage seen (providers that send several send running totals).
        served_model: What the provider says the model is.
        finish_reason: Of choice 0, or of the first choice that finished.
    """

    __slots__ = (
        "_ended",
        "_keeps_usage",
        "_open",
        "_owed",
        "_splitter",
        "error",
        "finish_reason",
        "has_content",
        "is_done",
        "malformed",
        "served_model",
        "usage",
    )

    def __init__(self, *, keeps_usage: bool) -> None:
        """``keeps_usage`` tells whether the client asked for usage."""
        self._splitter = sse.EventSplitter(MAX_EVENT_BYTES)
        self._keeps_usage = keeps_usage
        self._open: set[int] = set()
        self._ended: set[int] = set()
        self._owed = b""  # a chunk with the usage that the client has not got yet
        self.has_content = False
        self.is_done = False
        self.error: bytes | None = None
        self.malformed = ""
        self.usage: Usage | None = None
        self.served_model = ""
        self.finish_reason = ""

    @property
    def is_whole(self) -> bool:
        """Whether everything came: a finish reason for each choice, then ``[DONE]``."""
        return self.is_done and bool(self._ended) and not self._open

    @property
    def is_over(self) -> bool:
        """Whether nothing that may still come can count."""
        return self.is_done or self.error is not None or bool(self.malformed)

    def feed(self, data: bytes) -> bytes:
        """Take what came from upstream; return what may go on, in whole events.

        Empty ``data`` says that nothing more comes. ``[DONE]``, error events and whatever follows
        them are not returned: how a stream ends is decided by whoever looks at the attributes
        afterwards.
        """
        if self.is_over:
            return b""
        try:
            events = self._splitter.feed(data)
        except ValueError as error:
            self.malformed = str(error)
            return b""
        kept = []
        for event in events:
            passed = self._take(event)
            if self.is_over:
                if self._owed and self.is_whole:
                    kept.append(sse.event(self._owed))
                break
            if passed:
                kept.append(passed)
        return b"".join(kept)

    def _take(self, event: bytes) -> bytes:
        """Learn from one event; return it as it goes on."""
        data = sse.payload(event)
        if data is None:
            return event if self.has_content else b""
        if data == sse.DONE:
            self.is_done = True
            return b""
        try:
            chunk = _DECODER.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self.malformed = f"an event is not a chat chunk: {error}"
            return b""
        if is_given(chunk.error):
            self.error = data
            return b""
        self._learn(chunk)
        if chunk.usage is UNSET:
            return event
        try:
            if self._keeps_usage:
                return self._with_usage_last(event, data, chunk)
            return without_usage(event, data, chunk)
        except InvalidRequest as error:
            self.malformed = f"an event is ambiguous: {error}"
            return b""

    def _with_usage_last(self, event: bytes, data: bytes, chunk: Chunk) -> bytes:
        """Return ``event``; usage beside choices becomes null, and is owed until the end.

        Raises:
            InvalidRequest: ``usage`` or ``choices`` stands there twice.
        """
        if chunk.usage is None:
            return event if chunk.choices is not None else with_choices(event, data)
        if chunk.choices:
            self._owed = splice.set_field(data, b"choices", b"[]")
            return edited(event, data, splice.set_field(data, b"usage", b"null"))
        self._owed = b""
        return event if chunk.choices is not None else with_choices(event, data)

    def _learn(self, chunk: Chunk) -> None:
        """Note content, finish reasons, usage and the served model."""
        for choice in chunk.choices or ():
            if choice.finish_reason is not None:
                self._ended.add(choice.index)
                self._open.discard(choice.index)
                if choice.index == 0 or not self.finish_reason:
                    self.finish_reason = choice.finish_reason
            elif choice.index not in self._ended:
                self._open.add(choice.index)
            if not self.has_content and choice.delta is not None and choice.delta.has_content():
                self.has_content = True
        if chunk.usage is not UNSET and chunk.usage is not None:
            self.usage = chunk.usage
        if not self.served_model:
            self.served_model = chunk.model or ""


class KeptStream(ChatStream):
    """Reads one stream and collects its text, to be kept for later requests."""

    __slots__ = ("_room", "_texts")

    def __init__(self, *, keeps_usage: bool, max_characters: int) -> None:
        """Collect ``max_characters`` at most; longer answers are not kept."""
        super().__init__(keeps_usage=keeps_usage)
        self._room = max_characters
        self._texts: list[str] | None = []

    @property
    def plain_text(self) -> str:
        """All of its text, empty if it is more than plain text of one choice, or too long."""
        return "".join(self._texts or ())

    @override
    def _learn(self, chunk: Chunk) -> None:
        super()._learn(chunk)
        for choice in chunk.choices or ():
            if choice.delta is not None and self._texts is not None:
                self._collect(choice.index, choice.delta)

    def _collect(self, index: int, delta: Delta) -> None:
        """Take up the text; give up at whatever is not one plain text."""
        if index != 0 or not delta.is_plain() or self._texts is None:
            self._texts = None
        elif isinstance(delta.content, str):
            self._room -= len(delta.content)
            self._texts.append(delta.content)
            if self._room < 0:
                self._texts = None


def without_usage(event: bytes, data: bytes, chunk: Chunk) -> bytes:
    """Return ``event`` without usage, or nothing if it carried nothing else.

    Raises:
        InvalidRequest: ``usage`` stands there twice.
    """
    if not chunk.choices and chunk.usage is not None:
        return b""
    return edited(event, data, splice.remove_field(data, b"usage"))


def with_choices(event: bytes, data: bytes) -> bytes:
    """Return a usage ``event`` whose ``choices`` are null or absent with empty ones.

    OpenAI sends an empty list there, and its SDKs iterate over it.

    Raises:
        InvalidRequest: ``choices`` stands there twice.
    """
    return edited(event, data, splice.set_field(data, b"choices", b"[]"))


def edited(event: bytes, data: bytes, changed: bytes) -> bytes:
    """Return ``event`` with ``changed`` in place of its ``data``."""
    if data in event:
        return event.replace(data, changed, 1)
    return sse.event(changed)  # it came in several lines
