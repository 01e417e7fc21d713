"""Many requests at once on a pool that has no connections: bounded in all that it opens."""

import asyncio
import threading
import time

import pytest

from steadyhand.http.failures import ConnectFailed, ConnectTimedOut, GaveUp, UpstreamError
from steadyhand.http.limits import PoolLimits
from tests.support.client import ask, pool_at
from tests.support.hostile_upstream import OK, Visit, black_hole, hostile, polite
from tests.support.wire import eventually, within


async def test_a_storm_on_a_cold_pool_opens_no_more_than_it_may() -> None:
    limits = PoolLimits(max_connections=20, max_connecting=4)
    with hostile(polite) as peer:
        async with pool_at(peer.port, limits) as pool:
            most_opening = 0

            async def watch() -> None:
                nonlocal most_opening
                while True:
                    most_opening = max(most_opening, pool.traffic.opening)
                    await asyncio.sleep(0)

            watching = asyncio.create_task(watch())
            answers = await asyncio.gather(*(ask(pool, within(connect_s=20)) for _ in range(500)))
            watching.cancel()
            assert answers == [b"ok"] * 500
            assert 1 <= most_opening <= 4
            assert len(peer.visits) == pool.traffic.opened <= 20
            assert (pool.busy, pool.waiting, pool.traffic.waiting) == (0, 0, 0)


async def test_a_storm_on_a_refusing_upstream_fails_each_request_and_leaves_nothing() -> None:
    with hostile(polite) as peer:
        port = peer.port
    async with pool_at(port, PoolLimits(max_connecting=8)) as pool:
        found = await asyncio.gather(*(ask(pool) for _ in range(200)), return_exceptions=True)
        assert {type(failure) for failure in found} == {ConnectFailed}
        assert (pool.busy, pool.waiting, pool.traffic.connect_failed) == (0, 0, 200)


async def test_a_storm_on_a_dead_upstream_is_given_up_in_time_with_few_attempts() -> None:
    with black_hole() as port:
        async with pool_at(port, PoolLimits(max_connecting=8)) as pool:
            begun_s = time.monotonic()
            limits = within(connect_s=0.6, give_up_at_s=begun_s + 0.3)
            found = await asyncio.gather(
                *(ask(pool, limits) for _ in range(200)), return_exceptions=True
            )
            assert time.monotonic() - begun_s < 10
            assert {type(failure) for failure in found} == {GaveUp}
            assert pool.traffic.given_up == 200
            assert pool.busy <= 8
            await eventually(lambda: pool.busy == 0)
            assert pool.traffic.connect_timed_out <= 8


async def test_what_a_caller_gave_up_on_serves_the_next() -> None:
    """Else a rung that gives up sooner than a handshake takes would never have a connection."""
    go_on = threading.Event()

    def late(visit: Visit) -> None:
        go_on.wait(10)
        polite(visit)

    with hostile(late) as peer:
        async with pool_at(peer.port) as pool:
            callers = [asyncio.create_task(ask(pool)) for _ in range(3)]
            await asyncio.sleep(0)
            for caller in callers:
                caller.cancel()
            await eventually(lambda: pool.idle == 3)
            go_on.set()
            assert await ask(pool) == b"ok"
            assert pool.traffic.reused == 1


@pytest.mark.parametrize("closes", ["at-once", "reset"])
async def test_an_upstream_that_accepts_and_closes_is_a_failure_not_a_loop(closes: str) -> None:
    def play(visit: Visit) -> None:
        if closes == "reset":
            visit.reset()

    with hostile(play) as peer:
        async with pool_at(peer.port) as pool:
            for _ in range(5):
                with pytest.raises(UpstreamError):
                    await ask(pool)
            assert (pool.idle, pool.busy) == (0, 0)
            assert len(peer.visits) <= 10


async def test_closing_the_pool_ends_connections_that_are_being_opened() -> None:
    with black_hole() as port:
        async with pool_at(port) as pool:
            callers = [asyncio.create_task(ask(pool)) for _ in range(3)]
            await eventually(lambda: pool.busy == 3)
            await pool.close()
            assert pool.busy == 0
            found = await asyncio.gather(*callers, return_exceptions=True)
            assert {type(failure) for failure in found} == {ConnectFailed}


async def test_a_wait_to_connect_is_named_so() -> None:
    with black_hole() as port:
        async with pool_at(port, PoolLimits(max_connecting=1)) as pool:
            found = await asyncio.gather(
                *(ask(pool, within(connect_s=0.2)) for _ in range(3)), return_exceptions=True
            )
            assert {type(failure) for failure in found} == {ConnectTimedOut}
            await eventually(lambda: pool.busy == 0)


async def test_a_busy_upstream_keeps_its_bound_under_mixed_fates() -> None:
    """Some callers leave, some connections die, some answers are slow: the bounds hold."""

    def moody(visit: Visit) -> None:
        for turn in range(1000):
            visit.request()
            time.sleep(0.002 * (visit.number % 3))
            if turn % 7 == 6:
                visit.reset()
                return
            visit.say(OK)

    limits = PoolLimits(max_connections=6, max_connecting=2)
    with hostile(moody) as peer:
        async with pool_at(peer.port, limits) as pool:
            tasks = [asyncio.create_task(ask(pool, within(connect_s=20))) for _ in range(300)]
            for turn, task in enumerate(tasks):
                if turn % 5 == 0:
                    await asyncio.sleep(0.001)
                    task.cancel()
                assert pool.busy + pool.idle <= 6
            found = await asyncio.gather(*tasks, return_exceptions=True)
            assert sum(one == b"ok" for one in found) > 150
            await eventually(lambda: (pool.busy, pool.waiting) == (0, 0))
            assert (pool.traffic.waiting, pool.traffic.opening) == (0, 0)
            await eventually(lambda: pool.traffic.open == pool.idle)
