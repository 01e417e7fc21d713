"""A stream means the same, and reads the same, wherever the network cut it."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from steadyhand.core.chat import Usage
from steadyhand.gateway.relay import ChatStream
from tests.support.chats import (
    DONE,
    USAGE,
    JsonObject,
    begins,
    error_body,
    event,
    says,
    stops,
    write,
)
from tests.support.cuts import cut


@dataclass(frozen=True)
class Sent:
    """An event as the provider sends it, and as clients read it.

    Attributes:
        wire: As it comes.
        bare: As a client reads it that did not ask for usage.
        kept: As one does that asked.
        owed: The usage in it that such a client gets at the end.
        is_usage: It has usage and nothing else.
    """

    wire: bytes
    bare: bytes
    kept: bytes
    owed: bytes = b""
    is_usage: bool = False
    is_comment: bool = False
    is_content: bool = False


@st.composite
def chunks(draw: st.DrawFn) -> Sent:
    index = draw(st.integers(0, 2))
    text = draw(st.text(max_size=6) | st.sampled_from(["\u2028", '"usage":1', "data: x\n\n", "}{"]))
    choices: list[JsonObject] = draw(
        st.sampled_from([[says(text, index)], [begins(index)], [stops("stop", index)], []])
    )
    fields: JsonObject = {"id": "c", "choices": choices, "model": "m"}
    if draw(st.booleans()):
        fields["nested"] = {"usage": {"usage": 1}}
    bare = write(fields)
    says_something = choices == [says(text, index)] and text != ""
    if not draw(st.booleans()):
        return Sent(event(bare), event(bare), event(bare), is_content=says_something)
    usage = draw(st.sampled_from([None, USAGE, {"prompt_tokens": 1}]))
    names = list(fields)
    names.insert(draw(st.integers(0, len(names))), "usage")
    values = {**fields, "usage": usage}

    def sent(**changed: object) -> bytes:
        return event(write({name: {**values, **changed}[name] for name in names}))

    wire = sent()
    if usage is None:
        return Sent(wire, event(bare), wire, is_content=says_something)
    if not choices:
        return Sent(wire, b"", wire, is_usage=True)
    return Sent(wire, event(bare), sent(usage=None), sent(choices=[]), is_content=says_something)


ALIVE = b": keep-alive\n\n"
COMMENT = Sent(ALIVE, ALIVE, ALIVE, is_comment=True)
ENDS = st.sampled_from(
    [b"", DONE, event(error_body()), event(b"<html>"), b"data: {\n", b"data: [D"]
)
Meaning = tuple[bool, bool, bool, bytes | None, str, Usage | None, str, str]


def run(wire: bytes, points: list[int], *, keeps_usage: bool) -> tuple[bytes, Meaning]:
    """Feed ``wire`` cut at ``points``; return what went on and what the stream is said to be."""
    stream = ChatStream(keeps_usage=keeps_usage)
    passed = b"".join([stream.feed(piece) for piece in [*cut(wire, points), b""]])
    return passed, (
        stream.has_content,
        stream.is_done,
        stream.is_whole,
        stream.error,
        stream.malformed,
        stream.usage,
        stream.served_model,
        stream.finish_reason,
    )


@given(
    st.lists(chunks() | st.just(COMMENT), max_size=6),
    ENDS,
    st.booleans(),
    st.sampled_from([b"\n", b"\r\n"]),
    st.lists(st.integers(0, 5_000), max_size=10),
)
def test_any_cut_gives_the_same_bytes_and_the_same_meaning(
    sent: list[Sent], end: bytes, keeps_usage: bool, newline: bytes, points: list[int]
) -> None:
    wire = (b"".join(one.wire for one in sent) + end).replace(b"\n", newline)
    passed, meaning = run(wire, points, keeps_usage=keeps_usage)
    assert (passed, meaning) == run(wire, [], keeps_usage=keeps_usage)

    expected, owed, has_content = b"", b"", False
    for one in sent:
        has_content = has_content or one.is_content
        owed = b"" if one.is_usage else one.owed or owed
        if not one.is_comment or has_content:
            expected += one.kept if keeps_usage else one.bare
    is_whole = meaning[2]
    last = owed if keeps_usage and is_whole else b""
    assert passed == expected.replace(b"\n", newline) + last
    assert meaning[0] == has_content
    assert meaning[1] == (end == DONE)
