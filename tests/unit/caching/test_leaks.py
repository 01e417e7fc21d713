"""No answer ever reaches another tenant, and none another person unless the route shares it.

A fuzzer plays many callers against one cache. Every answer carries in its text for which caller and
question it was made; whatever a look finds must have been made for the one who looks. Names are
chosen to be confused: separators, lengths and digits in them, composed and decomposed letters,
letters of other alphabets, surrogates, control characters; bodies give fields twice, spell names
with escapes, and smuggle other people's names in. More: ``LEAK_SEEDS=400``.
"""

import asyncio
import json
import os
import random
from collections.abc import Callable
from time import monotonic

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.caching.hot import HotTier
from steadyhand.caching.link import Item
from steadyhand.caching.remote import RemoteTier
from steadyhand.caching.service import Cache
from steadyhand.routing.ports import CacheTerms
from steadyhand.routing.rungs.base import Question
from tests.support.questions import answer, question

NAMES = [
    *[
        "",
        "a",
        "b",
        "A",
        "a ",
        " a",
        "a\x00",
        "\x00a",
        "aa",
        "a:a",
        "1:a",
        "1:a1:b",
        "a1:b",
        "u1:a",
    ],
    *["k1:a", "s", "u", "k", "s0:", "\u00e1", "a\u0301", "\u0430", "\uff41", "\u202ea", "a\u200b"],
    *["\ud800", "\udfff", '"', '"}', "a,b", "a|b", "a/b", "../a", "null", "\u212a", "K", "\u017f"],
    *["\U0001f469\u200d\U0001f4bb", "\n", "a\tb", "10:" + "a" * 10, "a" * 300],
]
TEXTS = ["", "hi", "hi ", "HI", "h\u0456", 'hi"}', "hi\\", "\u0000hi", "hi\n", "\u00e9", "e\u0301"]
SPELLINGS: list[Callable[[str], str]] = [
    lambda whole: whole,
    lambda whole: whole.replace('"user"', '"\\u0075ser"'),
    lambda whole: whole.replace('"model"', '"model" '),
    lambda whole: whole[:-1] + ',"user":"b"}',
    lambda whole: whole[:-1] + ',"messages":[{"role":"user","content":"hi"}]}',
    lambda whole: '{"user":"a",' + whole[1:],
    lambda whole: whole[:-1] + ',"stream":true}',
    lambda whole: whole[:-1] + ',"stream":true,"stream":false}',
    lambda whole: whole[:-1] + ',"stream_options":{"user":"b"}}',
    lambda whole: '{"stream":{"messages":[]},' + whole[1:],
    lambda whole: whole[:-1] + ',"a":"\\",\\"user\\":\\"b"}',
]
TERMS = [
    CacheTerms(shared=shared, sampled=sampled, keep_s=60.0)
    for shared in (False, True)
    for sampled in (False, True)
]


class StolenGoods:
    """A tier that hands out, half of the time, what belongs to another address."""

    backend = "memory"
    is_open = True

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._held: dict[bytes, bytes] = {}

    async def open(self) -> None:
        """Nothing to do."""

    async def get(self, addresses: list[bytes]) -> list[bytes | None]:
        everything = list(self._held.values())
        return [
            self._chance.choice(everything)
            if everything and self._chance.random() < 0.5
            else self._held.get(address)
            for address in addresses
        ]

    async def put(self, items: list[Item]) -> None:
        self._held.update({item.address: item.sealed for item in items})

    async def close(self) -> None:
        """Nothing to do."""


def meant(body: bytes) -> object:
    """Return what a careful reader understands of a body, less how the answer travels."""
    pairs: list[tuple[str, object]] = json.loads(body, object_pairs_hook=list)
    return sorted((name, repr(value)) for name, value in pairs if not name.startswith("stream"))


def without_people(understood: object) -> object:
    assert isinstance(understood, list)
    return [pair for pair in understood if pair[0] not in ("user", "safety_identifier")]


def may_see(asker: Question, maker: Question, *, shared: bool) -> bool:
    """Tell by the rule itself, not by the code, whether the answer to one is the other's."""
    if (asker.tenant, asker.route, asker.release) != (maker.tenant, maker.route, maker.release):
        return False
    one, two = meant(asker.body), meant(maker.body)
    if shared and not asker.has_user_context and not maker.has_user_context:
        return without_people(one) == without_people(two)
    if shared and asker.has_user_context != maker.has_user_context:
        return False
    if one != two or asker.user != maker.user:
        return False
    return asker.user != "" or asker.key == maker.key


