"""What a rollout has to know of a request: which slice it was in, and how it went. Pure.

It is kept apart from the record, in a narrow row, because evidence is read again and again, and is
counted by everything that happened to those who were assigned, whoever answered in the end.
"""

from typing import Final, NamedTuple

from steadyhand.records.annotation import Grounding
from steadyhand.records.record import DRILL, Record

ERROR: Final = 1
"""No answer, or one that was cut."""

FALLBACK: Final = 2
"""Another answered than the first live choice, because that failed or was planned around."""

INVALID: Final = 4
"""The model refused, or a filter ended its answer."""

MEASURED: Final = 16
"""Not a request: what its sampled answer was found to be, which became known after it."""

UNGROUNDED: Final = 32
"""Of such: the answer does not stand in what the model was given."""

LATE: Final = 8
"""Past the latency budget."""

COMPARED: Final = 0
CONTROL: Final = 1
CANDIDATE: Final = 2
STABLE: Final = 3
"""Slots: the candidate's compared slice, the control slices, the rest of each."""

SLOTS: Final = 4

_REFUSED: Final = frozenset({"content_filter", "refusal"})
_FIRST: Final = frozenset({"first_choice", "hedge"})


class Exposure(NamedTuple):
    """One request of an open rollout.

    Attributes:
        rollout: Salt of the candidate.
        unit: Who asked.
        slot: Which slice it was in.
        weight: Of the candidate then, basis points.
        controls: Number of control slices then.
        received_us: Wall clock, microseconds since 1970.
        latency_us: To the first content of a stream, else to the end of the answer.
        tokens: Read and written.
        flags: Sum of what went wrong.
    """

    rollout: str
    unit: int
    slot: int
    weight: int
    controls: int
    received_us: int
    latency_us: int
    tokens: int
    flags: int


def exposure_of(record: Record) -> Exposure | None:
    """Return what a rollout has to know of ``record``; ``None`` if it is of no rollout.

    Requests that were refused for what is wrong with themselves say nothing of a release.
    """
    if not record.rollout or record.wire == DRILL or record.outcome == "rejected":
        return None
    return Exposure(
        record.rollout,
        record.unit,
        slot_of(record.arm, record.part),
        record.candidate_bp,
        record.controls,
        record.received_us,
        record.first_content_us if record.stream and record.first_content_us else record.total_us,
        record.input_tokens + record.output_tokens,
        _flags(record),
    )


def exposure_of_sample(found: Grounding) -> Exposure | None:
    """Return what a rollout has to know of a sampled answer; ``None`` if it says nothing to one."""
    if not found.rollout or found.verdict == "not_measured":
        return None
    flags = MEASURED | (UNGROUNDED if found.verdict == "ungrounded" else 0)
    return Exposure(
        found.rollout,
        found.unit,
        found.slot,
        found.weight,
        found.controls,
        found.sampled_us,
        0,
        0,
        flags,
    )


def slot_of(arm: str, part: int) -> int:
    """Return the slot of an arm and the number of its compared slice, -1 for none."""
    if arm == "control":
        return CONTROL
    if arm == "candidate":
        return CANDIDATE if part < 0 else COMPARED
    return STABLE


def _flags(record: Record) -> int:
    flags = 0
    if record.outcome in {"failed", "truncated", "interrupted"}:
        flags |= ERROR
    if is_fallback(record):
        flags |= FALLBACK
    if record.finish_reason in _REFUSED:
        flags |= INVALID
    if not record.in_time:
        flags |= LATE
    return flags


def is_fallback(record: Record) -> bool:
    """Tell whether another answered than the first live choice, because that could or did not.

    An answer that was kept, found before anybody was asked, is none.
    """
    if record.outcome == "floor":
        return True
    if record.rung == "live":
        return record.reason not in _FIRST
    return bool(record.rung) and any(attempt.provider for attempt in record.attempts)
