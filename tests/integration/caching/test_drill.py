"""A drill of the cache writes to every tier and reads it back; a tier that lies fails it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

import pytest
from typing_extensions import override

from steadyhand.caching.hot import HotTier
from steadyhand.caching.link import Item, LinkFailed
from steadyhand.caching.remote import RemoteTier
from tests.support.cache_tiers import cache_host, cache_over, database_tier
from tests.support.questions import TERMS, body, question


def soon_s(after_s: float = 5.0) -> float:
    return monotonic() + after_s


class MemoryLink:
    """A tier in memory that does with entries what ``as_given`` says."""

    backend = "memory"
    is_open = True

    def __init__(self, as_given: str = "honest") -> None:
        self.held: dict[bytes, bytes] = {}
        self._as_given = as_given

    async def open(self) -> None:
        raise AssertionError("it is open")

    async def get(self, addresses: Sequence[bytes]) -> Sequence[bytes | None]:
        await asyncio.sleep(0)
        return [self.held.get(address) for address in addresses]

    async def put(self, items: Sequence[Item]) -> None:
        await asyncio.sleep(0)
        if self._as_given == "full":
            raise LinkFailed("full")
        for item in items:
            turned = bytes([item.sealed[-1] ^ 1])
            is_poisoned = self._as_given == "poisoned"
            self.held[item.address] = item.sealed[:-1] + turned if is_poisoned else item.sealed

    async def close(self) -> None:
        """Nothing to let go of."""


def tier(as_given: str = "honest", name: str = "warm") -> RemoteTier:
    return RemoteTier(MemoryLink(as_given), name, 5.0)


async def test_every_tier_gives_back_what_it_was_given() -> None:
    warm, cold = tier(), tier(name="cold")
    async with cache_over(warm, cold) as cache:
        for _ in range(3):  # each time with an entry of its own, at the same place
            assert await cache.drill(question(), TERMS, soon_s()) == "ok"
    assert (warm.stores["kept"], cold.stores["kept"]) == (3, 3)


async def test_the_database_gives_it_back(tmp_path: Path) -> None:
    async with cache_host(tmp_path), cache_over(database_tier(tmp_path)) as cache:
        assert await cache.drill(question(), TERMS, soon_s(20)) == "ok"


@pytest.mark.parametrize(
    ("as_given", "expected"), [("poisoned", "warm_wrong"), ("full", "tier_silent")]
)
async def test_a_tier_that_does_not_is_named(as_given: str, expected: str) -> None:
    async with cache_over(tier(as_given)) as cache:
        assert await cache.drill(question(), TERMS, soon_s(0.2)) == expected


class Forgetful(HotTier):
    """Memory that holds something else than it was given."""

    @override
    def get(self, address: bytes) -> None:
        """Have nothing."""


async def test_memory_that_does_not_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with cache_over() as cache:
        monkeypatch.setattr(cache, "_hot", Forgetful(1 << 20))
        assert await cache.drill(question(), TERMS, soon_s()) == "hot_wrong"


async def test_a_cache_without_memory_is_judged_by_its_tiers() -> None:
    async with cache_over(tier(), hot_bytes=0) as cache:
        assert await cache.drill(question(), TERMS, soon_s()) == "ok"


async def test_what_would_not_be_kept_says_nothing() -> None:
    async with cache_over() as cache:
        assert await cache.drill(question(body(n=2)), TERMS, soon_s()) == "refused"
