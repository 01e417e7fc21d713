"""A tier that fails costs a request its cap at most, is then left alone, and comes back.

What each failure looks like from a request: no answer from the tier, in time, and a count. Caps are
wide here, because the machine is shared; that the real ones hold is measured in ``benchmarks/``.
"""

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from time import monotonic

import pytest

from steadyhand.caching.circuit import MOST_FAILURES
from steadyhand.caching.link import LinkFailed
from steadyhand.caching.redis_link import PREFIX, RedisLink
from steadyhand.caching.remote import RemoteTier
from tests.support.cache_tiers import address, cache_host, cache_over, database_tier, item, until
from tests.support.questions import TERMS, answer, question
from tests.support.redis_servers import RedisServer, redis_server

CAP_S = 0.25
WIDE_S = 5.0


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


def tier_of(url: str, cap_s: float = CAP_S) -> RemoteTier:
    return RemoteTier(RedisLink(url), "warm", cap_s)


async def look(tier: RemoteTier, number: int = 1) -> tuple[bytes | None, float]:
    """Return what a look found, and how long it took in seconds."""
    began_s = monotonic()
    found = await tier.get(address(number), began_s + 60)
    return found, monotonic() - began_s


async def warmed(tier: RemoteTier) -> None:
    """Have entry 1 stored and found."""
    tier.put(item(1))
    await until(lambda: tier.stores["kept"] == 1)
    await found_again(tier)


async def found_again(tier: RemoteTier, within_s: float = 20.0) -> None:
    give_up_s = monotonic() + within_s
    while (await look(tier))[0] is None:
        assert monotonic() < give_up_s, "it does not come back"
        await asyncio.sleep(0.05)


async def failed_until_left_alone(tier: RemoteTier, reason: str) -> None:
    """Look until the tier is left alone; each look is empty and none takes long."""
    give_up_s = monotonic() + 30
    while tier.status().is_up:
        await asyncio.sleep(0.01)
        found, took_s = await look(tier)
        assert found is None
        assert took_s < CAP_S + WIDE_S
        assert monotonic() < give_up_s
    assert tier.failures[reason] >= MOST_FAILURES
    assert not tier.status().is_up
    looks = tier.failures.total()
    for _ in range(200):  # left alone, it costs nothing at all
        assert (await look(tier))[0] is None
    assert tier.failures.total() <= looks + 1


async def test_frozen_it_is_passed_over_and_thawed_it_serves(redis: RedisServer) -> None:
    tier = tier_of(redis.url)
    await warmed(tier)
    redis.freeze()
    await failed_until_left_alone(tier, "timeout")
    redis.thaw()
    await found_again(tier)
    assert tier.status().is_up
    await tier.close()


async def test_frozen_before_it_was_ever_asked(redis: RedisServer) -> None:
    redis.freeze()  # the kernel accepts, and nobody replies
    tier = tier_of(redis.url)
    for number in range(50):
        found, took_s = await look(tier, number)
        assert found is None
        assert took_s < CAP_S + WIDE_S
    assert tier.lookups["skipped"] > 0, "requests do not queue up behind a connection"
    redis.thaw()
    await tier.close()


