"""The bytes of the log: whatever is cut off or broken, no frame is read that was not written."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.records.frame import (
    HEAD_BYTES,
    HEADER_BYTES,
    MAX_PAYLOAD,
    Frame,
    Header,
    find,
    pack,
    pack_head,
    pack_header,
    parse_header,
    scan,
)

FRAMES = st.lists(
    st.builds(Frame, st.integers(1, 2**64 - 1), st.binary(min_size=1, max_size=60)), max_size=8
)
ALL = 1_000


def written(frames: list[Frame]) -> bytes:
    return b"".join(pack(*frame) for frame in frames)


@given(FRAMES)
def test_what_is_packed_is_scanned(frames: list[Frame]) -> None:
    data = written(frames)
    assert scan(data, ALL) == (frames, len(data), "end")


@given(FRAMES, st.data())
def test_cut_anywhere_the_whole_frames_before_are_read(
    frames: list[Frame], draw: st.DataObject
) -> None:
    data = written(frames)
    cut = draw.draw(st.integers(0, len(data)))
    found = scan(data[:cut], ALL)
    assert found.frames == frames[: len(found.frames)]
    assert found.end == len(written(found.frames)) <= cut
    assert found.stop == ("end" if found.end == cut else "partial")
    if len(found.frames) < len(frames):  # and no whole one is left out
        assert found.end + len(pack(*frames[len(found.frames)])) > cut


@given(FRAMES, st.lists(st.integers(0, 700), max_size=12))
def test_chunked_in_any_way_the_same_frames_come_out(frames: list[Frame], cuts: list[int]) -> None:
    data = written(frames)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    rest, found = b"", []
    for start, end in pairwise(edges):
        rest += data[start:end]
        part = scan(rest, ALL)
        found += part.frames
        rest = rest[part.end :]
    assert (found, rest) == (frames, b"")


@given(FRAMES, st.integers(0, 9))
def test_a_limit_stops_at_a_frames_edge_and_the_rest_follows(
    frames: list[Frame], limit: int
) -> None:
    data = written(frames)
    first = scan(data, limit)
    assert first.frames == frames[:limit]
    assert first.stop == ("limit" if len(frames) > limit else "end")
    assert scan(data[first.end :], ALL).frames == frames[limit:]


@given(FRAMES.filter(bool), st.data())
def test_a_flipped_bit_ends_the_scan_and_invents_nothing(
    frames: list[Frame], draw: st.DataObject
) -> None:
    data = bytearray(written(frames))
    place = draw.draw(st.integers(0, len(data) - 1))
    data[place] ^= 1 << draw.draw(st.integers(0, 7))
    found = scan(bytes(data), ALL)
    assert found.frames == frames[: len(found.frames)]
    assert found.end <= place
    assert found.stop in {"corrupt", "partial"}


@given(FRAMES, st.integers(1, 100))
def test_a_tail_of_zeros_is_room_and_not_a_frame(frames: list[Frame], zeros: int) -> None:
    data = written(frames)
    assert scan(data + bytes(zeros), ALL) == (frames, len(data), "zeros")


@given(FRAMES, st.binary(max_size=200), st.integers(0, 2**40))
def test_behind_anything_the_first_sound_frame_is_found(
    frames: list[Frame], rubbish: bytes, after: int
) -> None:
    near = [Frame(after + 1 + number, frame.payload) for number, frame in enumerate(frames)]
    near = [frame for frame in near if frame.sequence >> 32 == after >> 32]
    data = rubbish + written(near)
    at = find(data, after)
    if not near:
        assert at == -1
    elif at != len(rubbish):  # the rubbish ended like a frame: one in four thousand million
        assert scan(data[at:], 1).frames


def test_what_cannot_follow_is_not_taken_for_a_frame() -> None:
    far = written([Frame(5_000, b"far ahead"), Frame(3, b"near")])
    assert find(far, 1) == len(pack(5_000, b"far ahead"))
    assert find(far[:-1], 1) == -1, "cut off"
    assert find(written([Frame(3 + 2**32, b"another upper half")]), 1) == -1
    assert find(bytes(70_000), 1) == -1
    assert find(pack_head(1, 0, 2) + b"x", 1) == -1, "the wrong sum"


@pytest.mark.parametrize(
    ("data", "stop"),
    [
        (pack_head(0, 0, 0), "zeros"),  # nothing but zeros
        (pack_head(0, 0, 0) + b"x", "corrupt"),  # zeros with something behind them
        (pack_head(MAX_PAYLOAD + 1, 0, 1), "corrupt"),  # longer than any frame
        (pack_head(MAX_PAYLOAD, 0, 1), "partial"),  # the longest, not yet here
        (pack_head(1, 0, 1) + b"x", "corrupt"),  # the wrong sum
    ],
)
def test_heads_that_lead_nowhere(data: bytes, stop: str) -> None:
    assert scan(data, ALL) == ([], 0, stop)


def test_the_longest_payload_goes_through() -> None:
    longest = Frame(7, bytes(range(256)) * (MAX_PAYLOAD // 256))
    assert scan(pack(*longest), ALL).frames == [longest]
    assert len(pack(*longest)) == HEAD_BYTES + MAX_PAYLOAD


@given(
    st.text("0123456789abcdefghjkmnpqrstvwxyz-", min_size=1, max_size=32),
    st.integers(1, 2**64 - 1),
    st.integers(0, HEADER_BYTES * 8 - 1),
)
def test_a_header_is_read_back_and_a_flipped_bit_in_it_noticed(
    writer: str, first_sequence: int, bit: int
) -> None:
    header = pack_header(writer, first_sequence)
    assert len(header) == HEADER_BYTES
    assert parse_header(header) == Header(writer, first_sequence)
    broken = bytearray(header)
    broken[bit // 8] ^= 1 << (bit % 8)
    assert parse_header(bytes(broken)) is None
