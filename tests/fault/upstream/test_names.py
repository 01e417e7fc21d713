"""Names that cannot be found, are found slowly, move, or have addresses that are dead.

What answers in place of the system's resolver is a function of the test; everything after it is
real: threads, sockets on several loopback addresses, a listener whose backlog is full.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Sequence

import pytest

from steadyhand.http.addresses import Address
from steadyhand.http.failures import ConnectFailed, ConnectTimedOut, GaveUp, NameNotFound
from steadyhand.http.limits import PoolLimits
from steadyhand.http.resolver import look_up
from tests.support.client import ask, pool_at
from tests.support.hostile_upstream import black_hole, hostile, polite
from tests.support.wire import eventually, within

NAME = "provider.example"


def at(host: str, port: int) -> Address:
    if ":" in host:
        return Address(socket.AF_INET6, (host, port, 0, 0))
    return Address(socket.AF_INET, (host, port))


class Names:
    """A resolver of the test's own; counts what it is asked, in whose thread."""

    def __init__(self, *hosts: str) -> None:
        self.hosts: Sequence[str] = hosts
        self.failure: OSError | None = None
        self.asked = 0
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, host: str, port: int) -> list[Address]:
        assert host == NAME
        assert threading.current_thread() is not threading.main_thread()
        self.asked += 1
        self.go_on.wait(20)
        if self.failure is not None:
            raise self.failure
        return [at(one, port) for one in self.hosts]


def test_the_system_is_asked_for_both_families() -> None:
    found = look_up("localhost", 80)
    assert at("127.0.0.1", 80) in found


async def test_a_name_that_does_not_exist_is_named_so_and_not_asked_for_again_at_once() -> None:
    names = Names()
    names.failure = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    async with pool_at(1, host=NAME, lookup=names) as pool:
        for _ in range(5):
            with pytest.raises(NameNotFound, match=r"provider\.example.*not known"):
                await ask(pool)
        assert names.asked == 1
        assert (pool.traffic.dns_failed, pool.traffic.lookups_failed, pool.busy) == (5, 1, 0)


async def test_no_addresses_are_no_name() -> None:
    async with pool_at(1, host=NAME, lookup=Names()) as pool:
        with pytest.raises(NameNotFound):
            await ask(pool)


async def test_a_resolver_that_hangs_blocks_neither_the_loop_nor_the_caller() -> None:
    names = Names("127.0.0.1")
    names.go_on.clear()
    with hostile(polite) as peer:
        async with pool_at(peer.port, host=NAME, lookup=names) as pool:
            callers = [
                asyncio.create_task(ask(pool, within(give_up_at_s=time.monotonic() + 0.3)))
                for _ in range(50)
            ]
            turns = 0
            begun_s = time.monotonic()
            while not all(caller.done() for caller in callers):
                await asyncio.sleep(0.01)
                turns += 1
            assert time.monotonic() - begun_s < 10
            assert turns >= 5
            assert {type(caller.exception()) for caller in callers} == {GaveUp}
            assert names.asked == 1, "one thread for one name, however many wait"
            names.go_on.set()
            assert await ask(pool) == b"ok"
            assert names.asked == 1


async def test_a_resolver_that_hangs_for_ever_is_a_timeout_to_connect() -> None:
    names = Names("127.0.0.1")
    names.go_on.clear()
    async with pool_at(1, host=NAME, lookup=names) as pool:
        with pytest.raises(ConnectTimedOut):
            await ask(pool, within(connect_s=0.2))
        await eventually(lambda: pool.busy == 0)
        names.go_on.set()


async def test_a_name_that_moves_is_followed_within_its_time() -> None:
    names = Names("127.0.0.1")
    limits = PoolLimits(dns_ttl_s=0.3, max_idle=0)
    with hostile(polite) as old, hostile(polite, host="127.0.0.2", port=old.port) as new:
        async with pool_at(old.port, limits, host=NAME, lookup=names) as pool:
            await ask(pool)
            names.hosts = ("127.0.0.2",)
            await ask(pool)
            assert (len(old.visits), len(new.visits), names.asked) == (2, 0, 1)
            await asyncio.sleep(0.35)
            await ask(pool)
            assert (len(old.visits), len(new.visits), names.asked) == (2, 1, 2)


