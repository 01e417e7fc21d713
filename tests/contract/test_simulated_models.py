"""Every behaviour, streamed and plain, on both players, comes to what its row says."""

import pytest

from steadyhand.providers import openai, simulated
from steadyhand.providers.base import Provider
from steadyhand.simulation import behaviour as table
from steadyhand.simulation.behaviour import BEHAVIOURS, Behaviour
from tests.support.outcomes import outcome
from tests.support.simulators import call, limits, ports, simulator_server

HURRIED = {
    "slow": "ttft_ms=20",
    "drip": "gap_ms=1",
    "oversized": "mb=1",
    "random": "p=0",
    "flap": "period_s=3600000",
}
"""The same behaviours, as far as a test has time for them."""

OVER_A_SOCKET = {table.REFUSED: table.LOST, table.UNREACHABLE: table.SILENT}
"""A server that is asked has already accepted the connection."""

ROWS = [pytest.param(row, stream, id=f"{row.name}-{'stream' if stream else 'plain'}")
        for row in BEHAVIOURS.values() for stream in (False, True)]  # fmt: skip


async def played(provider: Provider, row: Behaviour, *, stream: bool) -> str:
    """Play ``row`` with limits that its silence runs into within half a second."""
    dials = HURRIED.get(row.name)
    request = call(f"{row.name}:{dials}" if dials else row.name, stream=stream)
    bounds = limits(
        connect_s=0.3,
        first_byte_s=0.3,
        idle_s=0.3 if row.plain == table.STALLED else 5,
        total_s=0.6 if row.plain == table.ENDLESS else 10,
    )
    return await outcome(lambda: provider.open(request, bounds), stream=stream)


def expected(row: Behaviour, *, stream: bool) -> set[str]:
    documented = row.streamed if stream else row.plain
    return {table.ANSWER, "status 500"} if documented == table.VARIES else {documented}


@pytest.mark.parametrize(("row", "stream"), ROWS)
async def test_in_process(row: Behaviour, stream: bool) -> None:
    provider = simulated.build(simulated.Settings(), ports())
    assert await played(provider, row, stream=stream) in expected(row, stream=stream)


@pytest.mark.parametrize(("row", "stream"), ROWS)
async def test_over_a_socket(row: Behaviour, stream: bool) -> None:
    async with simulator_server() as (_, url):
        provider = openai.build(openai.Settings(base_url=f"{url}/v1"), ports())
        try:
            found = await played(provider, row, stream=stream)
        finally:
            await provider.close()
    assert found in {OVER_A_SOCKET.get(name, name) for name in expected(row, stream=stream)}
