"""Every way to a tier outside of the process: the same promises."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from steadyhand.caching.database_link import DatabaseLink
from steadyhand.caching.link import Link, LinkFailed
from steadyhand.caching.redis_link import RedisLink
from tests.support.cache_tiers import address, cache_host, item
from tests.support.redis_servers import redis_server


@pytest.fixture(params=["redis", "database"])
async def link(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Link]:
    if request.param == "redis":
        with redis_server(tmp_path) as server:
            redis: Link = RedisLink(server.url)
            yield redis
            await redis.close()
    else:
        async with cache_host(tmp_path):
            database: Link = DatabaseLink(tmp_path / "cache.sock")
            yield database
            await database.close()


async def found(link: Link, *numbers: int) -> list[bytes | None]:
    """Return what is stored, once it is: a link may store behind the caller's back."""
    got: list[bytes | None] = []
    for _ in range(400):
        await link.open()
        got = [*await link.get([address(number) for number in numbers])]
        if any(got):
            return got
        await asyncio.sleep(0.01)
    return got


async def test_what_was_put_is_found_in_the_order_asked(link: Link) -> None:
    await link.put([item(1, b"one"), item(2, b"two")])
    assert await found(link, 2, 9, 1) == [b"two", None, b"one"]


async def test_the_later_entry_counts(link: Link) -> None:
    await link.put([item(1, b"old")])
    assert await found(link, 1) == [b"old"]
    await link.put([item(1, b"new"), item(2, b"x")])
    await found(link, 2)
    assert await found(link, 1) == [b"new"]


async def test_any_bytes_come_back(link: Link) -> None:
    sealed = bytes(range(256)) * 300
    await link.put([item(1, sealed)])
    assert await found(link, 1) == [sealed]


async def test_what_has_expired_is_not_found(link: Link) -> None:
    await link.put([item(1, lives_s=-1.0), item(2, lives_s=0.0), item(3)])
    assert await found(link, 1, 2, 3) == [None, None, b"sealed"]


async def test_many_at_once(link: Link) -> None:
    await link.put([item(number, b"%d" % number) for number in range(128)])
    assert await found(link, *range(128)) == [b"%d" % number for number in range(128)]


async def test_a_reply_that_comes_too_late_is_never_taken_for_another(link: Link) -> None:
    """As happened to a chat service in 2023: a cancelled command left its reply on the line."""
    await link.put([item(number, b"%d" % number) for number in range(50)])
    assert await found(link, 0) == [b"0"]
    for number in range(1, 50):
        cancelled = asyncio.create_task(link.get([address(number - 1)] * 20))
        await asyncio.sleep(0)
        if number % 3:
            await asyncio.sleep(0)
        cancelled.cancel()
        with suppress(asyncio.CancelledError, LinkFailed):
            await cancelled
        if not link.is_open:
            await link.open()
        assert [*await link.get([address(number)])] == [b"%d" % number]


async def test_closed_it_can_be_opened_again(link: Link) -> None:
    await link.put([item(1)])
    assert await found(link, 1) == [b"sealed"]
    await link.close()
    await link.open()
    assert await found(link, 1) == [b"sealed"]
