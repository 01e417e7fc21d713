"""Clients that speak TLS badly, or not at all, to a port that speaks nothing else."""

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from steadyhand.http.limits import ServerLimits
from steadyhand.http.server import Server
from steadyhand.http.tls import server_context
from tests.support.handlers import Noting, Waiting
from tests.support.wire import PATIENCE_S, RawClient, client_of, eventually, serving

GET = b"GET /p HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder = tmp_path_factory.mktemp("tls")
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    chain = b"".join(pem.bytes() for pem in certificate.cert_chain_pems)
    Path(folder / "cert.pem").write_bytes(chain)
    return server_context(folder / "cert.pem", folder / "key.pem")


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def connected(server: Server, context: ssl.SSLContext) -> RawClient:
    opening = asyncio.open_connection(
        "127.0.0.1", server.port, ssl=context, server_hostname="localhost"
    )
    return RawClient(*await opening)


async def answers_on(server: Server, authority: trustme.CA) -> None:
    client = await connected(server, trusting(authority))
    client.send(GET)
    assert (await client.response()).status == 200
    await client.close()


@pytest.mark.parametrize("hello", [b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"])
async def test_a_handshake_that_does_not_end_is_closed(
    hello: bytes, authority: trustme.CA, tls: ssl.SSLContext
) -> None:
    limits = ServerLimits(head_timeout_s=0.3)
    async with serving(Noting(), limits, tls) as server, client_of(server) as client:
        client.send(hello)
        assert await client.at_end()
        await answers_on(server, authority)
        assert server.requests == 1


@pytest.mark.parametrize("sent", [GET, b"\0" * 100, b"\x16\x03\x01\xff\xff" + b"a" * 70_000])
async def test_what_is_not_tls_gets_no_answer_and_is_closed(
    sent: bytes, authority: trustme.CA, tls: ssl.SSLContext
) -> None:
    handler = Noting()
    async with serving(handler, tls=tls) as server, client_of(server) as client:
        client.send(sent)
        async with asyncio.timeout(PATIENCE_S):
            try:
                said = await client.reader.read()
            except ConnectionResetError:
                said = b""
        assert b"HTTP" not in said
        assert handler.paths == []
        await answers_on(server, authority)


async def test_old_versions_are_refused(authority: trustme.CA, tls: ssl.SSLContext) -> None:
    old = trusting(authority)
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with serving(Noting(), tls=tls) as server:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await connected(server, old)
        await answers_on(server, authority)


@pytest.mark.parametrize("offered", [["h2"], ["h2", "http/1.1"], ["spdy/1", "acme-tls/1"]])
async def test_http11_is_spoken_whatever_is_offered(
    offered: list[str], authority: trustme.CA, tls: ssl.SSLContext
) -> None:
    context = trusting(authority)
    context.set_alpn_protocols(offered)
    async with serving(Noting(), tls=tls) as server:
        client = await connected(server, context)
        chosen = client.writer.get_extra_info("ssl_object").selected_alpn_protocol()
        assert chosen == ("http/1.1" if "http/1.1" in offered else None)
        client.send(GET)
        assert (await client.response()).status == 200
        await client.close()


async def test_an_http2_preface_inside_tls_is_400(
    authority: trustme.CA, tls: ssl.SSLContext
) -> None:
    async with serving(Noting(), tls=tls) as server:
        client = await connected(server, trusting(authority))
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert (await client.response()).status == 400
        await client.close()
        assert server.refused["bad_request"] == 1


@pytest.mark.parametrize("sent", [b"", GET[:-2], GET])
async def test_an_abrupt_end_is_a_client_that_left(
    sent: bytes, authority: trustme.CA, tls: ssl.SSLContext
) -> None:
    handler = Waiting()
    async with serving(handler, tls=tls) as server:
        client = await connected(server, trusting(authority))
        client.send(sent)
        if sent == GET:
            await eventually(lambda: server.in_flight == 1)
        client.writer.transport.abort()
        await eventually(lambda: server.connections == 0 and server.in_flight == 0)
        assert handler.cancelled.is_set() == (sent == GET)
        assert server.disconnects == (sent == GET)


async def test_an_end_in_the_middle_of_the_handshake_leaves_nothing(
    authority: trustme.CA, tls: ssl.SSLContext
) -> None:
    async with serving(Noting(), tls=tls) as server:
        for _ in range(20):
            async with client_of(server) as client:
                client.send(b"\x16\x03\x01\x02\x00\x01")
                client.writer.transport.abort()
        await answers_on(server, authority)
        await eventually(lambda: server.connections == 0)
