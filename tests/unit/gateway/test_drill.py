"""A drill goes the way of a request, and says nothing of what was not asked."""

import json
from typing import cast

import pytest
from typing_extensions import override

from steadyhand.gateway.drill import Drilled, Order, drill, rungs_of
from steadyhand.gateway.serving import Ladder, Rung
from steadyhand.routing.drilling import RungId
from steadyhand.routing.planning.situation import UNKNOWN
from steadyhand.routing.ports import Example
from steadyhand.routing.rungs.base import FloorRung, GoodAnswer, Question, StoredAnswer
from steadyhand.routing.rungs.cache import Cache
from steadyhand.routing.rungs.cache import Settings as CacheSettings
from steadyhand.routing.rungs.error import Error
from steadyhand.routing.rungs.knowledge import Knowledge
from steadyhand.routing.rungs.knowledge import Settings as KnowledgeSettings
from steadyhand.routing.rungs.schema import Schema
from steadyhand.routing.rungs.template import Template
from tests.support.cache_tiers import cache_over
from tests.support.chats import error_body, text_events
from tests.support.gateways import PATIENT, GatewayBench, gateway_bench
from tests.support.upstreams import Script, answers, hangs, refuses, streams

SECOND = RungId("assistant", 1, "live", "second", "second-model")
WHOLE, STREAM = 0.9, 0.1
USUAL, QUICK = Order(), Order(timeout_s=0.2)


async def drilled(
    *scripts: Script,
    draw: float = WHOLE,
    order: Order = USUAL,
    rung: RungId = SECOND,
    bench: GatewayBench | None = None,
) -> tuple[Drilled, GatewayBench]:
    bench = bench or gateway_bench({"first": [], "second": scripts}, instructions="Be kind.")
    found = await drill(bench.gateway, rung, order, draw)
    assert found is not None
    for provider in bench.providers.values():
        assert [reply.closes for reply in provider.replies] == [1] * len(provider.replies)
    return found, bench


def test_every_candidate_and_the_floor_are_rungs() -> None:
    ladder = gateway_bench({"first": [], "second": []}).gateway.serving.ladders["assistant"]
    assert rungs_of(ladder) == [
        RungId("assistant", 0, "live", "first", "first-model"),
        SECOND,
        RungId("assistant", 2, "error"),
    ]


@pytest.mark.parametrize(("draw", "script"), [(WHOLE, answers()), (STREAM, streams())])
async def test_an_answer_proves_the_rung_that_was_asked_and_no_other(
    draw: float, script: Script
) -> None:
    found, bench = await drilled(script, draw=draw)
    assert (found.rung, found.result, found.reason) == (SECOND, True, "ok")
    (call,) = bench.providers["second"].calls
    assert bench.providers["first"].calls == []
    body = json.loads(bench.providers["second"].sent[0])
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert (body["max_tokens"], body["model"]) == (16, "second-model")
    assert call.stream is (draw == STREAM)


async def test_its_record_is_that_of_a_drill_of_the_real_route() -> None:
    found, bench = await drilled(answers())
    record = found.record
    assert (record.wire, record.route, record.rung) == ("drill", "assistant", "live")
    assert (record.provider, record.model, record.reason) == ("second", "second-model", "ok")
    assert (record.tenant, record.key, record.outcome) == ("", "", "answered")
    assert (record.input_tokens, record.process) == (12, 3)
    assert [(a.provider, a.reason, a.role) for a in record.attempts] == [("second", "ok", "drill")]
    assert bench.records == []  # whoever drills appends it


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (refuses(401), "auth_failed"),
        (refuses(500), "server_error"),
        (answers(b'{"error": {"message": "no", "code": "invalid_api_key"}}'), "auth_failed"),
        (answers(b"<html>", {b"content-type": b"text/html"}), None),
    ],
)
async def test_a_failure_is_one_by_its_own_name(script: Script, reason: str | None) -> None:
    found, _ = await drilled(script)
    assert found.result is False
    assert found.reason == (reason or found.reason) != "ok"
    assert found.record.outcome == "failed"
    assert found.record.reason == found.reason


async def test_a_stream_that_breaks_off_is_a_failure() -> None:
    found, _ = await drilled(streams(*text_events("Hel")[:2]), draw=STREAM)
    assert found.result is False
    assert found.record.outcome == "truncated"


async def test_silence_is_bounded() -> None:
    found, _ = await drilled(hangs(), order=QUICK)
    assert (found.result, found.reason) == (False, "gave_up")


async def test_a_request_that_the_provider_finds_at_fault_says_nothing_of_the_rung() -> None:
    found, _ = await drilled(refuses(400))
    assert found.result is None
    assert found.record.outcome == "rejected"


async def test_a_model_that_knows_the_newer_limit_is_asked_with_it() -> None:
    refusal = error_body("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'.")
    found, bench = await drilled(refuses(400, refusal), answers())
    assert found.result is True
    sent = [json.loads(body) for body in bench.providers["second"].sent]
    assert [body.get("max_tokens") for body in sent] == [16, None]
    assert sent[1]["max_completion_tokens"] == 16


