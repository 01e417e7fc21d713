"""Put the rows of a case together: one cell for each of its two forms. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.failover.cases import Case
from benchmarks.failover.load import Row
from benchmarks.failover.scoring import LETTERS, Score
from benchmarks.failover.stalls import Stalls
from benchmarks.failover.upstreams import first_model, second_model


@dataclass(frozen=True, slots=True)
class Cell:
    """One case in one form.

    Attributes:
        case: Its name.
        form: ``stream`` or ``whole``.
        sent: Requests.
        letters: Letter → how many, stalls of the machine left out.
        raw_late: How many were late on the clock, stalls and all.
        invalid: How many had not the documented form.
        whys: The reason of each letter → how many.
        calls: Upstream calls of each request, of both forms together; -1 if unknown.
    """

    case: str
    form: str
    sent: int
    letters: dict[str, int]
    raw_late: int
    invalid: int
    whys: dict[str, int]
    calls: float


def cells_of(
    case: Case, rows: Sequence[Row], marked: Stalls, calls: dict[str, int]
) -> Iterator[Cell]:
    """Yield the two cells of a case; ``calls`` is model → requests that have reached it."""
    reached = calls.get(first_model(case), 0) + calls.get(second_model(case), 0)
    is_known = bool(rows) and bool(case.first) and bool(case.second)
    for form in ("stream", "whole"):
        yield cell(
            case.name,
            form,
            [row for row in rows if row[0] == (form == "stream")],
            marked,
            reached / len(rows) if is_known else -1.0,
        )


def cell(name: str, form: str, rows: Sequence[Row], marked: Stalls, calls: float) -> Cell:
    """Return what the rows of one case in one form come to."""
    letters = dict.fromkeys(LETTERS, 0)
    whys: dict[str, int] = {}
    raw_late = invalid = 0
    for stream, sent_ns, kind, why, is_valid, first_us, ended_us in rows:
        judged = Score(kind, why, is_valid, first_us, ended_us)
        stalled_us = marked.within_us(sent_ns, sent_ns + ended_us * 1000)
        letter = judged.letter(stream=stream, stalled_us=stalled_us)
        letters[letter] += 1
        reason = f"{letter}: {why}"
        whys[reason] = whys.get(reason, 0) + 1
        raw_late += judged.letter(stream=stream) == "L"
        invalid += not is_valid
    return Cell(name, form, len(rows), letters, raw_late, invalid, whys, calls)