async def test_a_name_whose_address_died_is_looked_up_at_once() -> None:
    names = Names("127.0.0.1")
    with hostile(polite, host="127.0.0.2") as new:
        async with pool_at(new.port, PoolLimits(dns_ttl_s=1000), host=NAME, lookup=names) as pool:
            with pytest.raises(ConnectFailed):
                await ask(pool)
            names.hosts = ("127.0.0.2",)
            assert await ask(pool) == b"ok"
            assert names.asked == 2


@pytest.mark.parametrize("trouble", ["fails", "hangs"])
async def test_known_addresses_outlive_the_resolver(trouble: str) -> None:
    names = Names("127.0.0.1")
    with hostile(polite) as peer:
        limits = PoolLimits(dns_ttl_s=0.05, max_idle=0)
        async with pool_at(peer.port, limits, host=NAME, lookup=names) as pool:
            await ask(pool)
            if trouble == "fails":
                names.failure = socket.gaierror(socket.EAI_AGAIN, "try again")
            else:
                names.go_on.clear()
            await asyncio.sleep(0.06)
            for _ in range(3):
                assert await ask(pool) == b"ok"
            assert pool.traffic.lookups_outlived >= 1
            assert pool.traffic.dns_failed == 0
            assert names.asked == 2
            names.go_on.set()


async def test_the_next_address_is_tried_when_one_refuses() -> None:
    names = Names("127.0.0.3", "127.0.0.4", "127.0.0.1")
    with hostile(polite) as peer:
        async with pool_at(peer.port, PoolLimits(max_idle=0), host=NAME, lookup=names) as pool:
            assert await ask(pool) == b"ok"
            assert (pool.traffic.connect_failed, pool.traffic.opened) == (0, 1)


async def test_all_addresses_refuse() -> None:
    names = Names("127.0.0.3", "127.0.0.4")
    with hostile(polite) as peer:
        async with pool_at(peer.port, host=NAME, lookup=names) as pool:
            with pytest.raises(ConnectFailed, match=r"\[Errno 111\]"):
                await ask(pool)
            assert (pool.traffic.connect_failed, pool.busy) == (1, 0)


async def test_a_dead_first_address_costs_a_moment_and_only_once() -> None:
    names = Names("127.0.0.5", "127.0.0.1")
    with (
        hostile(polite) as peer,
        black_hole("127.0.0.5", peer.port),
    ):
        async with pool_at(peer.port, PoolLimits(max_idle=0), host=NAME, lookup=names) as pool:
            begun_s = time.monotonic()
            assert await ask(pool) == b"ok"
            assert 0.2 < time.monotonic() - begun_s < 4, "the next one is tried beside it"
            begun_s = time.monotonic()
            for _ in range(10):
                assert await ask(pool) == b"ok"
            assert time.monotonic() - begun_s < 2.4, "what was silent is tried last"
            assert pool.traffic.opened == 11


async def test_a_dead_family_costs_a_moment() -> None:
    names = Names("127.0.0.5", "127.0.0.6", "127.0.0.7", "127.0.0.8", "::1")
    with hostile(polite, host="::1") as peer, black_hole("127.0.0.5", peer.port):
        async with pool_at(peer.port, host=NAME, lookup=names) as pool:
            assert await ask(pool, within(connect_s=4)) == b"ok"


async def test_dead_addresses_only_end_at_the_deadline() -> None:
    names = Names("127.0.0.5", "127.0.0.6")
    with black_hole("127.0.0.5") as port, black_hole("127.0.0.6", port):
        async with pool_at(port, host=NAME, lookup=names) as pool:
            begun_s = time.monotonic()
            with pytest.raises(GaveUp):
                await ask(pool, within(connect_s=1, give_up_at_s=begun_s + 0.4))
            assert time.monotonic() - begun_s < 5
            await eventually(lambda: pool.busy == 0)
            assert pool.traffic.connect_timed_out == 1


async def test_an_address_in_place_of_a_name_is_never_looked_up() -> None:
    for host in ("127.0.0.1", "::1"):
        with hostile(polite, host=host) as peer:
            async with pool_at(peer.port, host=host, lookup=Names()) as pool:
                assert await ask(pool) == b"ok"
                assert pool.traffic.lookups == 0
