"""What ran before the control process was started, for the page that shows what happens now."""

import logging
from typing import Final

from steadyhand.records.selection import RecordFilter
from steadyhand.records.store import RecordStore
from steadyhand.storage.database import DatabaseUnavailable
from steadyhand.telemetry.ring import SPAN_S, Ring

PAGE: Final = 1_000
MOST_PAGES: Final = 5
"""A start must not wait longer than this takes; under more load the page begins later."""

logger = logging.getLogger(__name__)


def refill(ring: Ring, records: RecordStore, now_s: float) -> None:
    """Tell ``ring`` the newest records of its span; called before anything is shipped."""
    wanted, before = RecordFilter(since_us=round((now_s - SPAN_S) * 1e6)), None
    try:
        for _ in range(MOST_PAGES):
            page = records.list(wanted, limit=PAGE, before=before)
            found = [stored.record for stored in page.records]
            before = page.before
            since_s = found[-1].received_us / 1e6 if found and before else now_s - SPAN_S
            ring.refill(found, since_s)
            if before is None:
                return
    except DatabaseUnavailable as error:
        logger.warning("the live page begins empty: %s", error)
