"""Each provider plugin against the wire that it speaks.

The plugins are found by listing the folder: a new file is tested as soon as it has fixtures in
``wire/<kind>/``, and fails here until it has.
"""

import json
import re
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from steadyhand.core.plugins import kinds, load
from steadyhand.core.sse import DONE
from steadyhand.providers.base import Call, Provider
from tests.support.outcomes import events
from tests.support.scripted_upstream import scripted_upstream
from tests.support.simulators import chat_body, limits, ports
from tests.support.wire_fixtures import WIRE, Exchange, exchanges

WITHOUT_WIRE = {"local", "simulated"}
"""Kinds that speak to nobody else's host.

``test_simulated_models.py`` holds the one to its table, ``tests/integration/inference/`` the other.
"""

KEY = "sk-contract-0123456789"
SETTINGS: dict[str, dict[str, Any]] = {"openai": {"api_key": "env:KEY", "organization": "org-1"}}
BASE_PATH = {"openai": "/v1"}

KINDS = [kind for kind in kinds("steadyhand.providers") if kind not in WITHOUT_WIRE]
FOUND = [(kind, exchange) for kind in KINDS for exchange in exchanges(kind)]
CASES = [pytest.param(*pair, id=f"{pair[0]}-{pair[1].name}") for pair in FOUND]
FAILURES = [pytest.param(*pair, id=pair[1].name) for pair in FOUND if pair[1].failure]


def provider_at(kind: str, url: str) -> Provider:
    plugin = load("steadyhand.providers", kind)
    settings = plugin.Settings(base_url=url + BASE_PATH[kind], **SETTINGS[kind])
    provider: Provider = plugin.build(settings, ports({"env:KEY": KEY}.__getitem__))
    return provider


def call_of(exchange: Exchange) -> Call:
    body = chat_body(stream=exchange.stream, **exchange.request)
    options = exchange.request.get("stream_options", {})
    return Call(body, "upstream-model", exchange.stream, bool(options.get("include_usage")))


@pytest.mark.parametrize("kind", KINDS)
def test_a_provider_has_fixtures_that_say_where_they_are_from(kind: str) -> None:
    found = exchanges(kind)
    assert {exchange.stream for exchange in found} == {True, False}
    assert any(exchange.failure for exchange in found)
    for exchange in found:
        assert exchange.source, exchange.name
        assert re.fullmatch(r"20\d\d-\d\d", exchange.read), exchange.name


def test_no_fixture_is_left_over() -> None:
    assert {path.name for path in WIRE.iterdir()} == set(KINDS)


@pytest.mark.parametrize(("kind", "exchange"), CASES)
async def test_a_response_arrives_byte_for_byte(kind: str, exchange: Exchange) -> None:
    raw = exchange.raw()
    for size in (len(raw), 11):
        pieces = [raw[start : start + size] for start in range(0, len(raw), size)]
        async with scripted_upstream(pieces) as upstream:
            provider = provider_at(kind, upstream.url)
            reply = await provider.open(call_of(exchange), limits())
            assert await reply.read_all(1_000_000) == exchange.body
            assert reply.status == exchange.status
            for name, value in exchange.headers.items():
                assert reply.headers[name.encode()] == value.encode()
            reply.close()
            await provider.close()


@pytest.mark.parametrize(("kind", "exchange"), FAILURES)
def test_a_failure_is_named(kind: str, exchange: Exchange) -> None:
    headers = {name.encode(): value.encode() for name, value in exchange.headers.items()}
    provider = provider_at(kind, "http://127.0.0.1:9")
    failure = provider.classify(exchange.status, headers, exchange.body)
    assert failure.status == exchange.status
    for attribute, expected in (exchange.failure or {}).items():
        assert getattr(failure, attribute) == expected, attribute


@pytest.mark.parametrize(
    "exchange", [pytest.param(e, id=e.name) for e in exchanges("openai") if not e.failure]
)
def test_the_transcription_fits_the_sdks_types(exchange: Exchange) -> None:
    if exchange.stream:
        *chunks, last = events(exchange.body)
        assert last == DONE
        for chunk in chunks:
            ChatCompletionChunk.model_validate_json(chunk)
    else:
        ChatCompletion.model_validate_json(exchange.body)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stream", [False, True])
async def test_only_the_houses_own_edits_go_upstream(kind: str, stream: bool) -> None:
    body = (
        b'{ "messages":[{"role":"user","content":"\xc3\xa9\\u00e9 \xf0\x9f\x98\x80"}],'
        b'"seed":9007199254740993, "model" : "support","stream":%b,"x_new":{"model":"kept"}}'
        % (b"true" if stream else b"false")
    )
    headers = ((b"traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),)
    plain = next(exchange for exchange in exchanges(kind) if exchange.stream is stream)
    async with scripted_upstream([plain.raw()]) as upstream:
        provider = provider_at(kind, upstream.url)
        call = Call(body, 'gpt-"4"', stream, asks_usage=False, headers=headers)
        reply = await provider.open(call, limits())
        await reply.read_all(1_000_000)
        reply.close()
        await provider.close()
    sent = body.replace(b'"support"', b'"gpt-\\"4\\""')
    if stream:
        sent = sent[:-1] + b',"stream_options":{"include_usage":true}}'
    assert upstream.bodies == [sent]
    fields = upstream.fields()
    assert upstream.heads[0].startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert fields[b"host"] == upstream.url.removeprefix("http://").encode()
    assert fields[b"authorization"] == f"Bearer {KEY}".encode()
    assert fields[b"openai-organization"] == b"org-1"
    assert fields[b"content-type"] == b"application/json"
    assert fields[b"content-length"] == b"%d" % len(sent)
    assert fields[b"accept-encoding"] == b"identity"
    assert fields[b"traceparent"] == headers[0][1]
    assert not {b"cookie", b"x-api-key"} & fields.keys()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_clients_own_wish_for_usage_is_left_as_it_is(kind: str) -> None:
    asked = {"include_usage": True, "include_obfuscation": False}
    body = chat_body(stream=True, stream_options=asked)
    exchange = next(exchange for exchange in exchanges(kind) if exchange.stream)
    async with scripted_upstream([exchange.raw()]) as upstream:
        provider = provider_at(kind, upstream.url)
        reply = await provider.open(Call(body, "m", stream=True, asks_usage=True), limits())
        reply.close()
        await provider.close()
    assert json.loads(upstream.bodies[0])["stream_options"] == asked


@pytest.mark.parametrize("kind", KINDS)
def test_our_key_never_comes_back_in_an_error(kind: str) -> None:
    provider = provider_at(kind, "http://127.0.0.1:9")
    for echo in (KEY, f"Bearer {KEY}", f"x{KEY}y"):
        body = json.dumps({"error": {"message": f"bad key {echo}", "type": "t"}}).encode()
        assert "0123456789" not in provider.classify(401, {}, body).message
