"""TLS that fails, stalls, or ends without a goodbye."""

import datetime
import socket
import ssl
import time

import pytest
import trustme

from steadyhand.http.addresses import Address
from steadyhand.http.failures import ConnectionLost, ConnectTimedOut, TlsFailed
from steadyhand.http.limits import PoolLimits
from steadyhand.http.tls import client_context
from tests.support.client import ask, pool_at
from tests.support.hostile_upstream import CHUNKED, OK, Play, Visit, hostile, polite
from tests.support.wire import eventually, within


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return client_context(path)


def presenting(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture(scope="module")
def good(authority: trustme.CA) -> ssl.SSLContext:
    return presenting(authority.issue_cert("localhost"))


def securely(context: ssl.SSLContext, play: Play) -> Play:
    def secured(visit: Visit) -> None:
        visit.secure(context)
        play(visit)

    return secured


async def test_a_certificate_for_another_host_is_refused(
    authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    wrong = presenting(authority.issue_cert("elsewhere.example"))
    with hostile(securely(wrong, polite)) as peer:
        async with pool_at(peer.port, host="localhost", tls=trusting) as pool:
            with pytest.raises(TlsFailed, match=r"(?i)localhost"):
                await ask(pool)
            assert (pool.busy, pool.traffic.tls_failed, pool.traffic.opened) == (0, 1, 0)


async def test_an_authority_of_its_own_is_refused(trusting: ssl.SSLContext) -> None:
    own = presenting(trustme.CA().issue_cert("localhost"))
    with hostile(securely(own, polite)) as peer:
        async with pool_at(peer.port, host="localhost", tls=trusting) as pool:
            with pytest.raises(TlsFailed, match=r"(?i)certificate verify failed"):
                await ask(pool)
            assert pool.traffic.tls_failed == 1


async def test_an_expired_certificate_is_refused(
    authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    expired = presenting(authority.issue_cert("localhost", not_after=past))
    with hostile(securely(expired, polite)) as peer:
        async with pool_at(peer.port, host="localhost", tls=trusting) as pool:
            with pytest.raises(TlsFailed, match="expired"):
                await ask(pool)


async def test_a_handshake_that_stalls_is_a_timeout(trusting: ssl.SSLContext) -> None:
    with hostile(lambda visit: visit.until_gone()) as peer:
        async with pool_at(peer.port, host="localhost", tls=trusting) as pool:
            begun_s = time.monotonic()
            with pytest.raises(ConnectTimedOut):
                await ask(pool, within(connect_s=0.3))
            assert time.monotonic() - begun_s < 5
            await eventually(lambda: pool.busy == 0)
            assert pool.traffic.connect_timed_out == 1


def resets_in_the_handshake(visit: Visit) -> None:
    visit.hello()
    visit.reset()


@pytest.mark.parametrize(
    "play",
    [
        resets_in_the_handshake,
        lambda visit: visit.hello(),
        lambda visit: visit.say(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        lambda visit: visit.say(b"\x15\x03\x03\x00\x02\x02\x28"),  # alert: handshake failure
    ],
    ids=["reset", "closed", "not-tls", "alert"],
)
async def test_a_broken_handshake_is_a_failure_of_tls(play: Play, trusting: ssl.SSLContext) -> None:
    with hostile(play) as peer:
        async with pool_at(peer.port, host="localhost", tls=trusting) as pool:
            with pytest.raises(TlsFailed):
                await ask(pool)
            assert (pool.busy, pool.traffic.tls_failed) == (0, 1)


async def test_the_next_address_is_tried_where_a_handshake_breaks(
    good: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    def both(host: str, port: int) -> list[Address]:
        assert host == "localhost"
        return [Address(socket.AF_INET, (f"127.0.0.{n}", port)) for n in (1, 2)]

    with (
        hostile(resets_in_the_handshake) as broken,
        hostile(securely(good, polite), host="127.0.0.2", port=broken.port) as peer,
    ):
        async with pool_at(
            peer.port, PoolLimits(max_idle=0), host="localhost", tls=trusting, lookup=both
        ) as pool:
            for _ in range(3):
                assert await ask(pool) == b"ok"
            assert len(broken.visits) == 1, "what failed is tried last"
            assert (pool.traffic.tls_failed, pool.traffic.opened) == (0, 3)


TO_THE_END = b"HTTP/1.1 200 OK\r\n\r\nto the end"


@pytest.mark.parametrize("raw", [TO_THE_END, b"HTTP/1.0 200 OK\r\n\r\nto the end"])
async def test_a_body_that_ends_with_a_goodbye_is_whole(
    raw: bytes, good: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    def play(visit: Visit) -> None:
        visit.request()
        visit.say(raw)
        visit.goodbye()

    with hostile(securely(good, play)) as peer:
        async with pool_at(peer.port, host="localhost", tls=trusting) as pool:
            assert await ask(pool) == b"to the end"
            assert (pool.idle, pool.busy) == (0, 0)


@pytest.mark.parametrize(
    "raw",
    [
        TO_THE_END,
        b"HTTP/1.0 200 OK\r\n\r\nto the end",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nto the",
        CHUNKED + b"6\r\nto the\r\n",
    ],
)
async def test_a_body_that_ends_without_a_goodbye_was_cut_off(
    raw: bytes, good: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    def play(visit: Visit) -> None:
        visit.request()
        visit.say(raw)
        visit.rudely()

    with hostile(securely(good, play)) as peer:
        async with pool_at(peer.port, host="localhost", tls=trusting) as pool:
            with pytest.raises(ConnectionLost):
                await ask(pool)
            assert pool.busy == 0


async def test_a_whole_body_needs_no_goodbye(
    good: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    def play(visit: Visit) -> None:
        visit.request()
        visit.say(OK)
        visit.rudely()

    with hostile(securely(good, play), securely(good, polite)) as peer:
        async with pool_at(peer.port, host="localhost", tls=trusting) as pool:
            assert await ask(pool) == b"ok"
            await eventually(lambda: pool.idle == 0)
            assert await ask(pool) == b"ok"


async def test_a_stale_connection_is_repaired_over_tls_too(
    good: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    def dies_of_the_second(visit: Visit) -> None:
        visit.request()
        visit.say(OK)
        visit.request()

    with hostile(securely(good, dies_of_the_second), securely(good, polite)) as peer:
        async with pool_at(peer.port, host="localhost", tls=trusting) as pool:
            assert [await ask(pool) for _ in range(3)] == [b"ok"] * 3
            assert pool.traffic.retried == 1
