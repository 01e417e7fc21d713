"""Waits until the running gateways serve a workspace that was changed just now."""

import time

from steadyhand.app.state import State
from steadyhand.records.clock import wall_clock_us
from steadyhand.settings.model import Settings
from steadyhand.telemetry.board import read_board

POLL_S = 0.1


def served_versions(settings: Settings) -> dict[str, int]:
    """Return board → version of the snapshot in force, of every gateway that is up."""
    found = {}
    now_us = wall_clock_us()
    for path in sorted(State(settings).run.glob("gateway-*.board")):
        reading = read_board(path)
        if reading is not None and reading.is_up(now_us):
            found[path.name] = reading.values["snapshot_version"]
    return found


def wait_until_served(settings: Settings, before: dict[str, int], timeout_s: float) -> bool:
    """Wait until every gateway that is up serves something newer than it did ``before``.

    Returns:
        Whether that came true in time; ``False`` at once if no gateway runs.
    """
    until_s = time.monotonic() + timeout_s
    newest = max(before.values(), default=0)
    while before and time.monotonic() < until_s:
        now = served_versions(settings)
        if now and all(version > newest for version in now.values()):
            return True
        time.sleep(POLL_S)
    return False