async def test_full_it_still_reads_and_says_so(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--maxmemory-policy", "noeviction") as server:
        tier = tier_of(server.url, WIDE_S)
        await warmed(tier)
        assert server.command("CONFIG", "SET", "maxmemory", "1").startswith(b"+OK")
        tier.put(item(2))
        await until(lambda: tier.failures["full"] == 1)
        assert tier.stores["error"] == 1
        assert (await look(tier))[0] == b"sealed"
        assert server.command("CONFIG", "SET", "maxmemory", "0").startswith(b"+OK")
        tier.put(item(3))
        await until(lambda: tier.stores["kept"] == 2)
        await tier.close()


async def test_restarted_empty_it_is_filled_again(redis: RedisServer) -> None:
    tier = tier_of(redis.url, WIDE_S)
    await warmed(tier)
    redis.stop()
    assert (await look(tier))[0] is None
    assert tier.failures["refused"] == 1
    redis.start()
    tier.put(item(1))
    await found_again(tier)
    await tier.close()


async def test_gone_for_long_it_is_passed_over(redis: RedisServer) -> None:
    tier = tier_of(redis.url)
    await warmed(tier)
    redis.stop()
    await failed_until_left_alone(tier, "refused")
    redis.start()
    for number in range(1, 200):
        tier.put(item(number))
    await found_again(tier)
    await tier.close()


async def test_a_wrong_password_is_named(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--requirepass", "right") as server:
        wrong = tier_of(server.url.replace("//", "//:wrong@"), WIDE_S)
        assert (await look(wrong))[0] is None
        assert wrong.failures["auth"] == 1
        none = tier_of(server.url, WIDE_S)
        assert (await look(none))[0] is None
        assert none.failures["auth"] == 1
        right = tier_of(server.url.replace("//", "//:right@"), WIDE_S)
        await warmed(right)
        for tier in (wrong, none, right):
            await tier.close()


@asynccontextmanager
async def server_that_says(reply: bytes, delay_s: float = 0.0) -> AsyncIterator[str]:
    """Serve what is no Redis; it says ``reply`` to whatever comes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(65_536):
                await asyncio.sleep(delay_s)
                writer.write(reply)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    finally:
        server.close()


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"+PONG\r\n" * 3,
        b"*1\r\n$-1\r\n*1\r\n$3\r\nabc\r\n",
        b"*2\r\n$-1\r\n$-1\r\n",
        b":1\r\n",
        b"$999999999\r\nabc\r\n",
        b"*-7\r\n",
        b"\x00\xff\r\n\r\n",
        b"-LOADING Redis is loading the dataset in memory\r\n",
        b"-ERR no\r\n",
        b"*1\r\n*1\r\n$3\r\nabc\r\n",
    ],
)
async def test_nonsense_is_no_answer(reply: bytes) -> None:
    async with server_that_says(reply) as url:
        tier = tier_of(url)
        async with cache_over(tier) as cache:
            for _ in range(3):
                assert await cache.fetch(question(), TERMS, monotonic() + 60) is None
            cache.keep(question(), TERMS, answer("yes"))
            found = cache.peek(question(), TERMS)
            assert found is not None
            assert found.content == "yes"


async def test_slower_than_the_cap_it_is_passed_over() -> None:
    async with server_that_says(b"*1\r\n$-1\r\n", delay_s=CAP_S * 3) as url:
        tier = tier_of(url)
        for number in range(30):
            assert (await look(tier, number))[0] is None
        assert tier.lookups["late"] + tier.lookups["skipped"] == 30
        assert tier.lookups["skipped"] > 0
        await tier.close()


async def test_what_comes_late_is_there_for_the_next(redis: RedisServer) -> None:
    first = tier_of(redis.url, WIDE_S)
    async with cache_over(first) as cache:
        cache.keep(question(), TERMS, answer("yes"))
        await until(lambda: first.stores["kept"] == 1)
    tier = tier_of(redis.url, WIDE_S)
    async with cache_over(tier) as cache:
        await cache.fetch(question(user="somebody"), TERMS, monotonic() + 60)  # connected
        redis.freeze()
        assert await cache.fetch(question(), TERMS, monotonic() + 0.05) is None
        redis.thaw()
        await until(lambda: cache.peek(question(), TERMS) is not None)


async def test_a_connection_that_breaks_in_the_middle_is_made_again() -> None:
    async with server_that_says(b"*1\r\n$100\r\nhalf") as url:
        tier = tier_of(url)
        assert (await look(tier))[0] is None
        assert (await look(tier))[0] is None
        await tier.close()


async def test_a_poisoned_entry_is_dropped_and_counted(redis: RedisServer) -> None:
    tier = tier_of(redis.url, WIDE_S)
    async with cache_over(tier) as cache:
        asked = question()
        cache.keep(asked, TERMS, answer("right"))
        await until(lambda: tier.stores["kept"] == 1)
        where = cache._address(asked, TERMS)
        assert where is not None
        assert redis.command("SET", PREFIX + where, b"\x01" + b"wrong" * 30).startswith(b"+OK")
    again = tier_of(redis.url, WIDE_S)
    async with cache_over(again) as cache:
        assert await cache.fetch(question(), TERMS, monotonic() + 60) is None
        assert again.lookups["poisoned"] == 1
        assert cache.status()[0].entries == 0


async def test_without_a_control_process_there_is_no_cold_tier(tmp_path: Path) -> None:
    tier = database_tier(tmp_path)
    assert (await look(tier))[0] is None
    assert tier.failures["refused"] == 1
    await tier.close()


async def test_the_control_process_dies_and_comes_back(tmp_path: Path) -> None:
    tier = database_tier(tmp_path)
    async with cache_host(tmp_path):
        await warmed(tier)
    assert (await look(tier))[0] is None
    assert tier.failures.total() >= 1
    tier.put(item(2))
    await until(lambda: tier.stores["error"] == 1)
    async with cache_host(tmp_path):
        await found_again(tier)
    await tier.close()


async def test_a_hanging_control_process_is_passed_over(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "cache.sock"))
    listener.listen()
    tier = database_tier(tmp_path, CAP_S)
    await failed_until_left_alone(tier, "timeout")
    listener.close()
    await tier.close()


async def test_a_locked_database_still_reads_and_loses_what_it_cannot_write(
    tmp_path: Path,
) -> None:
    async with cache_host(tmp_path) as host:
        tier = database_tier(tmp_path)
        await warmed(tier)
        with closing(sqlite3.connect(tmp_path / "steadyhand.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            tier.put(item(2))
            await until(lambda: host.dropped == 1)
            assert host.failures == 1
            assert (await look(tier))[0] == b"sealed"  # readers do not wait for writers
            other.execute("ROLLBACK")
        tier.put(item(3))
        await until(lambda: host._store.stock().entries == 2)
        await tier.close()


async def test_a_database_that_fails_is_named(tmp_path: Path) -> None:
    async with cache_host(tmp_path) as host:
        tier = database_tier(tmp_path)
        await warmed(tier)
        with closing(sqlite3.connect(tmp_path / "steadyhand.db")) as other:
            other.execute("DROP TABLE cache_entries")
        assert (await look(tier))[0] is None
        assert tier.failures["database"] == 1
        await host._sweep()
        assert host.failures == 2
        await tier.close()


async def test_a_queue_that_is_full_is_told_to_the_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steadyhand.caching.host.MOST_QUEUED", 2)
    async with cache_host(tmp_path) as host:
        tier = database_tier(tmp_path)
        with pytest.raises(LinkFailed, match="full"):
            await tier._link.put([item(n) for n in range(5)])
        assert host.dropped == 3
        await until(lambda: host._store.stock().entries == 2)
        await tier.close()


async def test_a_gateway_that_speaks_nonsense_is_let_go(tmp_path: Path) -> None:
    async with cache_host(tmp_path):
        for nonsense in (b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xc1"):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "cache.sock")
            writer.write(nonsense)
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
        tier = database_tier(tmp_path)
        await warmed(tier)
        await tier.close()
