"""Which release answers whom: channels, candidates, leases, and that nothing crosses over."""

from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.gateway.serving import Choice, Ladder, Serving
from steadyhand.routing.exposure import place
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


def bench(weight: int = 0, answered: int = 1) -> GatewayBench:
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
            "assistant": Choice(stable, candidate if weight else None, weight, "salt"),
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


@given(st.sampled_from(["user", "conversation"]), st.text(min_size=1, max_size=12))
async def test_a_unit_keeps_its_arm(field: str, name: str) -> None:
    made = bench(weight=5_000, answered=2)
    made.gateway.gear.lease.until_us = FAR_US
    unit = f"{field} acme {name}"
    wanted = CANDIDATE if place("salt", unit) < 5_000 else STABLE
    for _ in range(2):
        reply = await made.ask(chat_body(steadyhand={field: name}), token=PROD)
        assert reply.headers[b"x-steadyhand-release"] == wanted.encode()
    assert {record.route_release for record in made.records} == {wanted}
    assert {record.arm for record in made.records} == {
        "candidate" if wanted == CANDIDATE else "stable"
    }


async def test_openais_own_user_is_a_unit_and_else_the_key_is() -> None:
    for body, unit in (
        (chat_body(user="u-1"), "user acme u-1"),
        (chat_body(user=7), "key prod"),
        (chat_body(), "key prod"),
    ):
        made = bench(weight=5_000)
        made.gateway.gear.lease.until_us = FAR_US
        reply = await made.ask(body, token=PROD)
        wanted = CANDIDATE if place("salt", unit) < 5_000 else STABLE
        assert reply.headers[b"x-steadyhand-release"] == wanted.encode()


async def test_without_a_lease_nobody_gets_the_candidate() -> None:
    made = bench(weight=10_000, answered=2)
    reply = await made.ask(token=PROD)
    assert reply.headers[b"x-steadyhand-release"] == STABLE.encode()
    made.gateway.gear.lease.until_us = FAR_US
    reply = await made.ask(token=PROD)
    assert reply.headers[b"x-steadyhand-release"] == CANDIDATE.encode()
