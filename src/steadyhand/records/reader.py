"""Reads one writer's log from a cursor, whatever state a crash left it in.

Two orders make it safe without talking to the writer. Whether the writer lives is asked before its
segments are listed, so what a dead one wrote is all there; and segments are listed before they are
read, so one with a successor is complete. What stands at the end of a segment that may still grow
is waited for; only in a finished one is it judged torn or corrupt.
"""

from pathlib import Path
from typing import NamedTuple

import msgspec

from steadyhand.records.cursor import Cursor
from steadyhand.records.frame import HEADER_BYTES, Frame, Stop, parse_header, scan
from steadyhand.records.record import Record
from steadyhand.records.segment import is_alive, segment_numbers, segment_path

BLOCK = 1024 * 1024  # bytes per read; more than the largest frame, so each read makes progress

MANY = 2**62

_decode = msgspec.msgpack.Decoder(Record).decode


class Entry(NamedTuple):
    """One record of the log, with the bytes it was written as."""

    sequence: int
    record: Record
    payload: bytes


class Reading(NamedTuple):
    """What :func:`read` found after a cursor.

    Attributes:
        entries: In order, none at or below the cursor's sequence.
        cursor: Where to go on once ``entries`` are safe.
        finished: Segments wholly read that will never grow: to be deleted.
        corrupt: Those of ``finished`` whose rest makes no sense: to be set aside instead.
        torn: Segments that end inside a frame, as a killed writer leaves them.
        missing: Sequences skipped over: records that were written and cannot be read.
        undecodable: Sound frames that hold no record of a shape known here.
        ended: Whether the writer is dead and nothing is left after ``cursor``.
    """

    entries: list[Entry]
    cursor: Cursor
    finished: list[int]
    corrupt: list[int]
    torn: int
    missing: int
    undecodable: list[Frame]
    ended: bool


class _Part(NamedTuple):
    frames: list[Frame]
    end: int
    stop: Stop


def read(directory: Path, cursor: Cursor, limit: int) -> Reading:
    """Read up to ``limit`` records of the writer in ``directory`` that come after ``cursor``.

    Raises:
        OSError: A segment cannot be read. A reading changes nothing, so it may be repeated.
    """
    lives = is_alive(directory)
    present = segment_numbers(directory)
    numbers = [number for number in present if number >= cursor.segment]
    frames: list[Frame] = []
    finished: dict[int, Stop] = {
        number: _read_segment(segment_path(directory, number), 0, MANY).stop
        for number in present  # taken by a shipper that was killed before it could delete them
        if number < cursor.segment
    }
    segment, offset = cursor.segment, cursor.offset
    ended = not lives
    for number in numbers:
        if number != segment:
            segment, offset = number, 0
        part = _read_segment(segment_path(directory, number), offset, limit - len(frames))
        frames += part.frames
        offset = part.end
        if part.stop == "limit" or (lives and number == numbers[-1]):
            ended = False
            break
        finished[number] = part.stop
    taken = _decode_after(cursor.sequence, frames)
    return Reading(
        entries=taken.entries,
        cursor=Cursor(segment, offset, taken.last),
        finished=list(finished),
        corrupt=[number for number, stop in finished.items() if stop == "corrupt"],
        torn=sum(stop == "partial" for stop in finished.values()),
        missing=taken.missing,
        undecodable=taken.undecodable,
        ended=ended,
    )


def _read_segment(path: Path, offset: int, limit: int) -> _Part:
    frames: list[Frame] = []
    with path.open("rb", buffering=0) as file:
        if offset == 0:
            header = file.read(HEADER_BYTES)
            if len(header) < HEADER_BYTES:
                return _Part(frames, 0, "partial")
            if parse_header(header) is None:
                return _Part(frames, 0, "corrupt")
            offset = HEADER_BYTES
        while True:
            file.seek(offset)
            block = file.read(BLOCK)
            found = scan(block, limit - len(frames))
            frames += found.frames
            offset += found.end
            stop = found.stop
            if stop == "partial" and len(block) == BLOCK:
                if found.end:
                    continue  # the frame goes on in the next block
                stop = "corrupt"  # no frame is this long: zeros, with something behind them
            if stop != "end" or len(block) < BLOCK:
                return _Part(frames, offset, stop)


class _Taken(NamedTuple):
    entries: list[Entry]
    last: int
    missing: int
    undecodable: list[Frame]


def _decode_after(last: int, frames: list[Frame]) -> _Taken:
    """Decode what comes after sequence ``last``; a failed sync may have left frames twice."""
    entries: list[Entry] = []
    undecodable: list[Frame] = []
    missing = 0
    for frame in frames:
        sequence, payload = frame
        if sequence <= last:
            continue
        missing += sequence - last - 1
        last = sequence
        try:
            entries.append(Entry(sequence, _decode(payload), payload))
        except msgspec.DecodeError:
            undecodable.append(frame)
    return _Taken(entries, last, missing, undecodable)
