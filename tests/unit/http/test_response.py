from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.http.failures import MalformedResponse, ResponseTooLarge
from steadyhand.http.response import ResponseReader

OK = b"HTTP/1.1 200 OK\r\n"


def read(*parts: bytes, max_head_bytes: int = 2_000) -> ResponseReader:
    reader = ResponseReader(max_head_bytes)
    reader.begin()
    for part in parts:
        reader.feed(part)
    return reader


def test_a_response_is_taken_apart() -> None:
    reader = read(OK + b"X-A: 1\r\nx-a: 2\r\nContent-Length: 4\r\n\r\nbody")
    assert (reader.status, reader.complete, reader.keep_alive) == (200, True, True)
    assert reader.headers == {b"x-a": b"1, 2", b"content-length": b"4"}
    assert reader.take() == b"body"


@pytest.mark.parametrize(
    "raw",
    [
        OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        OK + b"Content-Length: x\r\n\r\n",
        OK + b"Transfer-Encoding: gzip\r\n\r\n",
        OK + b"X: a\r\n b\r\n\r\n",
        OK + b"X: a\x00\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 9 OK\r\n\r\n",
        b"HTTP/1.1 000 X\r\n\r\n",
        b"HTTP/1.1 103 X\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/2.0 100 X\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/0.9 200 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"<html></html>",
    ],
)
def test_what_is_not_http_that_we_accept_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedResponse):
        read(raw)


@pytest.mark.parametrize(
    "raw",
    [
        OK + b"X: " + b"a" * 2_000,
        OK + b"".join(b"X%d: 1\r\n" % n for n in range(400)) + b"\r\n",
        OK + b"X: " * 1_000,
    ],
)
def test_a_head_over_the_limit_is_too_large(raw: bytes) -> None:
    with pytest.raises(ResponseTooLarge):
        read(raw)


def test_interim_responses_are_skipped_and_leave_no_fields() -> None:
    interim = b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: y\r\n\r\n"
    reader = read(interim, OK + b"Content-Length: 0\r\n\r\n")
    assert reader.headers == {b"content-length": b"0"}
    assert reader.complete


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        (OK, True),
        (OK + b"Connection: close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", True),
    ],
)
def test_version_and_connection_say_whether_it_stays_open(head: bytes, keep_alive: bool) -> None:
    assert read(head + b"Content-Length: 0\r\n\r\n").keep_alive is keep_alive


def test_only_a_body_without_length_ends_with_the_stream() -> None:
    assert read(OK + b"\r\nabc").ends_with_stream()
    assert not read(OK + b"Content-Length: 9\r\n\r\nabc").ends_with_stream()
    assert not read(OK + b"Transfer-Encoding: chunked\r\n\r\n").ends_with_stream()
    assert not read(OK).ends_with_stream()


@pytest.mark.parametrize("extra", [b"x", b"HTTP/1.1 200 OK\r\n", OK + b"Content-Length: 0\r\n\r\n"])
def test_bytes_after_the_response_leave_it_whole_but_end_the_connection(extra: bytes) -> None:
    reader = read(OK + b"Content-Length: 2\r\n\r\nab" + extra)
    assert reader.complete
    assert not reader.keep_alive
    assert reader.take() == b"ab"


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_body_end_with_their_head(status: int) -> None:
    assert read(b"HTTP/1.1 %d X\r\nETag: 1\r\n\r\n" % status).complete


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail_otherwise_than_stated(noise: bytes) -> None:
    with suppress(MalformedResponse, ResponseTooLarge):
        read(OK + noise, noise)
