"""Live candidates that were planned around: they leave a row in the trail, and why."""

from collections.abc import Sequence
from time import monotonic

from steadyhand.gateway.climb.course import Course
from steadyhand.gateway.climb.lineup import LiveSlot, Slot
from steadyhand.gateway.exchange import Exchange
from steadyhand.gateway.recording import attempt_of
from steadyhand.routing.planning.forecast import why_not
from steadyhand.routing.planning.situation import FLOOR


def note_skipped(
    exchange: Exchange, course: Course, slots: Sequence[Slot], speaker: int, now_us: int
) -> dict[int, str]:
    """Note live candidates before ``speaker`` that were planned around; return why, by place."""
    asked = course.turned_to()
    skipped = [
        (place, slot)
        for place, slot in enumerate(slots[:speaker])
        if place not in asked and isinstance(slot, LiveSlot) and not slot.is_spare
    ]
    if not skipped:
        return {}
    progress, now_s = course.progress(), monotonic()
    reasons = {}
    for place, slot in skipped:
        reason = reasons[place] = why_not(progress, place, FLOOR, now_us)
        exchange.trail.attempts.append(attempt_of(exchange, slot.deployment.id, now_s, 0, reason))
    return reasons
