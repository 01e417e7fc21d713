"""Reads samples that gateways have written, in the frames of the record log.

Nothing of a segment is deleted before what it holds has been dealt with. A reader that was killed
begins again with what is left, so whoever takes samples must know them by their request's id.
"""

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from steadyhand.evals.grounding.sample import KIND, Sample, decoded
from steadyhand.records.cursor import START, Cursor
from steadyhand.records.reader import Reading, read
from steadyhand.records.segment import LOCK, segment_path, writers


class Found(NamedTuple):
    """A sample of the spool.

    Attributes:
        request_id: Of the request.
        made_us: When it was answered, microseconds since 1970.
        sample: It.
    """

    request_id: str
    made_us: int
    sample: Sample


class Batch(NamedTuple):
    """What one writer has written.

    Attributes:
        writer: Its folder.
        samples: In order.
        unreadable: Frames that are gone, damaged or of another shape.
        reading: To be given back to :meth:`Spool.done`.
    """

    writer: str
    samples: list[Found]
    unreadable: int
    reading: Reading


class Spool:
    """One folder of samples; belongs to one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, which may not be there yet."""
        self._folder = folder
        self._cursors: dict[str, Cursor] = {}

    def batches(self, limit: int) -> list[Batch]:
        """Return up to ``limit`` new samples of each writer, of those that have any, or ended.

        Raises:
            OSError: It cannot be read.
        """
        present = writers(self._folder)
        for gone in self._cursors.keys() - set(present):
            del self._cursors[gone]
        found = []
        for writer in present:
            cursor = self._cursors.get(writer, START)
            reading = read(self._folder / writer, cursor, limit)
            batch = _batch(writer, reading)
            if batch.samples or batch.unreadable or reading.finished or reading.ended:
                found.append(batch)
        return found

    def done(self, batch: Batch) -> None:
        """Go on behind ``batch``, and delete what is wholly read.

        Raises:
            OSError: It cannot be deleted; nothing is lost.
        """
        reading, folder = batch.reading, self._folder / batch.writer
        self._cursors[batch.writer] = reading.cursor
        for number in reading.finished:
            segment_path(folder, number).unlink(missing_ok=True)
        if reading.ended:
            with suppress(FileNotFoundError):
                (folder / LOCK).unlink(missing_ok=True)
                folder.rmdir()


def _batch(writer: str, reading: Reading) -> Batch:
    samples: list[Found] = []
    unreadable = reading.missing + len(reading.undecodable) + len(reading.entries)
    for note in reading.notes:
        made = note.annotation
        try:
            if made.kind != KIND:
                unreadable += 1
                continue
            samples.append(Found(made.request_id, made.made_us, decoded(made.body)))
        except msgspec.DecodeError:
            unreadable += 1
    return Batch(writer, samples, unreadable, reading)
