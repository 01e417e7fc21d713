"""Kept connections that the upstream has closed: seen in time, or repaired once, and counted."""

import asyncio
import threading
import time

import pytest

from steadyhand.http.failures import ConnectionLost
from tests.support.client import ask, pool_at
from tests.support.hostile_upstream import OK, Visit, hostile, polite
from tests.support.wire import eventually


def dies_after_one(visit: Visit) -> None:
    visit.request()
    visit.say(OK)


def dies_of_the_second(visit: Visit) -> None:
    visit.request()
    visit.say(OK)
    visit.request()


def resets_on_the_second(visit: Visit) -> None:
    visit.request()
    visit.say(OK)
    visit.request()
    visit.reset()


async def test_a_connection_closed_while_idle_is_not_used_again() -> None:
    with hostile(dies_after_one, polite) as peer:
        async with pool_at(peer.port) as pool:
            await ask(pool)
            await eventually(lambda: pool.idle == 0)
            assert await ask(pool) == b"ok"
            traffic = pool.traffic
            assert (traffic.stale_idle, traffic.stale_probed, traffic.retried) == (1, 0, 0)
            assert len(peer.visits) == 2


async def test_a_close_that_the_loop_has_not_seen_yet_is_found_by_the_probe() -> None:
    closed = threading.Event()

    def closes_now(visit: Visit) -> None:
        visit.request()
        visit.say(OK)
        visit.finish()
        closed.set()
        visit.until_gone()

    with hostile(closes_now, polite) as peer:
        async with pool_at(peer.port) as pool:
            await ask(pool)
            if pool.idle:  # the loop may have seen it already, which the test above is about
                assert closed.wait(10)
                time.sleep(0.05)  # noqa: ASYNC251  the loop shall not see what the kernel has
            was_seen = not pool.idle
            assert await ask(pool, replayable=False) == b"ok"
            assert pool.traffic.retried == 0
            assert pool.traffic.stale_probed == (0 if was_seen else 1)


@pytest.mark.parametrize("closing", [1, 2], ids=["the-last-used", "both"])
async def test_if_one_kept_connection_is_closed_another_is_used(closing: int) -> None:
    """The last one that came back is taken first; a closed one is passed over."""
    release, closed = threading.Event(), threading.Semaphore(0)

    def play(visit: Visit) -> None:
        visit.request()
        release.wait(10)
        time.sleep(0.1 * (visit.number - 1))
        visit.say(OK)
        if visit.number > 2 - closing:
            visit.finish()
            closed.release()
            visit.until_gone()
        visit.request()
        visit.say(OK)

    with hostile(play, play, polite) as peer:
        async with pool_at(peer.port) as pool:
            first = [asyncio.create_task(ask(pool)) for _ in range(2)]
            await eventually(lambda: len(peer.requests) == 2)
            release.set()
            await asyncio.gather(*first)
            for _ in range(closing):
                assert closed.acquire(timeout=10)
            time.sleep(0.05)  # noqa: ASYNC251  the loop shall not see what the kernel has
            assert await ask(pool, replayable=False) == b"ok"
            assert pool.traffic.stale_probed + pool.traffic.stale_idle == closing
            assert len(peer.visits) == 1 + closing


async def test_bytes_that_nobody_asked_for_are_no_answer_to_the_next_request() -> None:
    said = threading.Event()

    def talks_on(visit: Visit) -> None:
        visit.request()
        visit.say(OK)
        visit.say(OK.replace(b"ok", b"NO"))
        said.set()
        visit.until_gone()

    with hostile(talks_on, polite) as peer:
        async with pool_at(peer.port) as pool:
            await ask(pool)
            assert said.wait(10)
            time.sleep(0.05)  # noqa: ASYNC251  the loop shall not see what the kernel has
            assert await ask(pool) == b"ok"
            assert pool.traffic.stale_probed + pool.traffic.stale_idle <= 1
            assert len(peer.visits) == 2


