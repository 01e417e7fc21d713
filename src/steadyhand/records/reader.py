"""Reads one writer's log from a cursor, whatever state a crash left it in.

Two orders make it safe without talking to the writer. Whether the writer lives is asked before its
segments are listed, so what a dead one wrote is all there; and segments are listed before they are
read, so one with a successor is complete. What stands at the end of a segment that may still grow
is waited for; only in a finished one is it judged: torn, corrupt, or room that was not used. Behind
damage the next sound frame is looked for, so that one bad sector costs the records in it.
"""

from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from steadyhand.records.cursor import Cursor
from steadyhand.records.entry import Entry, Note, decode
from steadyhand.records.frame import (
    HEAD_BYTES,
    HEADER_BYTES,
    MAX_PAYLOAD,
    Frame,
    Stop,
    find,
    is_blank,
    parse_header,
    scan,
)
from steadyhand.records.segment import is_alive, segment_numbers, segment_path

BLOCK = 1024 * 1024  # bytes per read; more than the largest frame, so each read makes progress
OVERLAP = HEAD_BYTES + MAX_PAYLOAD  # of two blocks in which a frame is looked for

MANY = 2**62


class Reading(NamedTuple):
    """What :func:`read` found after a cursor.

    Attributes:
        entries: In order, none at or below the cursor's sequence.
        notes: Annotations, in the same order.
        cursor: Where to go on once ``entries`` and ``notes`` are safe.
        finished: Segments wholly read that will never grow: to be deleted.
        corrupt: Segments with bytes that make no sense, finished or not: to be set aside.
        skipped: Bytes of those that were passed over.
        torn: Segments that end inside a frame, as a killed writer leaves them.
        missing: Sequences skipped over: records that were written and cannot be read.
        undecodable: Sound frames that hold no record and no annotation of a shape known here.
        ended: Whether the writer is dead and nothing is left after ``cursor``.
    """

    entries: list[Entry]
    notes: list[Note]
    cursor: Cursor
    finished: list[int]
    corrupt: list[int]
    skipped: int
    torn: int
    missing: int
    undecodable: list[Frame]
    ended: bool


class _Part(NamedTuple):
    frames: list[Frame]
    end: int
    stop: Stop
    skipped: int = 0


def read(directory: Path, cursor: Cursor, limit: int) -> Reading:
    """Read up to ``limit`` entries of the writer in ``directory`` that come after ``cursor``.

    Raises:
        OSError: A segment cannot be read. A reading changes nothing, so it may be repeated.
    """
    lives = is_alive(directory)
    present = segment_numbers(directory)
    numbers = [number for number in present if number >= cursor.segment]
    frames: list[Frame] = []
    parts: dict[int, _Part] = {
        number: _read_segment(segment_path(directory, number), 0, MANY, 0, is_final=True)
        for number in present  # taken by a shipper that was killed before it could delete them
        if number < cursor.segment
    }
    finished = list(parts)
    segment, offset = cursor.segment, cursor.offset
    ended = not lives
    for number in numbers:
        if number != segment:
            segment, offset = number, 0
        is_final = not (lives and number == numbers[-1])
        last = frames[-1].sequence if frames else cursor.sequence
        path = segment_path(directory, number)
        part = _read_segment(path, offset, limit - len(frames), last, is_final=is_final)
        frames += part.frames
        offset = part.end
        if is_final:
            parts[number] = part
        if part.stop == "limit" or not is_final:
            ended = False
            break
        finished.append(number)
    taken = _decode_after(cursor.sequence, frames)
    return Reading(
        entries=taken.entries,
        notes=taken.notes,
        cursor=Cursor(segment, offset, taken.last),
        finished=finished,
        corrupt=[n for n, part in parts.items() if part.stop == "corrupt" or part.skipped],
        skipped=sum(part.skipped for number, part in parts.items() if number >= cursor.segment),
        torn=sum(part.stop == "partial" for part in parts.values()),
        missing=taken.missing,
        undecodable=taken.undecodable,
        ended=ended,
    )


def _read_segment(path: Path, offset: int, limit: int, last: int, *, is_final: bool) -> _Part:
    frames: list[Frame] = []
    skipped = 0
    with path.open("rb", buffering=0) as file:
        stop: Stop = "end"
        if offset == 0:
            header = file.read(HEADER_BYTES)
            if len(header) < HEADER_BYTES:
                return _Part(frames, 0, "partial")
            offset = HEADER_BYTES
            if parse_header(header) is None and not is_blank(header):
                offset, stop = 0, "corrupt"
        while True:
            if stop != "corrupt":
                offset, stop = _read_on(file, offset, limit, frames)
            if stop in ("limit", "end", "zeros") or not is_final:
                return _Part(frames, offset, stop, skipped)
            found = _look_on(file, offset, frames[-1].sequence if frames else last)
            if found is None:
                return _end(file, frames, offset, stop, skipped)
            skipped, offset, stop = skipped + found - offset, found, "end"


def _read_on(file: BinaryIO, offset: int, limit: int, frames: list[Frame]) -> tuple[int, Stop]:
    """Add what can be read from ``offset`` to ``frames``; return where and why that ends."""
    while True:
        file.seek(offset)
        block = file.read(BLOCK)
        found = scan(block, limit - len(frames))
        frames += found.frames
        offset += found.end
        stop = found.stop
        if len(block) < BLOCK or stop in ("limit", "corrupt"):
            return offset, stop
        if stop == "zeros" and not found.end:
            return offset, "zeros" if _is_blank_on(file) else "corrupt"


def _is_blank_on(file: BinaryIO) -> bool:
    while block := file.read(BLOCK):
        if not is_blank(block):
            return False
    return True


def _look_on(file: BinaryIO, offset: int, last: int) -> int | None:
    """Return where the next sound frame behind ``offset`` is, or ``None``."""
    offset += 1
    while True:
        file.seek(offset)
        block = file.read(BLOCK)
        at = find(block, last)
        if at >= 0:
            return offset + at
        if len(block) < BLOCK:
            return None
        offset += BLOCK - OVERLAP


def _end(file: BinaryIO, frames: list[Frame], offset: int, stop: Stop, skipped: int) -> _Part:
    """Judge a segment of which nothing more can be read.

    Where room was made beforehand, a crash tears the last write inside zeros: what looks corrupt
    then is torn.
    """
    size = file.seek(0, 2)
    file.seek(max(offset, size - HEAD_BYTES))
    if stop == "corrupt" and offset and is_blank(file.read()):
        stop = "partial"
    if stop == "corrupt":
        skipped += size - offset
    return _Part(frames, offset, stop, skipped)


class _Taken(NamedTuple):
    entries: list[Entry]
    notes: list[Note]
    last: int
    missing: int
    undecodable: list[Frame]


def _decode_after(last: int, frames: list[Frame]) -> _Taken:
    """Decode what comes after sequence ``last``; a failed sync may have left frames twice."""
    entries: list[Entry] = []
    notes: list[Note] = []
    undecodable: list[Frame] = []
    missing = 0
    for frame in frames:
        sequence, payload = frame
        if sequence <= last:
            continue
        missing += sequence - last - 1
        last = sequence
        try:
            found = decode(sequence, payload)
        except msgspec.DecodeError:
            undecodable.append(frame)
        else:
            if isinstance(found, Note):
                notes.append(found)
            else:
                entries.append(found)
    return _Taken(entries, notes, last, missing, undecodable)
