"""Upstreams behind an HTTP proxy: what only the aiohttp transport does, on a real small proxy."""

import asyncio
from time import monotonic

import pytest

from steadyhand.http.failures import (
    ConnectFailed,
    ConnectionLost,
    ConnectTimedOut,
    GaveUp,
    TlsFailed,
    UpstreamError,
)
from steadyhand.http.tls import client_context
from steadyhand.http.transports import Proxy
from tests.contract.test_transport_port import R, W, always_ok, closing_after, saying
from tests.support.certificates import Authority
from tests.support.proxies import small_proxy
from tests.support.transport_ports import AIOHTTP, caller
from tests.support.wire import PATIENCE_S, Upstream, eventually, upstream, within

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SECRET = "gateway:s3cret-of-the-proxy"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize("credentials", ["", SECRET])
async def test_http_goes_through_in_absolute_form(credentials: str) -> None:
    async with (
        upstream(always_ok) as peer,
        small_proxy(credentials) as proxy,
        caller(AIOHTTP, peer.port, proxy=Proxy(proxy.url, credentials)) as to,
    ):
        for _ in range(3):
            assert await to.ask(b"body") == b"ok"
        assert proxy.targets == [b"POST http://127.0.0.1:%d/p HTTP/1.1" % peer.port]
        assert peer.accepted == 1


@pytest.mark.parametrize("credentials", ["", SECRET])
async def test_https_goes_through_a_tunnel_and_is_verified_at_its_end(
    authority: Authority, credentials: str
) -> None:
    trust = client_context(authority.file)
    async with (
        upstream(always_ok, authority.server()) as peer,
        small_proxy(credentials) as proxy,
        caller(AIOHTTP, peer.port, tls=trust, proxy=Proxy(proxy.url, credentials)) as to,
    ):
        for body in (b"x", bytes(2_000_000)):
            assert await to.ask(body) == b"ok"
        assert proxy.targets == [b"CONNECT localhost:%d HTTP/1.1" % peer.port]
        assert all(b"proxy-auth" not in head.lower() for head in peer.heads)


async def test_our_certificate_reaches_the_end_of_the_tunnel(authority: Authority) -> None:
    identity = authority.issue("gateway@example.org")
    trust = client_context(authority.file, (identity.certificate, identity.key))
    async with (
        upstream(always_ok, authority.server(asks=True)) as peer,
        small_proxy() as proxy,
        caller(AIOHTTP, peer.port, tls=trust, proxy=Proxy(proxy.url)) as to,
    ):
        assert await to.ask() == b"ok"


async def test_a_proxy_cannot_pretend_to_be_the_upstream(authority: Authority) -> None:
    async with (
        upstream(always_ok, authority.server("other.example")) as peer,
        small_proxy() as proxy,
        caller(
            AIOHTTP, peer.port, tls=client_context(authority.file), proxy=Proxy(proxy.url)
        ) as to,
    ):
        with pytest.raises(TlsFailed):
            await to.ask()
        assert peer.heads == []


@pytest.mark.parametrize("offered", ["", "gateway:wrong"])
async def test_a_proxy_that_does_not_know_us(authority: Authority, offered: str) -> None:
    trust = client_context(authority.file)
    async with (
        upstream(always_ok, authority.server()) as peer,
        small_proxy(SECRET) as proxy,
        caller(AIOHTTP, peer.port, tls=trust, proxy=Proxy(proxy.url, offered)) as to,
    ):
        with pytest.raises(ConnectFailed, match="407") as caught:
            await to.ask()
        assert "wrong" not in str(caught.value)
        assert "wrong" not in repr(Proxy(proxy.url, offered))


async def test_a_proxy_that_refuses_http_answers_itself() -> None:
    async with (
        upstream(always_ok) as peer,
        small_proxy(SECRET) as proxy,
        caller(AIOHTTP, peer.port, proxy=Proxy(proxy.url)) as to,
    ):
        reply = await to.send()
        assert reply.status == 407
        reply.close()
        assert peer.heads == []


async def test_a_proxy_that_cannot_connect(authority: Authority) -> None:
    async with (
        small_proxy() as proxy,
        caller(AIOHTTP, 9, tls=client_context(authority.file), proxy=Proxy(proxy.url)) as to,
    ):
        proxy.refuses = 502
        with pytest.raises(ConnectFailed, match="502"):
            await to.ask()


async def test_a_proxy_that_is_not_there() -> None:
    async with small_proxy() as proxy:
        pass
    async with (
        upstream(always_ok) as peer,
        caller(AIOHTTP, peer.port, proxy=Proxy(proxy.url)) as to,
    ):
        with pytest.raises(ConnectFailed, match="proxy"):
            await to.ask()


@pytest.mark.parametrize("failure", [ConnectTimedOut, GaveUp])
async def test_a_proxy_that_says_nothing(
    authority: Authority, failure: type[UpstreamError]
) -> None:
    trust = client_context(authority.file)
    async with (
        small_proxy() as proxy,
        caller(AIOHTTP, 9, tls=trust, proxy=Proxy(proxy.url)) as to,
    ):
        proxy.is_silent = True
        bounds = within(connect_s=0.2)
        if failure is GaveUp:
            bounds = within(give_up_at_s=monotonic() + 0.2)
        with pytest.raises(failure):
            await to.ask(b"", bounds)
        await eventually(lambda: not proxy.tunnels)


async def test_a_stream_arrives_as_it_comes_and_a_cut_tunnel_is_a_loss(
    authority: Authority,
) -> None:
    async def script(peer: Upstream, reader: R, writer: W) -> None:
        await peer.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await peer.until_gone(reader)

    trust = client_context(authority.file)
    async with (
        upstream(script, authority.server()) as peer,
        small_proxy() as proxy,
        caller(AIOHTTP, peer.port, tls=trust, proxy=Proxy(proxy.url)) as to,
    ):
        reply = await to.send()
        assert await reply.read() == b"first"
        proxy.cut()
        with pytest.raises(ConnectionLost):
            await reply.read()
        reply.close()


async def test_a_caller_that_leaves_closes_its_tunnel(authority: Authority) -> None:
    trust = client_context(authority.file)
    async with (
        upstream(saying(b""), authority.server()) as peer,
        small_proxy() as proxy,
        caller(AIOHTTP, peer.port, tls=trust, proxy=Proxy(proxy.url)) as to,
    ):
        task = asyncio.create_task(to.ask())
        await eventually(lambda: len(peer.heads) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(PATIENCE_S):
            await peer.gone.wait()


async def test_a_stale_tunnel_is_opened_anew_once() -> None:
    async with (
        upstream(closing_after(OK, b"")) as peer,
        small_proxy() as proxy,
        caller(AIOHTTP, peer.port, proxy=Proxy(proxy.url)) as to,
    ):
        assert await to.ask() == b"ok"
        assert await to.ask() == b"ok"
        assert (to.traffic.retried, len(proxy.targets)) == (1, 2)


async def test_the_environment_chooses_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    async with upstream(always_ok) as peer, caller(AIOHTTP, peer.port) as to:
        assert await to.ask() == b"ok"