@pytest.mark.parametrize("play", [dies_of_the_second, resets_on_the_second])
async def test_a_connection_closed_as_we_write_is_repaired_once(play: object) -> None:
    with hostile(play, polite) as peer:  # type: ignore[arg-type]
        async with pool_at(peer.port) as pool:
            await ask(pool, body=b"1")
            assert await ask(pool, body=b"2") == b"ok"
            assert pool.traffic.retried == 1
            assert peer.requests == [b"1", b"2", b"2"]


@pytest.mark.parametrize("play", [dies_of_the_second, resets_on_the_second])
async def test_what_may_not_be_replayed_is_not(play: object) -> None:
    with hostile(play, polite) as peer:  # type: ignore[arg-type]
        async with pool_at(peer.port) as pool:
            await ask(pool)
            with pytest.raises(ConnectionLost):
                await ask(pool, replayable=False)
            assert (pool.traffic.retried, len(peer.visits), pool.busy) == (0, 1, 0)


async def test_never_twice() -> None:
    def accepts_and_dies(visit: Visit) -> None:
        visit.request()

    with hostile(dies_of_the_second, accepts_and_dies) as peer:
        async with pool_at(peer.port) as pool:
            await ask(pool, body=b"1")
            with pytest.raises(ConnectionLost):
                await ask(pool, body=b"2")
            assert peer.requests == [b"1", b"2", b"2"]
            assert (pool.traffic.retried, pool.busy) == (1, 0)


async def test_one_byte_is_enough_to_make_it_no_stale_connection() -> None:
    def begins_to_answer(visit: Visit) -> None:
        visit.request()
        visit.say(OK)
        visit.request()
        visit.say(b"H")

    with hostile(begins_to_answer, polite) as peer:
        async with pool_at(peer.port) as pool:
            await ask(pool)
            with pytest.raises(ConnectionLost):
                await ask(pool)
            assert (pool.traffic.retried, len(peer.visits)) == (0, 1)


async def test_an_upstream_that_dies_over_a_request_gets_it_once() -> None:
    def thinks_and_dies(visit: Visit) -> None:
        visit.request()
        visit.say(OK)
        visit.request()
        time.sleep(2.3)

    with hostile(thinks_and_dies, polite) as peer:
        async with pool_at(peer.port) as pool:
            await ask(pool)
            with pytest.raises(ConnectionLost):
                await ask(pool)
            assert (pool.traffic.retried, len(peer.visits)) == (0, 1)


async def test_a_restarted_upstream_costs_no_request_and_no_storm() -> None:
    """All kept connections are stale at once: each request is repaired, dials stay bounded."""
    release = threading.Event()

    def holds_then_dies(visit: Visit) -> None:
        visit.request()
        release.wait(10)
        visit.say(OK)
        visit.request()

    plays = [holds_then_dies] * 40
    with hostile(*plays, polite) as peer:
        async with pool_at(peer.port) as pool:
            first = [asyncio.create_task(ask(pool)) for _ in range(40)]
            await eventually(lambda: len(peer.requests) == 40)
            release.set()
            await asyncio.gather(*first)
            assert pool.idle == 40
            answers = await asyncio.gather(*(ask(pool) for _ in range(40)))
            assert answers == [b"ok"] * 40
            assert pool.traffic.retried == 40
            assert pool.busy == 0


async def test_an_idle_connection_never_used_may_be_stale_too() -> None:
    """A caller that left before its connection stood leaves one that nobody has used yet."""

    def waits_for_a_request(visit: Visit) -> None:
        visit.request()

    with hostile(waits_for_a_request, polite) as peer:
        async with pool_at(peer.port) as pool:
            caller = asyncio.create_task(ask(pool))
            await asyncio.sleep(0)
            caller.cancel()
            await eventually(lambda: pool.idle == 1)
            assert await ask(pool) == b"ok"
            assert (pool.traffic.retried, pool.traffic.opened) == (1, 2)


async def test_a_reused_connection_is_counted() -> None:
    with hostile(polite) as peer:
        async with pool_at(peer.port) as pool:
            for _ in range(3):
                await ask(pool)
            traffic = pool.traffic
            assert (traffic.opened, traffic.reused, traffic.open) == (1, 2, 1)
        assert traffic.open == 0
