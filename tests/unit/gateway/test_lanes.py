"""Which release answers whom: channels, candidates, leases, and that nothing crosses over."""

from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.app.serving import choice_of
from steadyhand.gateway.serving import Choice, Ladder, Serving
from steadyhand.routing.exposure import Unit, assigned, slices
from steadyhand.routing.rungs.base import is_live
from steadyhand.snapshot.model import Lane
from steadyhand.tenancy.model import Key
from tests.support.chats import chat_body
from tests.support.gateways import GatewayBench, gateway_bench, snapshot
from tests.support.upstreams import answers

FAR_US = 1 << 60
STABLE, CANDIDATE = "sha256:" + "1" * 64, "sha256:" + "2" * 64
PROD, NARROW, DEV = b"sk-prod", b"sk-narrow", b"sk-dev"
KEYS = {
    PROD: Key("prod", "acme", "production", routes=("*",), models=("first/*",)),
    NARROW: Key("narrow", "globex", "production", routes=("other",)),
    DEV: Key("dev", "acme", "dev", routes=("*",)),
}


def bench(weight: int = 0, answered: int = 1, unit: Unit = "conversation") -> GatewayBench:
    """Return a gateway whose route ``assistant`` has releases on the channel ``production``."""
    made = gateway_bench({"first": [answers() for _ in range(answered)]})
    held = made.gateway.serving
    ladder = held.ladders["assistant"]
    stable, candidate = (
        msgspec.structs.replace(ladder, digest=digest, lineups={}, release=digest)
        for digest in (STABLE, CANDIDATE)
    )
    keys = {sha256(token).hexdigest(): key for token, key in KEYS.items()}
    channels = {
        "production": {
            "assistant": choice_of(
                stable,
                candidate if weight else None,
                Lane("s", "c" if weight else "", weight, "salt" if weight else "", unit=unit),
            ),
            "only-there": Choice(named(stable, "only-there")),
        }
    }
    made.gateway.serving = Serving(
        msgspec.structs.replace(snapshot(), keys=keys),
        held.ladders,
        held.providers,
        held._direct,
        channels,
    )
    return made


def named(ladder: Ladder, route: str) -> Ladder:
    """Return the ladder under another route's name."""
    return msgspec.structs.replace(ladder, route=route)


async def test_a_channels_key_is_answered_by_its_release() -> None:
    made = bench()
    reply = await made.ask(token=PROD)
    assert reply.status == 200
    assert reply.headers[b"x-steadyhand-release"] == STABLE.encode()
    record = made.record()
    assert (record.channel, record.route_release, record.arm) == ("production", STABLE, "stable")


async def test_the_workspaces_key_is_answered_by_the_workspace() -> None:
    made = bench()
    reply = await made.ask(token=DEV)
    assert reply.headers[b"x-steadyhand-release"] == made.gateway.serving.release_label
    assert (made.record().route_release, made.record().arm) == ("", "")


@pytest.mark.parametrize(
    ("token", "model", "status", "code"),
    [
        (PROD, "classify", 404, "route_not_released"),
        (PROD, "nobody", 404, "model_not_found"),
        (PROD, "only-there", 200, ""),
        (PROD, "first/m", 200, ""),
        (DEV, "only-there", 404, "model_not_found"),
        (NARROW, "assistant", 403, "route_forbidden"),
        (NARROW, "classify", 403, "route_forbidden"),
    ],
)
async def test_a_key_gets_what_its_channel_and_its_rights_allow(
    token: bytes, model: str, status: int, code: str
) -> None:
    reply = await bench().ask(chat_body(model=model), token=token)
    assert reply.status == status
    if code:
        assert msgspec.json.decode(reply.body)["error"]["code"] == code


async def test_models_are_those_of_the_channel() -> None:
    made = bench()
    for token, names in ((PROD, ["assistant", "only-there"]), (DEV, ["assistant", "classify"])):
        reply = await made.ask(method=b"GET", path=b"/v1/models", token=token)
        assert [one["id"] for one in msgspec.json.decode(reply.body)["data"]] == names


OPENING = '{"role":"user","content":"hi"}'


def wanted(unit: str, weight: int = 5_000) -> str:
    """Return the digest that a unit gets."""
    is_candidate = assigned("salt", slices(weight), unit).arm == "candidate"
    return CANDIDATE if is_candidate else STABLE


@given(st.text(min_size=1, max_size=12))
async def test_a_conversation_keeps_its_arm(name: str) -> None:
    made = bench(weight=5_000, answered=2)
    made.gateway.gear.lease.until_us = FAR_US
    for _ in range(2):
        reply = await made.ask(chat_body(steadyhand={"conversation": name}), token=PROD)
        assert (
            reply.headers[b"x-steadyhand-release"] == wanted(f"conversation acme {name}").encode()
        )
    assert {record.arm for record in made.records} <= {"candidate", "control"}
    [unit] = {record.unit for record in made.records}
    assert unit == assigned("salt", slices(5_000), f"conversation acme {name}").unit


