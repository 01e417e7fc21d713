"""The rung ``cache`` over a real cache in memory: when an answer speaks, and how it says so."""

from time import monotonic

import pytest

from steadyhand.caching.hot import HotTier
from steadyhand.caching.service import Cache
from steadyhand.core.errors import ConfigurationError
from steadyhand.routing.ports import RungPorts
from steadyhand.routing.rungs import cache as plugin
from steadyhand.routing.rungs.base import is_live
from tests.support.questions import answer, body, question


class Clock:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.now_us = 1_790_000_000_000_000

    def __call__(self) -> int:
        return self.now_us

    def pass_s(self, seconds: float) -> None:
        self.now_us += round(seconds * 1e6)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def rung(clock: Clock, **settings: object) -> plugin.Cache:
    """Return a rung over a cache of its own."""
    cache = Cache(b"s" * 32, HotTier(1 << 20), (), clock, max_age_s=1e9)
    return plugin.build(plugin.Settings.model_validate(settings), RungPorts({}, cache=cache))


AGES = {"fresh_s": 100, "revalidate_s": 20, "stale_s": 500}


def test_it_is_a_stored_rung(clock: Clock) -> None:
    found = rung(clock)
    assert not is_live(found)
    assert (found.kind, found.has_slow_tiers, found.cost.samples) == ("cache", False, 0)


@pytest.mark.parametrize(
    ("age_s", "reason", "is_fresh", "revalidate"),
    [
        (0, "fresh_hit", True, False),
        (99, "fresh_hit", True, False),
        (110, "revalidated_hit", True, True),
        (130, "stale_hit", False, False),
        (599, "stale_hit", False, False),
    ],
)
def test_what_it_says_at_an_age(
    clock: Clock, age_s: float, reason: str, is_fresh: bool, revalidate: bool
) -> None:
    cache = rung(clock, **AGES)
    cache.keep(question(), answer("yes"))
    clock.pass_s(age_s)
    found = cache.peek(question())
    assert found is not None
    assert (found.content, found.reason, found.age_ms) == ("yes", reason, age_s * 1000)
    assert (found.is_fresh, found.revalidate) == (is_fresh, revalidate)
    assert (found.model, found.deployment) == ("gpt-fast-0613", "openai/gpt-fast")


def test_too_old_it_says_nothing(clock: Clock) -> None:
    cache = rung(clock, **AGES)
    cache.keep(question(), answer())
    clock.pass_s(600)
    assert cache.peek(question()) is None


def test_a_clock_that_was_set_back_a_little_makes_it_new(clock: Clock) -> None:
    cache = rung(clock, **AGES)
    cache.keep(question(), answer())
    clock.pass_s(-10)
    found = cache.peek(question())
    assert found is not None
    assert found.age_ms == 0
    clock.pass_s(-3_600)
    assert cache.peek(question()) is None


def test_one_of_many_refreshes_until_it_has(clock: Clock) -> None:
    cache = rung(clock, **AGES)
    cache.keep(question(), answer("old"))
    clock.pass_s(110)
    told = [cache.peek(question()) for _ in range(5)]
    assert [found is not None and found.revalidate for found in told] == [True, *[False] * 4]
    assert all(found is not None and found.is_fresh for found in told)
    cache.keep(question(), answer("new"))
    found = cache.peek(question())
    assert found is not None
    assert (found.content, found.reason) == ("new", "fresh_hit")


def test_shared_answers_are_shared_and_others_are_not(clock: Clock) -> None:
    for shared in (False, True):
        cache = rung(clock, shared=shared)
        cache.keep(question(user="ada"), answer())
        assert (cache.peek(question(user="bob")) is not None) is shared
        assert cache.peek(question(user="bob", tenant="globex")) is None


def test_a_route_may_keep_only_answers_that_are_not_sampled(clock: Clock) -> None:
    cache = rung(clock, sampled=False)
    cold, warm = question(body(temperature=0)), question(body(temperature=1))
    for asked in (cold, warm):
        cache.keep(asked, answer())
    assert cache.peek(cold) is not None
    assert cache.peek(warm) is None


async def test_without_slower_tiers_a_fetch_finds_nothing(clock: Clock) -> None:
    cache = rung(clock)
    cache.keep(question(), answer())
    assert await cache.fetch(question(), monotonic() + 5) is None


def test_a_process_without_a_cache_says_so() -> None:
    with pytest.raises(ConfigurationError, match="no cache") as raised:
        plugin.build(plugin.Settings(), RungPorts({}))
    assert "[cache]" in raised.value.hint
