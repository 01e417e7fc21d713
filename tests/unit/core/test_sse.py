"""Events come out the same whatever line endings were used and wherever the network cut them."""

from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from steadyhand.core import sse
from tests.support.cuts import cut

LIMIT = 10_000
# Characters that `splitlines` takes for ends of lines, and some that could confuse a parser.
TEXTS = st.text(
    st.sampled_from("\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e :d\\{}") | st.characters(codec="utf-8"),
    max_size=8,
).map(lambda text: text.replace("\r", "").replace("\n", ""))
ENDINGS = st.sampled_from(["\n", "\r\n", "\r"])
OTHER_LINES = st.sampled_from([":", ": keep-alive", "event: x", "id: 7", "retry: 10", "unknown"])


@dataclass(frozen=True)
class Written:
    """An event on the wire, and the payload that it stands for."""

    wire: bytes
    payload: bytes | None


@st.composite
def events(draw: st.DrawFn) -> Written:
    """Write an event of any lines, each with any ending."""
    values: list[str] = []
    wire = ""
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            value = draw(TEXTS)
            values.append(value)
            separator = draw(st.sampled_from(["data:", "data: "]))
            if value == "" and draw(st.booleans()):
                separator = "data"
            wire += ("data: " if value.startswith(" ") else separator) + value
        else:
            wire += draw(OTHER_LINES)
        wire += draw(ENDINGS)
    blank = draw(ENDINGS)
    wire += "\r\n" if wire.endswith("\r") and blank == "\n" else blank
    return Written(wire.encode(), "\n".join(values).encode() if values else None)


def split(chunks: list[bytes]) -> list[bytes]:
    """Return every event in ``chunks``, after which the stream ends."""
    splitter = sse.EventSplitter(LIMIT)
    return [event for chunk in [*chunks, b""] for event in splitter.feed(chunk)]


@given(st.lists(events(), max_size=5), st.lists(st.integers(0, 10_000), max_size=12))
@example([Written(b"data: x\r\n\n", b"x")], [])
@example([Written(b"data: [DONE]\r\r", b"[DONE]")], [13])
@example([Written(b"data: x\r\r\n", b"x"), Written(b"data: y\r\r\n", b"y")], [9, 19])
@example([Written(b"data: x\ndata: y\rdata: z\n\n", b"x\ny\nz")], [])
@example([Written(b"data: x\rdata: y\n\n", b"x\ny")], [])
def test_any_cut_of_any_events_gives_their_payloads(
    written: list[Written], points: list[int]
) -> None:
    wire = b"".join(one.wire for one in written)
    found = split(cut(wire, points))
    assert b"".join(found) == wire, "bytes were lost"
    assert [sse.payload(one) for one in found] == [one.payload for one in written]


@given(st.lists(events(), min_size=1, max_size=3))
def test_byte_by_byte_is_the_same_as_at_once(written: list[Written]) -> None:
    wire = b"".join(one.wire for one in written)
    assert split([bytes([byte]) for byte in wire]) == split([wire])


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_an_event_is_whole_with_its_blank_line(ending: bytes) -> None:
    """It must not wait for the next one; only a lone CR might still become a CRLF."""
    splitter = sse.EventSplitter(LIMIT)
    assert splitter.feed(b"data: x" + ending) == []
    assert splitter.rest == b"data: x" + ending
    assert splitter.feed(ending) == [b"data: x" + ending + ending]
    assert splitter.rest == b""


def test_an_unfinished_event_is_never_returned() -> None:
    splitter = sse.EventSplitter(LIMIT)
    assert splitter.feed(b"data: x\n\ndata: y\n") == [b"data: x\n\n"]
    assert splitter.feed(b"") == []
    assert splitter.rest == b"data: y\n"


@given(st.integers(1, 50), st.integers(1, 60))
def test_what_is_held_has_a_limit(limit: int, size: int) -> None:
    splitter = sse.EventSplitter(limit)
    for sent in range(1, size + 1):
        if sent > limit:
            with pytest.raises(ValueError, match=f"longer than {limit} bytes"):
                splitter.feed(b"x")
            return
        assert splitter.feed(b"x") == []


def test_whole_events_do_not_count_against_the_limit() -> None:
    splitter = sse.EventSplitter(10)
    assert len(splitter.feed(b"data: x\n\n" * 100)) == 100


@given(TEXTS.map(str.encode))
def test_what_is_written_is_read(data: bytes) -> None:
    assert [sse.payload(one) for one in split([sse.event(data)])] == [data]
    lines = data + b"\n" + data
    assert [sse.payload(one) for one in split([sse.event(lines)])] == [lines]
