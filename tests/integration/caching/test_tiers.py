"""Tiers together: what is found where, what moves, what a flush and an age end."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

import pytest

from steadyhand.caching.database_link import DatabaseLink
from steadyhand.caching.entry import Entry
from steadyhand.caching.epochs import ALL, Epochs
from steadyhand.caching.hot import HotTier
from steadyhand.caching.link import Item
from steadyhand.caching.redis_link import PREFIX, RedisLink
from steadyhand.caching.remote import RemoteTier
from steadyhand.caching.service import Cache
from steadyhand.records.clock import wall_clock_us
from steadyhand.routing.ports import CacheTerms
from tests.support.cache_tiers import (
    SECRET,
    address,
    cache_host,
    cache_over,
    database_tier,
    item,
    until,
)
from tests.support.questions import SHARED, TERMS, answer, body, question
from tests.support.redis_servers import RedisServer, redis_server

PATIENT_S = 5.0


def soon_s() -> float:
    return monotonic() + PATIENT_S


async def fetched(cache: Cache, tenant: str = "acme", terms: CacheTerms = TERMS) -> Entry | None:
    return await cache.fetch(question(tenant=tenant), terms, soon_s())


async def stored(tier: RemoteTier, count: int = 1) -> None:
    await until(lambda: tier.stores["kept"] >= count)


class TestMemoryOnly:
    async def test_what_is_kept_is_found_at_once(self) -> None:
        async with cache_over() as cache:
            assert cache.peek(question(), TERMS) is None
            cache.keep(question(), TERMS, answer("yes"))
            found = cache.peek(question(), TERMS)
            assert found is not None
            assert (found.content, found.model, found.deployment) == (
                "yes",
                "gpt-fast-0613",
                "openai/gpt-fast",
            )
            assert await fetched(cache) is None
            (hot,) = cache.status()
            assert (hot.tier, hot.entries, hot.lookups, hot.stores) == (
                "hot",
                1,
                {"miss": 1, "hit": 1},
                {"kept": 1},
            )

    @pytest.mark.parametrize("reason", ["length", "content_filter", "tool_calls"])
    async def test_what_was_cut_or_refused_is_not_kept(self, reason: str) -> None:
        async with cache_over() as cache:
            cache.keep(question(), TERMS, answer("half", reason))
            assert cache.peek(question(), TERMS) is None
            assert sum(cache.refused.values()) == 1

    async def test_a_question_without_an_address_is_counted_and_nothing_else(self) -> None:
        async with cache_over() as cache:
            asked = question(body(n=2))
            cache.keep(asked, TERMS, answer())
            assert cache.peek(asked, TERMS) is None
            assert await cache.fetch(asked, TERMS, soon_s()) is None
            assert not cache.may_refresh(asked, TERMS)
            assert cache.refused["choices"] >= 1

    async def test_masked_text_is_what_is_stored(self) -> None:
        cache = Cache(
            SECRET,
            HotTier(1 << 20),
            (),
            wall_clock_us,
            max_age_s=60,
            mask=lambda text: text.replace("Ada", "[name]"),
        )
        cache.keep(question(), TERMS, answer("Hello Ada"))
        found = cache.peek(question(), TERMS)
        assert found is not None
        assert found.content == "Hello [name]"

    async def test_one_request_at_a_time_refreshes_an_answer(self) -> None:
        async with cache_over() as cache:
            asked = question()
            first = [cache.may_refresh(question(), TERMS) for _ in range(3)]
            assert first == [True, False, False]
            assert cache.may_refresh(question(user="u"), TERMS)
            cache.keep(asked, TERMS, answer())
            assert cache.may_refresh(asked, TERMS)

    async def test_beyond_the_greatest_age_nothing_is_found(self) -> None:
        now_us = [wall_clock_us()]
        cache = Cache(SECRET, HotTier(1 << 20), (), lambda: now_us[0], max_age_s=10)
        cache.keep(question(), TERMS, answer())
        now_us[0] += 9_000_000
        assert cache.peek(question(), TERMS) is not None
        now_us[0] += 2_000_000
        assert cache.peek(question(), TERMS) is None


class TestFlushes:
    async def test_a_flush_ends_what_it_takes_in_and_nothing_else(self, tmp_path: Path) -> None:
        async with cache_host(tmp_path), cache_over(database_tier(tmp_path)) as cache:
            for tenant in ("acme", "globex"):
                cache.keep(question(tenant=tenant), TERMS, answer(tenant))
            await until(lambda: cache.status()[1].stores.get("kept") == 2)
            await asyncio.sleep(0.1)
            cache.begin(Epochs().after(ALL, "acme", wall_clock_us()))
            assert cache.peek(question(), TERMS) is None
            assert await fetched(cache) is None
            found = await fetched(cache, "globex")
            assert found is not None
            assert found.content == "globex"

    async def test_an_answer_asked_for_before_a_flush_does_not_outlive_it(self) -> None:
        async with cache_over() as cache:
            asked = question()
            await asyncio.sleep(0.002)
            cache.begin(Epochs().after(ALL, ALL, wall_clock_us()))
            cache.keep(asked, TERMS, answer("from before"))
            assert cache.peek(question(), TERMS) is None
            assert cache.refused["flushed"] == 1
            await asyncio.sleep(0.002)
            cache.keep(question(), TERMS, answer("from after"))
            assert cache.peek(question(), TERMS) is not None


class TestDatabase:
    async def test_answers_outlive_the_process(self, tmp_path: Path) -> None:
        async with cache_host(tmp_path):
            tier = database_tier(tmp_path)
            async with cache_over(tier) as cache:
                cache.keep(question(), TERMS, answer("yes"))
                await stored(tier)
        async with cache_host(tmp_path), cache_over(database_tier(tmp_path)) as later:
            found = await fetched(later)
            assert found is not None
            assert found.content == "yes"
            assert later.peek(question(), TERMS) == found

    async def test_what_is_put_last_is_stored_before_the_end(self, tmp_path: Path) -> None:
        async with cache_host(tmp_path):
            async with cache_over(database_tier(tmp_path)) as cache:
                cache.keep(question(), TERMS, answer("yes"))
            async with cache_over(database_tier(tmp_path)) as later:
                await until_found(later)

    async def test_its_bytes_are_bounded_and_what_expires_first_goes(self, tmp_path: Path) -> None:
        async with cache_host(tmp_path) as host:
            link = DatabaseLink(tmp_path / "cache.sock")
            await link.put([item(n, b"x" * 1_000, lives_s=1_000 + n) for n in range(20)])
            store = host._store
            await until(lambda: store.stock().entries == 20)
            assert store.expire(wall_clock_us(), 10 * 1_150) == 10
            await link.open()
            found = await link.get([address(n) for n in range(20)])
            assert [value is not None for value in found] == [False] * 10 + [True] * 10
            assert store.stock() == (10, 11_500)
            await link.close()

    async def test_a_flush_deletes(self, tmp_path: Path) -> None:
        async with cache_host(tmp_path) as host:
            link = DatabaseLink(tmp_path / "cache.sock")
            whose = [(route, tenant) for route in ("a", "b") for tenant in ("x", "y")]
            await link.put(
                [item(n, route=route, tenant=tenant) for n, (route, tenant) in enumerate(whose)]
            )
            store = host._store
            await until(lambda: store.stock().entries == 4)
            assert store.flush("a", "x") == 1
            assert store.flush(ALL, "y") == 2
            assert store.flush(ALL, ALL) == 1
            await link.close()

    async def test_what_has_expired_is_swept(self, tmp_path: Path) -> None:
        async with cache_host(tmp_path) as host:
            link = DatabaseLink(tmp_path / "cache.sock")
            await link.put([item(1, lives_s=-5.0), item(2)])
            await until(lambda: host._store.stock().entries == 2)
            await host._sweep()
            assert (host.deleted, host._store.stock().entries) == (1, 1)
            await link.close()


async def until_found(cache: Cache) -> None:
    for _ in range(400):
        if await fetched(cache) is not None:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never stored")


@pytest.fixture
def redis(tmp_path: Path) -> object:
    with redis_server(tmp_path) as server:
        yield server


def redis_tier(server: RedisServer) -> RemoteTier:
    return RemoteTier(RedisLink(server.url), "warm", PATIENT_S)


class TestRedisAndDatabase:
    async def test_processes_share_answers(self, redis: RedisServer) -> None:
        first = redis_tier(redis)
        async with cache_over(first) as one, cache_over(redis_tier(redis)) as two:
            one.keep(question(), TERMS, answer("yes"))
            await stored(first)
            found = await fetched(two)
            assert found is not None
            assert found.content == "yes"

    async def test_what_the_cold_tier_has_moves_up(
        self, redis: RedisServer, tmp_path: Path
    ) -> None:
        async with cache_host(tmp_path):
            cold = database_tier(tmp_path)
            async with cache_over(cold) as cache:
                cache.keep(question(), TERMS, answer("yes"))
                await stored(cold)
            warm = redis_tier(redis)
            async with cache_over(warm, database_tier(tmp_path)) as cache:
                await until_found(cache)
                await stored(warm)
            async with cache_over(redis_tier(redis)) as cache:
                assert await fetched(cache) is not None

    async def test_entries_in_redis_end_with_their_use(self, redis: RedisServer) -> None:
        tier = redis_tier(redis)
        async with cache_over(tier) as cache:
            cache.keep(question(), TERMS, answer("yes"))
            await stored(tier)
        (key,) = keys(redis)
        left_ms = int(redis.command("PTTL", key).strip(b":\r\n"))
        assert 3_000_000 < left_ms <= 3_600_000

    async def test_a_forged_entry_is_never_served(self, redis: RedisServer) -> None:
        tier = redis_tier(redis)
        async with cache_over(tier) as cache:
            cache.keep(question(), SHARED, answer("mine"))
            cache.keep(question(tenant="globex"), SHARED, answer("theirs"))
            await stored(tier, 2)
        one, two = keys(redis)
        stolen = redis.command("GET", one).split(b"\r\n", 1)[1][:-2]
        redis.command("SET", two, stolen)  # what a confused or malicious server would hand out
        redis.command("SET", one, stolen[:-1] + bytes([stolen[-1] ^ 1]))
        tier = redis_tier(redis)
        async with cache_over(tier) as cache:
            for tenant in ("acme", "globex"):
                assert await fetched(cache, tenant, SHARED) is None
            assert tier.lookups["poisoned"] == 2
            assert cache.status()[0].entries == 0


def keys(server: RedisServer) -> list[bytes]:
    """Return the keys that are stored."""
    found = server.command("KEYS", "steadyhand:cache:*")
    count = int(found.split(b"\r\n")[0][1:])
    rest, names = found.split(b"\r\n", 1)[1], []
    for _ in range(count):
        head, rest = rest.split(b"\r\n", 1)
        length = int(head[1:])
        names.append(rest[:length])
        rest = rest[length + 2 :]
    assert all(name.startswith(PREFIX) for name in names)
    return names


class TestOneTier:
    async def test_many_requests_cost_few_round_trips(self) -> None:
        link = CountingLink()
        tier = RemoteTier(link, "warm", PATIENT_S)
        got = await asyncio.gather(*(tier.get(address(n % 100), soon_s()) for n in range(400)))
        assert got == [b"%d" % (n % 100) for n in range(400)]
        assert link.gets <= 3
        assert tier.lookups == {"hit": 400}
        await tier.close()

    async def test_no_time_left_is_no_look(self) -> None:
        link = CountingLink()
        tier = RemoteTier(link, "warm", PATIENT_S)
        assert await tier.get(address(1), monotonic() - 1) is None
        assert (tier.lookups["late"], link.gets) == (1, 0)

    async def test_what_does_not_fit_in_the_queue_is_dropped(self) -> None:
        tier = RemoteTier(CountingLink(), "warm", PATIENT_S)
        for number in range(20):
            tier.put(item(number, b"x" * (1 << 20)))
        assert tier.stores["dropped"] == 4
        await stored(tier, 16)
        await tier.close()

    async def test_closed_it_takes_nothing(self) -> None:
        tier = RemoteTier(CountingLink(), "warm", PATIENT_S)
        await tier.close()
        tier.put(item(1))
        assert await tier.get(address(1), soon_s()) is None
        assert (tier.stores["dropped"], tier.lookups["skipped"]) == (1, 1)


class CountingLink:
    """Has every address, and counts how often it is asked."""

    backend = "memory"
    is_open = True

    def __init__(self) -> None:
        self.gets = 0

    async def open(self) -> None:
        raise AssertionError("it is open")

    async def get(self, addresses: Sequence[bytes]) -> Sequence[bytes | None]:
        self.gets += 1
        await asyncio.sleep(0.02)
        return [b"%d" % int.from_bytes(each, "big") for each in addresses]

    async def put(self, items: Sequence[Item]) -> None:
        await asyncio.sleep(0)

    async def close(self) -> None:
        """Nothing to let go of."""
