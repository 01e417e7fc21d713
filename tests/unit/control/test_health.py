import asyncio

from steadyhand.control.health import check
from steadyhand.control.probes import shipper_probe, shipper_problem
from steadyhand.records.shipper import ShipperStatus


async def good() -> str:
    return ""


async def bad() -> str:
    return "no snapshot"


async def broken() -> str:
    raise OSError("disk gone")


async def stuck() -> str:
    await asyncio.Event().wait()
    return ""


async def test_a_check_says_why_it_is_not_ready() -> None:
    assert (await check("x", good)).is_ready
    assert (await check("x", bad)).reason == "no snapshot"
    assert (await check("x", broken)).reason == "disk gone"
    assert (await check("x", stuck, timeout_s=0.01)).reason == "no answer within 0.01 s"


def test_a_shipper_that_stopped_or_fell_behind_is_a_problem() -> None:
    status = ShipperStatus(last_success_us=1_000_000, waiting_bytes=2_048)
    assert shipper_problem(status, 2_000_000, is_running=True) == ""
    assert "stopped" in shipper_problem(status, 2_000_000, is_running=False)
    assert shipper_problem(status, 61_000_000, is_running=True) == (
        "no whole pass for 60 s; 2,048 bytes wait"
    )
    assert shipper_problem(ShipperStatus(), 61_000_000, is_running=True) == ""


async def test_the_probe_looks_at_the_shipper_each_time() -> None:
    running = True
    probe = shipper_probe(ShipperStatus(), lambda: running, lambda: 0)
    assert await probe() == ""
    running = False
    assert "stopped" in await probe()