def drawn(chance: random.Random) -> Question:
    """Return a question of somebody, from a world so small that people meet often."""
    few = chance.sample(NAMES, 3)
    fields: dict[str, object] = {"messages": [{"role": "user", "content": chance.choice(TEXTS)}]}
    fields["model"] = "support"
    for name in ("user", "safety_identifier", "metadata", "seed"):
        if chance.random() < 0.3:
            fields[name] = chance.choice(few)
    spelt = chance.choice(SPELLINGS)(json.dumps(fields, separators=(",", ":")))
    return question(
        spelt.encode(),
        tenant=chance.choice(["t", "t\x00", *few]),
        key=chance.choice(["k", *few]),
        user=chance.choice(["", *few]),
        route=chance.choice(["support", "classify", few[0]]),
        release=chance.choice(["r", few[1]]),
        has_user_context=chance.random() < 0.3,
    )


async def play(seed: int, steps: int) -> int:
    """Play callers against one cache; return how many of their looks found something."""
    chance = random.Random(seed)
    made: list[Question] = []
    pool = [drawn(chance) for _ in range(60)]
    tier = RemoteTier(StolenGoods(chance), "warm", 5.0)  # type: ignore[arg-type]  # lists only
    cache = Cache(b"s" * 32, HotTier(40_000), (tier,), lambda: 1, max_age_s=60)
    found = 0
    for _ in range(steps):
        asked = msgspec.structs.replace(chance.choice(pool), asked_s=monotonic())
        if chance.random() < 0.3:
            asked = msgspec.structs.replace(asked, **swapped(chance, chance.choice(pool)))
        terms = chance.choice(TERMS[1::2] if chance.random() < 0.9 else TERMS)
        entry = cache.peek(asked, terms) or await cache.fetch(asked, terms, monotonic() + 5)
        if entry is None:
            made.append(asked)
            cache.keep(asked, terms, answer(f"{len(made) - 1} {int(terms.shared)}"))
            continue
        found += 1
        number, was_shared = map(int, entry.content.split())
        maker = made[number]
        # An answer of a route that shares is only ever looked for by one that shares.
        assert may_see(asked, maker, shared=terms.shared and bool(was_shared)), (asked, maker)
    await cache.close()
    return found


def swapped(chance: random.Random, other: Question) -> dict[str, object]:
    """Return one trait of another caller."""
    trait = chance.choice(["tenant", "key", "user", "route", "release", "has_user_context", "body"])
    return {trait: getattr(other, trait)}


@pytest.mark.parametrize("seed", range(int(os.environ.get("LEAK_SEEDS", "6"))))
def test_whatever_is_found_was_made_for_who_asks(seed: int) -> None:
    found = asyncio.run(play(seed, steps=1_500))
    assert found > 300, "people must meet, or this proves nothing"


def test_the_fuzzer_sees_a_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache whose addresses leave out who asks does not pass."""
    monkeypatch.setattr("steadyhand.caching.key.owner", lambda asked, *, is_shared: b"")
    with pytest.raises(AssertionError):
        asyncio.run(play(0, steps=1_500))


def test_the_fuzzer_sees_an_entry_that_opens_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    from steadyhand.caching import entry

    plain = entry._mac
    monkeypatch.setattr(entry, "_mac", lambda address, content, keys: plain(b"", content, keys))
    with pytest.raises(AssertionError):
        asyncio.run(play(0, steps=1_500))


@given(st.text(), st.text(), st.text(), st.text())
def test_two_callers_with_any_names_never_meet(one: str, two: str, three: str, four: str) -> None:
    cache = Cache(b"s" * 32, HotTier(1 << 20), (), lambda: 1, max_age_s=60)
    terms = TERMS[1]
    cache.keep(question(tenant=one, user=two), terms, answer("secret"))
    found = cache.peek(question(tenant=three, user=four), terms)
    is_same = one == three and (two, four) != ("", "") and two == four
    assert (found is not None) is (is_same or (one == three and two == four == ""))
