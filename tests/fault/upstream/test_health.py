"""Health of a deployment behind a real socket: dead, silent, ten times as slow, and well again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from time import monotonic

import pytest

from steadyhand.providers import openai
from steadyhand.routing.health.deployment import DeploymentHealth
from steadyhand.routing.model import DeploymentId, SloClass
from steadyhand.routing.ports import RungPorts
from steadyhand.routing.rungs import live
from steadyhand.simulation.server import SimulatorServer
from tests.support.chats import chat_body
from tests.support.gateways import GatewayBench, gateway_bench
from tests.support.simulators import ports, simulator_server

UP = DeploymentId("up", "steady:ttft_ms=20")
QUICK = SloClass("quick", first_content_ms=400, whole_ms=400, stream_cap_ms=5_000)
HEAL_S = 45.0
"""Half a minute is promised; the rest is for a busy machine."""


class House:
    """A gateway with one live rung, its provider on a socket, and requests that go on coming."""

    def __init__(self, bench: GatewayBench, server: SimulatorServer) -> None:
        self.bench = bench
        self.simulator = server.simulator
        self.health: DeploymentHealth = bench.gateway.gear.health.of(UP)
        self.asked_upstream: list[int] = []

    async def ask(self) -> None:
        """Ask once; note how often a provider was asked for it, and not only planned around."""
        await self.bench.ask(chat_body(stream=True))
        self.asked_upstream.append(sum(bool(each.role) for each in self.bench.records[-1].attempts))

    async def load(self, is_enough: Callable[[DeploymentHealth], bool], most_s: float) -> None:
        """Ask some eighty times a second until something is so of the deployment."""
        began_s, tasks = monotonic(), set[asyncio.Task[None]]()
        while not is_enough(self.health):
            assert monotonic() - began_s < most_s, self.seen()
            self.bench.gateway.gear.health.beat(monotonic())
            task = asyncio.create_task(self.ask())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            await asyncio.sleep(0.012)
        await asyncio.gather(*tasks)

    def seen(self) -> object:
        """Return what the status file would say."""
        return self.bench.gateway.gear.health.snapshot(monotonic(), 0)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with simulator_server() as (server, url):
        provider = openai.build(openai.Settings(base_url=f"{url}/v1"), ports())
        rung = live.build(
            live.Settings(provider=UP.provider, model=UP.model), RungPorts({"up": provider})
        )
        yield House(gateway_bench(rungs=lambda _: [rung], slo=QUICK), server)
        await provider.close()


def is_warm(health: DeploymentHealth) -> bool:
    return health.oks >= 180


def is_open(health: DeploymentHealth) -> bool:
    return health.breaker.state == "open"


def is_whole(health: DeploymentHealth) -> bool:
    return health.breaker.state == "closed" and health.share.value >= 1.0


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [("refused", "error"), ("silent-after-headers", "slow")],
)
async def test_a_broken_provider_is_asked_by_probes_only_and_taken_back(
    house: House, behaviour: str, reason: str
) -> None:
    await house.load(is_warm, most_s=60.0)
    house.simulator.override(behaviour)
    await house.load(is_open, most_s=20.0)
    assert house.health.openings == {reason: 1}
    del house.asked_upstream[:]
    for _ in range(20):
        await house.ask()
    assert sum(house.asked_upstream) < 20, "it is still asked by every request"
    house.simulator.override(None)
    await house.load(is_whole, most_s=HEAL_S)
    assert house.health.probes["ok"] >= 3
    assert house.health.in_flight == 0


async def test_a_provider_ten_times_as_slow_drifts_before_it_fails(house: House) -> None:
    await house.load(is_warm, most_s=60.0)
    house.simulator.override("steady:ttft_ms=250")
    await house.load(lambda health: health.drift.is_drifting, most_s=20.0)
    assert house.health.openings == {}
    await house.load(lambda health: health.share.value < 0.5, most_s=20.0)
    assert house.health.reading(monotonic()).reason in {"latency_drift", "tail_drift"}
    house.simulator.override(None)
    await house.load(is_whole, most_s=HEAL_S)
    assert not house.health.drift.is_drifting
