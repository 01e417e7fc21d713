"""Bodies that lie: bombs, broken streams, more than was said; and expectations before them."""

import gzip
import tracemalloc
import zlib

import pytest

from steadyhand.http.limits import ServerLimits
from tests.support.handlers import Noting
from tests.support.wire import client_of, serving

MIB = 1024 * 1024
POST = b"POST /p HTTP/1.1\r\nHost: h\r\n"


def gzipped(body: bytes) -> bytes:
    return POST + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.mark.parametrize("members", [1, 8])
async def test_a_bomb_is_413_in_bounded_memory(members: int) -> None:
    bomb = gzip.compress(bytes(256 * MIB // members), compresslevel=1) * members
    assert len(bomb) < 2 * MIB
    handler = Noting()
    async with serving(handler, ServerLimits(max_expansion=20)) as server:
        async with client_of(server) as client:
            wire = gzipped(bomb)
            tracemalloc.start()
            try:
                client.send(wire)
                response = await client.response()
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert response.status == 413
            assert peak < 96 * MIB
        assert server.refused["request_too_large"] == 1
        assert handler.paths == []


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b"{}", mtime=0)[:-1],
        gzip.compress(b"{}", mtime=0)[:10],
        gzip.compress(b"{}", mtime=0) + b"garbage",
        gzip.compress(b"{}", mtime=0) + b"\0",
        gzip.compress(b"{}", mtime=0)[:-8] + bytes(8),
        zlib.compress(b"{}"),
        gzip.compress(b"", mtime=0) * 17,
        b"\x1f\x8b",
        b"{}",
    ],
    ids=["cut", "head only", "garbage behind", "zero behind", "checksum", "zlib", "17 members",
         "magic", "plain"],
)  # fmt: skip
async def test_what_is_not_gzip_to_its_end_is_400(body: bytes) -> None:
    handler = Noting()
    async with serving(handler) as server, client_of(server) as client:
        client.send(gzipped(body))
        assert (await client.response()).status == 400
        assert await client.at_end()
        assert handler.paths == []


async def test_members_of_gzip_are_one_body() -> None:
    async with serving(Noting()) as server, client_of(server) as client:
        client.send(gzipped(gzip.compress(b"on") + gzip.compress(b"") + gzip.compress(b"e")))
        assert (await client.response()).body == b"/p one"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (b"Expect: 100-continue\r\nContent-Length: 99999\r\n", 413),
        (b"Expect: 100-continue\r\nContent-Encoding: br\r\nContent-Length: 3\r\n", 415),
        (b"Expect: 200-ok\r\nContent-Length: 3\r\n", 417),
        (b"Expect: 100-continue, x\r\nContent-Length: 3\r\n", 417),
        (b"Expect: 100-continue\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400),
    ],
)
async def test_who_waits_for_100_is_refused_before_the_body(fields: bytes, status: int) -> None:
    limits = ServerLimits(max_body_bytes=5_000)
    async with serving(Noting(), limits) as server, client_of(server) as client:
        client.send(POST + fields + b"\r\n")
        response = await client.response()
        assert (response.status, response.headers["connection"]) == (status, "close")
        assert await client.at_end()


async def test_a_chunked_body_without_end_is_413_at_the_bound() -> None:
    limits = ServerLimits(max_body_bytes=MIB)
    async with serving(Noting(), limits) as server, client_of(server) as client:
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(64):
            client.send(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        assert (await client.response()).status == 413


async def test_extensions_out_of_proportion_are_431() -> None:
    async with serving(Noting()) as server, client_of(server) as client:
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(64):
            client.send((b"1;" + b"x" * 16_000 + b"\r\na\r\n") * 2)
        assert (await client.response()).status == 431