@pytest.mark.parametrize(
    ("kind", "said", "unit"),
    [
        ("conversation", {"steadyhand": {"conversation": "c"}, "user": "u"}, "conversation acme c"),
        ("conversation", {"user": "u"}, "opening acme u {messages}"),
        ("conversation", {}, "opening acme  {messages}"),
        ("user", {"user": "u"}, "user acme u"),
        ("user", {"steadyhand": {"user": "v"}, "user": "u"}, "user acme v"),
        ("user", {"user": 7}, "opening acme  {messages}"),
        ("user", {"steadyhand": {"conversation": "c"}}, "conversation acme c"),
        ("key", {"user": "u"}, "key acme prod"),
    ],
)
async def test_who_keeps_an_arm(kind: Unit, said: dict[str, Any], unit: str) -> None:
    made = bench(weight=5_000, unit=kind)
    made.gateway.gear.lease.until_us = FAR_US
    body = chat_body(**said)
    messages = b"".join(map(bytes, msgspec.json.decode(body, type=_Messages).messages)).decode()
    await made.ask(body, token=PROD)
    found = assigned("salt", slices(5_000), unit.replace("{messages}", messages))
    assert made.record().unit == found.unit


class _Messages(msgspec.Struct):
    messages: list[msgspec.Raw]


async def test_a_record_says_by_which_draw_it_was_assigned() -> None:
    made = bench(weight=500, answered=400)
    made.gateway.gear.lease.until_us = FAR_US
    for number in range(400):
        await made.ask(chat_body(steadyhand={"conversation": f"c{number}"}), token=PROD)
    seen = {(record.arm, record.part) for record in made.records}
    assert seen == {
        ("candidate", 0),
        ("control", 0),
        ("control", 1),
        ("control", 2),
        ("stable", -1),
    }
    [draw] = {(one.rollout, one.candidate_bp, one.slice_bp, one.controls) for one in made.records}
    assert draw == ("salt", 500, 500, 3)
    for record in made.records:
        assert (record.route_release == CANDIDATE) == (record.arm == "candidate")


async def test_arms_share_neither_kept_answers_nor_health() -> None:
    choice = bench(weight=500).gateway.serving.channels["production"]["assistant"]
    assert choice.compared is not None
    assert choice.candidate is not None
    arms = [choice.stable, choice.compared, *choice.controls]
    assert len({ladder.release for ladder in arms}) == len(arms)
    assert len({ladder.health for ladder in arms}) == len(arms)
    assert len({id(ladder.lineups) for ladder in arms}) == len(arms)
    health = bench().gateway.gear.health
    assert health.arm("") is health
    assert health.arm("a") is health.arm("a")
    assert health.arm("a") is not health.arm("b")


async def test_a_candidate_that_fails_opens_no_breaker_that_others_meet() -> None:
    made = bench(weight=5_000, answered=1)
    choice = made.gateway.serving.channels["production"]["assistant"]
    assert choice.compared is not None
    [rung] = choice.compared.rungs[:1]
    assert is_live(rung)
    deployment = rung.deployments[0].id
    health = made.gateway.gear.health
    mine = health.arm(choice.compared.health).of(deployment)
    for second in range(20):
        mine.began(float(second), 100, stream=False).ended(second + 0.1, "error")
    now_s = 20.0
    assert mine.reading(now_s).state == "open"
    assert health.of(deployment).reading(now_s).state == "closed"
    assert health.arm(choice.controls[0].health).of(deployment).reading(now_s).state == "closed"


async def test_what_is_drained_is_served_to_nobody() -> None:
    made = bench(weight=10_000, answered=2)
    made.gateway.gear.lease.until_us = FAR_US
    made.gateway.gear.lease.drained = frozenset({"salt"})
    reply = await made.ask(token=PROD)
    assert reply.headers[b"x-steadyhand-release"] == STABLE.encode()
    record = made.record()
    assert (record.arm, record.part, record.rollout) == ("stable", -1, "salt")


async def test_without_a_lease_nobody_gets_the_candidate() -> None:
    made = bench(weight=10_000, answered=2)
    reply = await made.ask(token=PROD)
    assert reply.headers[b"x-steadyhand-release"] == STABLE.encode()
    made.gateway.gear.lease.until_us = FAR_US
    reply = await made.ask(token=PROD)
    assert reply.headers[b"x-steadyhand-release"] == CANDIDATE.encode()
