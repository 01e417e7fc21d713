"""TLS on both sides, with certificates made for the test."""

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from steadyhand.http.failures import ConnectFailed
from steadyhand.http.limits import PoolLimits
from steadyhand.http.messages import Reply, Request
from steadyhand.http.origin import Origin, request_head
from steadyhand.http.pool import Pool
from steadyhand.http.tls import client_context, server_context
from tests.support.wire import serving, within


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


def issued(authority: trustme.CA, tmp_path: Path, name: str) -> ssl.SSLContext:
    certificate = authority.issue_cert(name)
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    (tmp_path / "cert.pem").write_bytes(b"".join(p.bytes() for p in certificate.cert_chain_pems))
    return server_context(tmp_path / "cert.pem", tmp_path / "key.pem")


async def echo(request: Request, reply: Reply) -> None:
    reply.start(200, ())
    reply.write(request.body)
    reply.end()


async def ask(pool: Pool, body: bytes) -> bytes:
    head = request_head(b"POST", b"/", pool.origin, (), len(body))
    reply = await pool.send(head, body, within())
    try:
        return await reply.read_all(10_000_000)
    finally:
        reply.close()


async def test_client_and_server_speak_over_tls(
    authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    tls = issued(authority, tmp_path, "localhost")
    async with serving(echo, tls=tls) as server:
        pool = Pool(
            Origin.parse(f"https://localhost:{server.port}"), PoolLimits(), client_context(ca_file)
        )
        for body in (b"small", bytes(3_000_000), b""):
            assert await ask(pool, body) == body
        assert (pool.traffic.opened, pool.traffic.reused) == (1, 2)
        (connection,) = pool._live
        tls_object = connection._transport.get_extra_info("ssl_object")
        assert tls_object.selected_alpn_protocol() == "http/1.1"
        assert tls_object.version() in ("TLSv1.2", "TLSv1.3")
        await pool.close()


async def test_sessions_are_resumed(authority: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    tls = issued(authority, tmp_path, "localhost")
    context = client_context(ca_file)
    async with serving(echo, tls=tls) as server:
        resumed = []
        for _ in range(3):
            pool = Pool(Origin.parse(f"https://localhost:{server.port}"), PoolLimits(), context)
            assert await ask(pool, b"x") == b"x"
            (connection,) = pool._live
            tls_object = connection._transport.get_extra_info("ssl_object")
            resumed.append(tls_object.session_reused)
            await pool.close()
        assert resumed == [False, True, True]


async def test_a_certificate_for_another_name_is_refused(
    authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    async with serving(echo, tls=issued(authority, tmp_path, "other.example")) as server:
        pool = Pool(
            Origin.parse(f"https://localhost:{server.port}"), PoolLimits(), client_context(ca_file)
        )
        with pytest.raises(ConnectFailed, match=r"(?i)certificate"):
            await ask(pool, b"x")
        assert pool.busy == 0
        await pool.close()


async def test_an_unknown_authority_is_refused(authority: trustme.CA, tmp_path: Path) -> None:
    async with serving(echo, tls=issued(authority, tmp_path, "localhost")) as server:
        pool = Pool(Origin.parse(f"https://localhost:{server.port}"), PoolLimits())
        with pytest.raises(ConnectFailed, match=r"(?i)certificate"):
            await ask(pool, b"x")
        await pool.close()


async def test_plain_http_to_a_tls_port_and_back_are_refused(
    authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    async with serving(echo, tls=issued(authority, tmp_path, "localhost")) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert b"HTTP" not in await reader.read()
        writer.close()
    async with serving(echo) as server:
        pool = Pool(
            Origin.parse(f"https://localhost:{server.port}"), PoolLimits(), client_context(ca_file)
        )
        with pytest.raises(ConnectFailed):
            await ask(pool, b"x")
        await pool.close()


def test_old_protocols_are_off(authority: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    for context in (client_context(ca_file), issued(authority, tmp_path, "localhost")):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert client_context().verify_mode == ssl.CERT_REQUIRED
