"""Rungs of several deployments on a climb: order, sticky units, own prompts, health."""

from typing import Any

import pytest

from steadyhand.http.failures import ConnectFailed
from steadyhand.routing.model import SloClass
from steadyhand.routing.rungs.template import Template
from tests.support.chats import HI, answer_body, chat_body, write
from tests.support.gateways import GatewayBench, gateway_bench
from tests.support.ladders import gear_with, live_rung
from tests.support.upstreams import Script, answers, breaks, refuses

PATIENT = SloClass("patient", first_content_ms=20_000, whole_ms=20_000, stream_cap_ms=60_000)


def weighted(draw: float = 0.5, many: int = 1, **settings: Any) -> GatewayBench:
    return gateway_bench(
        {"first": [answers()] * many, "second": [answers(answer_body("two"))] * many},
        slo=PATIENT,
        rungs=lambda ports: [live_rung(ports, "first", "second", strategy="weighted", **settings)],
        gear=gear_with(draw=draw),
    )


@pytest.mark.parametrize(("draw", "provider"), [(0.2, "first"), (0.8, "second")])
async def test_the_draw_of_the_request_decides(draw: float, provider: str) -> None:
    bench = weighted(draw)
    await bench.ask()
    record = bench.record()
    assert (record.provider, record.reason) == (provider, "first_choice")
    assert [a.role for a in record.attempts] == ["first"]


async def test_the_other_deployment_follows_if_the_first_fails() -> None:
    bench = gateway_bench(
        {"first": [refuses(500)], "second": [answers()]},
        rungs=lambda ports: [live_rung(ports, "first", "second")],
    )
    await bench.ask()
    assert [(a.provider, a.role, a.reason) for a in bench.record().attempts] == [
        ("first", "first", "server_error"),
        ("second", "fallback", "ok"),
    ]


STICKY: dict[str, list[dict[str, Any]]] = {
    "user in our object": [{"steadyhand": {"user": "ada"}}] * 6,
    "user in OpenAI's field": [{"user": "ada"}] * 6,
    "conversation by name": [
        {"steadyhand": {"conversation": "c7"}, "messages": [{"role": "user", "content": str(n)}]}
        for n in range(6)
    ],
    "conversation by its opening": [
        {"messages": [HI, *[{"role": "assistant", "content": str(n)}] * n]} for n in range(6)
    ],
}


@pytest.mark.parametrize("requests", STICKY.values(), ids=STICKY.keys())
async def test_a_unit_keeps_its_deployment(
    requests: list[dict[str, Any]], request: pytest.FixtureRequest
) -> None:
    sticky = "user" if "user" in request.node.callspec.id else "conversation"
    bench = weighted(many=6, sticky=sticky)
    for fields in requests:
        await bench.ask(chat_body(**fields))
    assert len({record.provider for record in bench.records}) == 1


async def test_units_are_spread() -> None:
    bench = weighted(many=40, sticky="user")
    for number in range(40):
        await bench.ask(chat_body(user=f"user {number}"))
    assert {record.provider for record in bench.records} == {"first", "second"}


async def test_a_user_that_is_no_text_names_nobody() -> None:
    bench = weighted(draw=0.2, many=2, sticky="user")
    await bench.ask(chat_body(user=7))
    await bench.ask(chat_body())
    assert [record.provider for record in bench.records] == ["first", "first"]


async def test_a_rung_has_its_own_prompt_in_place_of_the_routes() -> None:
    bench = gateway_bench(
        {"first": [refuses(500)], "second": [answers()]},
        instructions="Be bold.",
        own_instructions=("", "Be safe."),
    )
    await bench.ask(chat_body(steadyhand={"user": "ada"}, top_p=0.1))
    (bold,), (safe,) = (bench.providers[name].sent for name in ("first", "second"))
    system = [write({"role": "system", "content": text}) for text in ("Be bold.", "Be safe.")]
    assert system[0] in bold
    assert system[1] in safe
    assert system[0] not in safe
    for sent in (bold, safe):
        assert b"steadyhand" not in sent
        assert b'"top_p":0.1' in sent


async def test_a_broken_deployment_is_not_asked_and_the_record_says_why() -> None:
    failing: list[Script] = [breaks(ConnectFailed("refused"))] * 6
    bench = gateway_bench(
        {"first": failing, "second": [answers()] * 12}, floor=Template("Back soon.")
    )
    for _ in range(12):
        assert (await bench.ask()).headers[b"x-steadyhand-rung"] == b"live"
    asked = len(bench.providers["first"].calls)
    assert asked < 6
    last = bench.records[-1]
    assert [(a.provider, a.reason, a.status) for a in last.attempts] == [
        ("first", "open", 0),
        ("second", "ok", 200),
    ]
    assert last.reason == "open"
