"""A fallback has its turn seconds after the request came: what is known by then counts."""

import asyncio
from collections.abc import Callable
from time import monotonic

from steadyhand.gateway.climb.gear import Gear
from steadyhand.records.record import Record
from steadyhand.routing.health.deployment import DeploymentHealth
from steadyhand.routing.model import DeploymentId, SloClass
from steadyhand.routing.planning.decision import decode_decision
from steadyhand.routing.planning.passed_over import passed_over
from steadyhand.routing.planning.replay import replay
from steadyhand.routing.rungs.template import Template
from tests.support.gateways import GatewayBench, gateway_bench
from tests.support.ladders import gear_with
from tests.support.upstreams import answers, hangs

SOON = SloClass("soon", first_content_ms=600, whole_ms=600, stream_cap_ms=10_000)
SECOND = DeploymentId("second", "second-model")


def fail(health: DeploymentHealth) -> None:
    """Let what others ask of a deployment fail until its breaker opens."""
    for _ in range(5):
        health.began(monotonic(), 10, stream=False).ended(monotonic(), "error")


async def asked(
    bench: GatewayBench, gear: Gear, change: Callable[[DeploymentHealth], None]
) -> Record:
    """Ask while the first is silent; ``change`` comes before the second's turn."""
    asking = asyncio.ensure_future(bench.ask())
    await asyncio.sleep(0.12)
    change(gear.health.of(SECOND))
    await asking
    return bench.record()


def bench_of(gear: Gear, *more: str) -> GatewayBench:
    scripts = {"first": [hangs()], "second": [answers()], **{name: [answers()] for name in more}}
    return gateway_bench(scripts, slo=SOON, floor=Template("Back soon."), gear=gear)


async def test_who_has_failed_for_others_meanwhile_is_not_asked() -> None:
    gear = gear_with()
    bench = bench_of(gear)
    record = await asked(bench, gear, fail)
    assert record.rung == "template"
    assert bench.providers["second"].limits == [], "no call is spent on it"
    assert {one.provider: one.reason for one in record.attempts} == {
        "first": "gave_up",
        "second": "open",
    }
    assert [one.reason for one in passed_over(record.decision)] == ["open"]


async def test_the_next_has_its_turn_at_once() -> None:
    gear = gear_with()
    bench = bench_of(gear, "third")
    record = await asked(bench, gear, fail)
    assert (record.rung, record.provider) == ("live", "third")
    assert bench.providers["second"].limits == []


async def test_the_decision_can_be_made_again() -> None:
    gear = gear_with()
    record = await asked(bench_of(gear, "third"), gear, fail)
    made = decode_decision(record.decision)
    assert [event.detail for event in made.events if event.kind == "shut"] == ["open"]
    again = replay(made)
    assert again.differences == ()
    assert again.passed_over == ((1, "open"),)


async def test_a_breaker_that_is_half_open_gives_it_the_place_of_a_probe() -> None:
    gear = gear_with()

    def fail_long_ago(health: DeploymentHealth) -> None:
        fail(health)
        health.breaker.until_s = monotonic()

    bench = bench_of(gear)
    record = await asked(bench, gear, fail_long_ago)
    assert (record.rung, record.provider) == ("live", "second")
    assert [one.role for one in record.attempts] == ["first", "probe"]
    assert gear.health.of(SECOND).probes == {"ok": 1}


async def test_who_is_well_is_asked() -> None:
    gear = gear_with()
    record = await asked(bench_of(gear), gear, lambda _: None)
    assert (record.rung, record.provider) == ("live", "second")
