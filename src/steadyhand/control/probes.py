"""What readiness asks of the parts that run beside the REST API."""

from collections.abc import Callable

from steadyhand.control.health import Probe
from steadyhand.records.shipper import ShipperStatus

STALE_S = 30.0


def shipper_problem(
    status: ShipperStatus, now_us: int, *, is_running: bool, stale_s: float = STALE_S
) -> str:
    """Say why records are not being shipped, or return an empty string. Pure.

    ``stale_s`` is how long the last whole pass may be ago; none yet is no problem.
    """
    if not is_running:
        return "the shipper has stopped; records wait in the gateways' logs"
    behind_s = (now_us - status.last_success_us) / 1e6
    if status.last_success_us and behind_s > stale_s:
        return f"no whole pass for {behind_s:.0f} s; {status.waiting_bytes:,} bytes wait"
    return ""


def shipper_probe(
    status: ShipperStatus, is_running: Callable[[], bool], clock_us: Callable[[], int]
) -> Probe:
    """Make the probe of a shipper that runs in a thread of this process."""

    async def probe() -> str:
        return shipper_problem(status, clock_us(), is_running=is_running())

    return probe
