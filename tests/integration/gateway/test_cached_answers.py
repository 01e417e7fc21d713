"""The rung ``cache`` in a whole gateway in memory: what clients get, providers see, records say."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from steadyhand.caching.epochs import ALL, Epochs
from steadyhand.caching.hot import HotTier
from steadyhand.caching.redis_link import RedisLink
from steadyhand.caching.remote import RemoteTier
from steadyhand.caching.service import Cache
from steadyhand.gateway.serving import Rung
from steadyhand.http.failures import ConnectFailed
from steadyhand.routing.model import SloClass
from steadyhand.routing.ports import RungPorts
from steadyhand.routing.rungs import cache as plugin
from steadyhand.routing.rungs import live
from tests.support.cache_tiers import SECRET, cache_host, database_tier, until
from tests.support.chats import answer_body, chat_body, text_events
from tests.support.gateways import NARROW_TOKEN, GatewayBench, gateway_bench
from tests.support.redis_servers import redis_server
from tests.support.replies import MemoryReply
from tests.support.upstreams import Script, answers, breaks, hangs, refuses, streams

SHORT = SloClass("short", first_content_ms=1_500, whole_ms=1_500, stream_cap_ms=60_000)
START_US = 1_790_000_000_000_000


class House:
    """A gateway over one provider, with a cache rung before it, and a wall clock to move."""

    def __init__(
        self,
        *scripts: Script,
        tiers: Sequence[RemoteTier] = (),
        slo: SloClass = SHORT,
        last: bool = False,
        **settings: object,
    ) -> None:
        self.now_us = START_US
        self.cache = Cache(
            SECRET, HotTier(1 << 20), tiers, lambda: self.now_us, max_age_s=1_000_000
        )
        rung = plugin.build(
            plugin.Settings.model_validate(settings), RungPorts({}, cache=self.cache)
        )

        def rungs(ports: RungPorts) -> list[Rung]:
            model = live.build(live.Settings(provider="first", model="first-model"), ports)
            return [model, rung] if last else [rung, model]

        self.bench: GatewayBench = gateway_bench({"first": scripts}, rungs=rungs, slo=slo)

    @property
    def asked(self) -> int:
        """How often the provider was asked."""
        return len(self.bench.providers["first"].calls)

    def pass_s(self, seconds: float) -> None:
        self.now_us += round(seconds * 1e6)

    async def ask(self, **fields: Any) -> MemoryReply:
        return await self.bench.ask(chat_body(**fields))


def said(reply: MemoryReply) -> str:
    """Return the text of an answer, whole or a stream that ended well."""
    assert reply.status == 200, reply.body
    if not reply.headers[b"content-type"].startswith(b"text/event-stream"):
        text: str = reply.json()["choices"][0]["message"]["content"]
        return text
    assert reply.body.endswith(b"data: [DONE]\n\n")
    events = [line[6:] for line in reply.body.split(b"\n\n") if line.startswith(b"data: {")]
    deltas = [choice["delta"] for each in events for choice in json.loads(each)["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def rung_of(reply: MemoryReply) -> tuple[bytes, bytes]:
    return reply.headers[b"x-steadyhand-rung"], reply.headers[b"x-steadyhand-reason"]


async def test_the_second_time_nobody_is_asked() -> None:
    house = House(answers())
    assert rung_of(await house.ask())[0] == b"live"
    house.pass_s(7)
    again = await house.ask()
    assert (said(again), house.asked) == ("Hello", 1)
    assert rung_of(again) == (b"cache", b"fresh_hit")
    assert again.headers[b"x-steadyhand-age-ms"] == b"7000"
    record = house.bench.records[-1]
    assert (record.outcome, record.rung, record.reason) == ("answered", "cache", "fresh_hit")
    assert record.attempts == ()


@pytest.mark.parametrize(("first", "then"), [(False, True), (True, False), (True, True)])
async def test_a_stream_and_a_whole_answer_are_one(first: bool, then: bool) -> None:
    house = House(streams() if first else answers(answer_body("Hello there")))
    assert said(await house.ask(stream=first)) == "Hello there"
    asks: dict[str, Any] = {"stream_options": {"include_usage": True}} if then else {}
    again = await house.ask(stream=then, **asks)
    assert (said(again), house.asked) == ("Hello there", 1)
    assert rung_of(again)[0] == b"cache"


def one(finish_reason: str, content: str | None = "x", **message: Any) -> dict[str, Any]:
    """Return a choice."""
    return {"message": {"content": content, **message}, "finish_reason": finish_reason}


@pytest.mark.parametrize(
    "choices",
    [
        [one("length")],
        [one("stop", None, refusal="no")],
        [one("stop"), one("stop")],
        [one("tool_calls", tool_calls=[{"id": "1"}])],
        [one("content_filter")],
    ],
    ids=["cut", "refusal", "two choices", "tool call", "content filter"],
)
async def test_what_must_not_be_kept_is_asked_again(
    choices: list[dict[str, Any]],
) -> None:
    script = answers(answer_body(choices=choices))
    house = House(script, script)
    for count in (1, 2):
        await house.ask()
        assert house.asked == count
    assert house.cache.status()[0].entries == 0


async def test_a_stream_that_was_cut_is_not_kept() -> None:
    whole = text_events("Hello", " there")
    house = House(streams(*whole[:2]), streams())
    cut = await house.ask(stream=True)
    assert b"[DONE]" not in cut.body
    assert said(await house.ask(stream=True)) == "Hello there"
    assert house.asked == 2


async def test_a_client_that_leaves_keeps_nothing_half() -> None:
    house = House(streams(), streams())
    reply = MemoryReply(leaves_after=1)
    await house.bench.ask(chat_body(stream=True), reply=reply)
    held = house.cache.status()[0].entries
    assert said(await house.ask()) == "Hello there" if held else house.asked == 1


async def test_tools_are_never_answered_from_the_cache() -> None:
    house = House(answers(), answers())
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    for _ in range(2):
        await house.ask(tools=tools)
    assert house.asked == 2


async def test_json_is_answered_for_the_very_schema() -> None:
    house = House(answers(answer_body('{"a":1}')), answers(answer_body('{"b":1}')))

    def wants(name: str) -> dict[str, object]:
        schema = {"type": "object", "required": [name]}
        return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}

    assert said(await house.ask(response_format=wants("a"))) == '{"a":1}'
    assert said(await house.ask(response_format=wants("b"))) == '{"b":1}'
    assert said(await house.ask(response_format=wants("a"))) == '{"a":1}'
    assert house.asked == 2


class TestWhoGetsIt:
    async def test_each_user_has_their_own(self) -> None:
        house = House(*[answers(answer_body(name)) for name in ("for Ada", "for Bob")])
        for _ in range(2):
            for name in ("Ada", "Bob"):
                assert said(await house.ask(user=name)) == f"for {name}"
        assert house.asked == 2

    async def test_another_tenant_has_nothing_even_where_answers_are_shared(self) -> None:
        house = House(answers(answer_body("ours")), answers(answer_body("theirs")), shared=True)
        assert said(await house.ask(model="classify")) == "ours"
        assert said(await house.bench.ask(chat_body("classify"), token=NARROW_TOKEN)) == "theirs"
        assert said(await house.ask(model="classify")) == "ours"

    async def test_shared_answers_reach_every_user_but_facts_of_one_do_not(self) -> None:
        house = House(*[answers(answer_body(text)) for text in ("all", "one", "two")], shared=True)
        personal: dict[str, Any] = {"steadyhand": {"user_context": True}}
        assert said(await house.ask(user="Ada")) == "all"
        assert said(await house.ask(user="Bob")) == "all"
        assert said(await house.ask(user="Ada", **personal)) == "one"
        assert said(await house.ask(user="Bob", **personal)) == "two"

    async def test_another_route_has_its_own(self) -> None:
        house = House(answers(answer_body("a")), answers(answer_body("b")))
        assert said(await house.ask()) == "a"
        assert said(await house.ask(model="classify")) == "b"


BROKEN: list[Callable[[], Script]] = [
    lambda: refuses(500),
    lambda: refuses(429),
    lambda: breaks(ConnectFailed("no")),
    hangs,
    streams,  # no answer to a request for a whole one
]


class TestAges:
    @pytest.mark.parametrize("broken", BROKEN)
    @pytest.mark.parametrize("last", [False, True])
    async def test_a_stale_answer_stands_in_for_a_model_that_fails(
        self, broken: Callable[[], Script], last: bool
    ) -> None:
        house = House(answers(), broken(), last=last, fresh_s=10, stale_s=100)
        await house.ask()
        house.pass_s(50)
        again = await house.ask()
        assert (said(again), house.asked) == ("Hello", 2)
        assert rung_of(again)[0] == b"cache"

    async def test_a_stale_answer_never_speaks_before_a_model_has_had_its_time(self) -> None:
        house = House(answers(), answers(answer_body("new")), fresh_s=10, stale_s=100)
        await house.ask()
        house.pass_s(50)
        assert said(await house.ask()) == "new"
        assert said(await house.ask()) == "new"
        assert house.asked == 2

    async def test_too_old_it_says_nothing(self) -> None:
        house = House(answers(), refuses(500), fresh_s=10, stale_s=100)
        await house.ask()
        house.pass_s(110)
        assert (await house.ask()).status >= 500

    async def test_it_speaks_at_once_and_is_refreshed_behind(self) -> None:
        house = House(answers(), answers(answer_body("new")), fresh_s=10, revalidate_s=100)
        await house.ask()
        house.pass_s(50)
        texts = [said(await house.ask()) for _ in range(3)]
        assert texts[0] == "Hello"
        await until(lambda: house.asked == 2)
        await asyncio.sleep(0.02)
        last = await house.ask()
        assert (said(last), rung_of(last)) == ("new", (b"cache", b"fresh_hit"))
        assert house.asked == 2

    async def test_a_flush_ends_it(self) -> None:
        house = House(answers(), answers(answer_body("new")))
        await house.ask()
        house.cache.begin(Epochs().after("assistant", ALL, 1))
        assert said(await house.ask()) == "new"
        assert said(await house.ask()) == "new"
        assert house.asked == 2


class TestTiersBelow:
    async def test_an_answer_of_another_process_is_found(self, tmp_path: Path) -> None:
        async with cache_host(tmp_path):
            tier = database_tier(tmp_path)
            house = House(answers(), tiers=[tier])
            house.now_us = now_us()
            await house.ask()
            await until(lambda: tier.stores["kept"] == 1)
            await house.cache.close()
            await asyncio.sleep(0.2)
            other = House(refuses(500), tiers=[database_tier(tmp_path)])
            other.now_us = now_us()
            again = await other.ask()
            assert (said(again), rung_of(again)[0]) == ("Hello", b"cache")
            await other.cache.close()

    @pytest.mark.parametrize("last", [False, True])
    async def test_a_frozen_redis_makes_no_answer_late(self, tmp_path: Path, last: bool) -> None:
        with redis_server(tmp_path) as server:
            server.freeze()
            tier = RemoteTier(RedisLink(server.url), "warm", 0.05)
            house = House(*[answers() for _ in range(5)], tiers=[tier], last=last)
            for number in range(5):
                reply = await house.ask(seed=number)
                assert (said(reply), rung_of(reply)[0]) == ("Hello", b"live")
            server.thaw()
            with suppress(TimeoutError):
                await house.cache.close()


def now_us() -> int:
    from steadyhand.records.clock import wall_clock_us

    return wall_clock_us()