SCHEMA = {"type": "object", "properties": {"label": {"type": "string"}}}


@pytest.mark.parametrize(
    ("floor", "kind"),
    [
        (Template("We will come back to you."), "template"),
        (Schema(SCHEMA, {"label": "other"}), "schema"),
        (Error(), "error"),
    ],
)
async def test_floors_say_what_they_have_to_say(floor: FloorRung, kind: str) -> None:
    bench = gateway_bench({"first": []}, floor=floor)
    found, _ = await drilled(bench=bench, rung=RungId("assistant", 1, kind))
    assert (found.result, found.reason) == (True, "ok")
    assert (found.record.route, found.record.rung, found.record.provider) == ("assistant", kind, "")


class Mute:
    kind = "template"

    def speak(self, modality: str, schema: bytes | None) -> str | None:
        return ""


class Garbled(Schema):
    @override
    def speak(self, modality: str, schema: bytes | None) -> str | None:
        return "{"


class Gone:
    kind = "template"

    def speak(self, modality: str, schema: bytes | None) -> str | None:
        return None


@pytest.mark.parametrize(
    ("floor", "reason"),
    [(Mute(), "empty"), (Garbled(SCHEMA, {}), "malformed"), (Gone(), "no_rung")],
)
async def test_a_floor_that_says_nothing_of_use_fails(floor: FloorRung, reason: str) -> None:
    bench = gateway_bench({}, floor=floor)
    found, _ = await drilled(bench=bench, rung=RungId("assistant", 0, floor.kind))
    assert (found.result, found.reason) == (False, reason)


def with_rung(rung: Rung) -> GatewayBench:
    """Return a gateway whose route ``assistant`` has one rung over an error."""
    bench = gateway_bench({})
    ladders = cast("dict[str, Ladder]", bench.gateway.serving.ladders)
    ladders["assistant"] = Ladder("assistant", PATIENT, (rung,), Error())
    return bench


async def test_the_cache_is_drilled_where_no_caller_can_reach() -> None:
    async with cache_over() as cache:
        bench = with_rung(Cache(CacheSettings(), cache))
        rung = RungId("assistant", 0, "cache")
        found, _ = await drilled(bench=bench, rung=rung)
        assert (found.result, found.reason) == (True, "ok")
        record = found.record
        assert (record.route, record.rung, record.outcome) == ("assistant", "cache", "answered")
        assert [(a.rung, a.reason, a.role) for a in record.attempts] == [("cache", "ok", "drill")]
        assert [tier.entries for tier in cache.status()] == [1]
        reply = await bench.ask()
        assert reply.status == 503  # what a drill has put there answers nobody


class Untold:
    """A stored rung of somebody else's, which does not know of drills."""

    kind = "cache"
    has_slow_tiers = False
    cost = UNKNOWN

    def peek(self, question: Question) -> StoredAnswer | None:
        return None

    async def fetch(self, question: Question, until_s: float) -> StoredAnswer | None:
        return None

    def keep(self, question: Question, answer: GoodAnswer) -> None:
        """Keep nothing."""


async def test_a_rung_that_knows_no_drills_is_not_judged() -> None:
    found, _ = await drilled(bench=with_rung(Untold()), rung=RungId("assistant", 0, "cache"))
    assert (found.result, found.reason) == (None, "not_drillable")
    assert found.record.outcome == "failed"


class Curated:
    """Tells what it is given to tell."""

    def __init__(self, example: Example | None, told: str | None) -> None:
        self.questions: list[Question] = []
        self._example = example
        self._told = told

    def example(self, collection: str, question: Question, draw: float) -> Example | None:
        return self._example

    def ask(self, collection: str, threshold: float, question: Question) -> StoredAnswer | None:
        self.questions.append(question)
        return None if self._told is None else StoredAnswer(self._told)


@pytest.mark.parametrize(
    ("example", "told", "result", "reason"),
    [
        (Example("How?", "So."), "So.", True, "ok"),
        (Example("How?", "So."), "Other.", False, "wrong_answer"),
        (Example("How?", "So."), None, False, "unanswered"),
        (Example("", ""), None, None, "no_entries"),
        (None, None, False, "absent"),
    ],
)
async def test_knowledge_must_know_its_own_questions(
    example: Example | None, told: str | None, result: bool | None, reason: str
) -> None:
    answers = Curated(example, told)
    bench = with_rung(Knowledge(KnowledgeSettings(collection="faq"), answers))
    found, _ = await drilled(bench=bench, rung=RungId("assistant", 0, "knowledge"))
    assert (found.result, found.reason) == (result, reason)
    for asked in answers.questions:
        assert json.loads(bytes(asked.messages[0])) == {"role": "user", "content": "How?"}
        assert ":" in asked.tenant  # no tenant can be named so


async def test_what_is_not_served_any_more_is_not_drilled() -> None:
    gateway = gateway_bench({"first": []}).gateway
    for gone in (SECOND, RungId("other", 0, "error")):
        assert await drill(gateway, gone, USUAL, WHOLE) is None
