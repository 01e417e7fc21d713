"""A pool whose connections are all busy: who waits, for how long, and who is next."""

import asyncio
import threading
import time

import pytest

from steadyhand.http.failures import GaveUp, PoolExhausted
from steadyhand.http.limits import PoolLimits
from steadyhand.http.pool import Pool
from tests.support.client import ask, pool_at
from tests.support.hostile_upstream import OK, HostileUpstream, Visit, hostile
from tests.support.wire import eventually, within

ONE = PoolLimits(max_connections=1)


class Gate:
    """An upstream that answers each request when the test says so."""

    def __init__(self) -> None:
        self._tickets = threading.Semaphore(0)

    def play(self, visit: Visit) -> None:
        while True:
            visit.request()
            self._tickets.acquire(timeout=20)
            visit.say(OK)

    def answer(self, count: int = 1) -> None:
        self._tickets.release(count)


async def occupied(pool: Pool, peer: HostileUpstream) -> asyncio.Task[bytes]:
    """Let one request take the only connection."""
    task = asyncio.create_task(ask(pool))
    await eventually(lambda: len(peer.requests) == 1)
    return task


async def test_the_longest_waiting_is_served_first() -> None:
    gate = Gate()
    with hostile(gate.play) as peer:
        async with pool_at(peer.port, ONE) as pool:
            first = await occupied(pool, peer)
            tasks = [first]
            for number in range(10):
                tasks.append(asyncio.create_task(ask(pool, body=b"%d" % number)))
                await asyncio.sleep(0)
            await eventually(lambda: pool.waiting == 10)
            gate.answer(11)
            await asyncio.gather(*tasks)
            assert peer.requests[1:] == [b"%d" % number for number in range(10)]
            assert (pool.traffic.opened, pool.traffic.given_up) == (1, 0)


async def test_cancelled_callers_leave_no_hole() -> None:
    gate = Gate()
    with hostile(gate.play) as peer:
        async with pool_at(peer.port, ONE) as pool:
            first = await occupied(pool, peer)
            tasks = [asyncio.create_task(ask(pool, body=b"%d" % n)) for n in range(10)]
            await eventually(lambda: pool.waiting == 10)
            for leaving in (0, 3, 4, 9):
                tasks[leaving].cancel()
            await eventually(lambda: pool.waiting == 6)
            gate.answer(7)
            await asyncio.gather(first, *tasks, return_exceptions=True)
            assert peer.requests[1:] == [b"%d" % n for n in (1, 2, 5, 6, 7, 8)]
            assert (pool.idle, pool.busy, pool.traffic.waiting) == (1, 0, 0)


async def test_a_caller_cancelled_in_the_turn_of_its_grant_passes_it_on() -> None:
    gate = Gate()
    with hostile(gate.play) as peer:
        async with pool_at(peer.port, ONE) as pool:
            first = await occupied(pool, peer)
            second, third = (asyncio.create_task(ask(pool, body=b)) for b in (b"2", b"3"))
            await eventually(lambda: pool.waiting == 2)
            first.add_done_callback(lambda _: second.cancel())
            gate.answer(3)
            assert await third == b"ok"
            assert (await asyncio.gather(second, return_exceptions=True))[0] is not None
            await eventually(lambda: pool.busy == 0)


async def test_each_caller_waits_until_its_own_time_and_no_longer() -> None:
    gate = Gate()
    with hostile(gate.play) as peer:
        async with pool_at(peer.port, ONE) as pool:
            first = await occupied(pool, peer)
            begun_s = time.monotonic()
            waits_s = [0.6, 0.2, 0.4]
            ended: list[int] = []

            async def wait(number: int, give_up_s: float) -> None:
                with pytest.raises(PoolExhausted):
                    await ask(pool, within(give_up_at_s=begun_s + give_up_s))
                ended.append(number)

            await asyncio.gather(*(wait(n, s) for n, s in enumerate(waits_s)))
            assert ended == [1, 2, 0]
            assert (pool.waiting, pool.traffic.given_up) == (0, 3)
            gate.answer()
            assert await first == b"ok"
            assert peer.requests == [b""], "who gave up was never sent"


async def test_a_caller_whose_time_has_passed_is_handed_nothing() -> None:
    """Not even if its timer has not fired yet when a connection becomes free."""
    gate = Gate()
    with hostile(gate.play) as peer:
        async with pool_at(peer.port, ONE) as pool:
            first = await occupied(pool, peer)
            late = asyncio.create_task(
                ask(pool, within(give_up_at_s=time.monotonic() + 0.1), body=b"late")
            )
            in_time = asyncio.create_task(ask(pool, body=b"in time"))
            await eventually(lambda: pool.waiting == 2)
            gate.answer(2)
            time.sleep(0.3)  # noqa: ASYNC251  the answer and the deadline fall into one turn
            assert (await first, await in_time) == (b"ok", b"ok")
            with pytest.raises(PoolExhausted):
                await late
            assert peer.requests == [b"", b"in time"]


async def test_a_place_freed_by_a_death_is_opened_for_the_next() -> None:
    def dies(visit: Visit) -> None:
        visit.request()
        if visit.number > 1:
            visit.say(OK)
        else:
            time.sleep(0.1)

    with hostile(dies) as peer:
        async with pool_at(peer.port, ONE) as pool:
            found = await asyncio.gather(*(ask(pool) for _ in range(4)), return_exceptions=True)
            assert [one == b"ok" for one in found] == [False, True, True, True]
            assert pool.busy == 0


async def test_a_full_pool_and_a_slow_connect_are_told_apart() -> None:
    gate = Gate()
    with hostile(gate.play) as peer:
        async with pool_at(peer.port, ONE) as pool:
            first = await occupied(pool, peer)
            with pytest.raises(PoolExhausted, match="all 1 connections"):
                await ask(pool, within(connect_s=0.1))
            gate.answer()
            await first
    with hostile(lambda visit: visit.until_gone()) as silent:
        async with pool_at(silent.port) as pool:
            with pytest.raises(GaveUp):
                await ask(pool, within(give_up_at_s=time.monotonic() + 0.2))


async def test_a_repair_goes_before_those_that_wait() -> None:
    """It has had its turn: a fresh connection is opened for it in place of the stale one."""
    order: list[bytes] = []

    def dies_of_the_second(visit: Visit) -> None:
        order.append(visit.request())
        visit.say(OK)
        if visit.number == 1:
            order.append(visit.request())
            time.sleep(0.2)
            return
        while True:
            order.append(visit.request())
            visit.say(OK)

    with hostile(dies_of_the_second) as peer:
        async with pool_at(peer.port, ONE) as pool:
            await ask(pool, body=b"0")
            tasks = []
            for number in range(1, 5):
                tasks.append(asyncio.create_task(ask(pool, body=b"%d" % number)))
                await asyncio.sleep(0)
            assert await asyncio.gather(*tasks) == [b"ok"] * 4
            assert order == [b"0", b"1", b"1", b"2", b"3", b"4"]
            assert (pool.traffic.retried, pool.traffic.opened) == (1, 2)
