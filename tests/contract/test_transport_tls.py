"""TLS to upstreams, whichever transport carries it: own authorities, own certificates."""

import os
import socket
from pathlib import Path

import pytest

from steadyhand.http.failures import ConnectionLost, TlsFailed, UpstreamError
from steadyhand.http.tls import client_context
from tests.contract.test_transport_port import R, W, always_ok
from tests.support.certificates import Authority
from tests.support.transport_ports import CARRIERS, OWN, caller
from tests.support.wire import Upstream, upstream


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=CARRIERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_an_authority_of_ones_own(name: str, authority: Authority) -> None:
    trust = client_context(authority.file)
    async with (
        upstream(always_ok, authority.server()) as peer,
        caller(name, peer.port, tls=trust) as to,
    ):
        for body in (b"x", bytes(2_000_000)):
            assert await to.ask(body) == b"ok"
        assert peer.accepted == 1


async def test_an_unknown_authority_is_refused(
    name: str, authority: Authority, tmp_path: Path
) -> None:
    for trust in (client_context(), client_context(Authority(tmp_path).file)):
        async with (
            upstream(always_ok, authority.server()) as peer,
            caller(name, peer.port, tls=trust) as to,
        ):
            with pytest.raises(TlsFailed):
                await to.ask()
            assert peer.heads == []


async def test_a_certificate_for_another_name_is_refused(name: str, authority: Authority) -> None:
    trust = client_context(authority.file)
    async with (
        upstream(always_ok, authority.server("other.example")) as peer,
        caller(name, peer.port, tls=trust) as to,
    ):
        with pytest.raises(TlsFailed):
            await to.ask()
        assert peer.heads == []


async def test_plain_http_on_a_tls_port_is_refused(name: str, authority: Authority) -> None:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await peer.until_gone(reader)

    trust = client_context(authority.file)
    async with upstream(script) as peer, caller(name, peer.port, tls=trust) as to:
        with pytest.raises(TlsFailed):
            await to.ask()


async def test_an_upstream_that_asks_gets_our_certificate(name: str, authority: Authority) -> None:
    identity = authority.issue("gateway@example.org")
    trust = client_context(authority.file, (identity.certificate, identity.key))
    async with (
        upstream(always_ok, authority.server(asks=True)) as peer,
        caller(name, peer.port, tls=trust) as to,
    ):
        assert await to.ask(b"x") == b"ok"


async def test_without_a_certificate_it_refuses_us(name: str, authority: Authority) -> None:
    trust = client_context(authority.file)
    async with (
        upstream(always_ok, authority.server(asks=True)) as peer,
        caller(name, peer.port, tls=trust) as to,
    ):
        with pytest.raises(UpstreamError):  # TLS 1.3: seen only when the answer is awaited
            await to.ask()
        assert peer.heads == []


async def test_a_stream_over_tls_that_is_cut_is_lost(name: str, authority: Authority) -> None:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        await peer.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        await writer.drain()

    trust = client_context(authority.file)
    async with (
        upstream(script, authority.server()) as peer,
        caller(name, peer.port, tls=trust) as to,
    ):
        with pytest.raises(ConnectionLost):
            await to.ask()


async def test_an_end_without_a_goodbye(name: str, authority: Authority) -> None:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        await peer.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
        await writer.drain()
        with socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno())) as raw:
            raw.shutdown(socket.SHUT_WR)  # without close_notify
        await peer.until_gone(reader)

    trust = client_context(authority.file)
    async with (
        upstream(script, authority.server()) as peer,
        caller(name, peer.port, tls=trust) as to,
    ):
        try:
            said: object = await to.ask()
        except UpstreamError as error:
            said = type(error)
        assert said == (ConnectionLost if name == OWN else b"half of it")
