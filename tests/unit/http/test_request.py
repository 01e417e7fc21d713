import gzip
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.http.limits import ServerLimits
from steadyhand.http.messages import Request
from steadyhand.http.refusal import Refusal
from steadyhand.http.request import BETWEEN, RequestReader

LIMITS = ServerLimits(max_head_bytes=2_000, max_body_bytes=5_000)
POST = b"POST /v1/chat?x=1 HTTP/1.1\r\nHost: h\r\n"


class Inbox:
    """Takes what a reader delivers."""

    def __init__(self, limits: ServerLimits = LIMITS) -> None:
        self.seen: list[tuple[Request, bool, bool]] = []
        self.reader = RequestReader(
            limits, "1.2.3.4", lambda *delivered: self.seen.append(delivered)
        )

    def feed(self, *parts: bytes) -> list[Request]:
        for at, part in enumerate(parts):
            self.reader.feed(part, float(at))
        return [request for request, _, _ in self.seen]


def refusal_of(*parts: bytes) -> int:
    with pytest.raises(Refusal) as caught:
        Inbox().feed(*parts)
    return caught.value.status


def test_a_request_is_taken_apart() -> None:
    (request,) = Inbox().feed(
        POST + b"X-A: 1\r\nx-a:  2 \r\nContent-Le", b"ngth: 4\r\n\r\nbo", b"dy"
    )
    assert (request.method, request.path, request.query) == (b"POST", b"/v1/chat", b"x=1")
    assert request.headers == {b"host": b"h", b"x-a": b"1, 2", b"content-length": b"4"}
    assert (request.body, request.peer) == (b"body", "1.2.3.4")
    assert (request.begun_s, request.received_s) == (0.0, 2.0)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"http://h:1/v1/models?a=b", b"/v1/models", b"a=b"),
        (b"HTTPS://h", b"/", b""),
        (b"http://h?a", b"/", b"a"),
        (b"*", b"*", b""),
        (b"/a%2Fb//?", b"/a%2Fb//", b""),
        (b"/a?x=http://y/z", b"/a", b"x=http://y/z"),
    ],
)
def test_targets_of_every_form_give_path_and_query(
    target: bytes, path: bytes, query: bytes
) -> None:
    (request,) = Inbox().feed(b"OPTIONS " + target + b" HTTP/1.1\r\nHost: h\r\n\r\n")
    assert (request.path, request.query) == (path, query)


@pytest.mark.parametrize(
    "head",
    [
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        POST + b"Content-Length: 3\r\nContent-Length: 4\r\n",
        POST + b"Content-Length: 3, 3\r\n",
        POST + b"Content-Length: +3\r\n",
        POST + b"Content-Length: -1\r\n",
        POST + b"Content-Length: 0x3\r\n",
        POST + b"Content-Length: 99999999999999999999999\r\n",
        POST + b"Transfer-Encoding: gzip\r\n",
        POST + b"Transfer-Encoding: gzip, chunked\r\n",
        POST + b"Transfer-Encoding: chunked, chunked\r\n",
        POST + b"Transfer-Encoding: xchunked\r\n",
        POST + b"Transfer-Encoding : chunked\r\n",
        POST + b"Transfer-Encoding:\x0bchunked\r\n",
        POST + b"X: a\r\n b\r\n",
        POST + b"X: a\x00b\r\n",
        POST + b"X: a\nY: b\r\n",
        POST + b"X: a\rY: b\r\n",
        POST + b"X\r\n",
        POST + b": x\r\n",
        POST + b"Host: other\r\n",
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nHost: a, b\r\n",
        b"GET / HTTP/2.0\r\nHost: h\r\n",
        b"GET / HTTP/1.7\r\nHost: h\r\n",
        b"GET /\r\n",
        b"GET  HTTP/1.1\r\nHost: h\r\n",
        b"GET / HTTP/1.1 \r\nHost: h\r\n",
        b"get / HTTP/1.1\r\nHost: h\r\n",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_heads_that_two_servers_could_read_differently_are_400(head: bytes) -> None:
    assert refusal_of(head + b"\r\n") == 400


@pytest.mark.parametrize(
    "body",
    [
        b"3\nabc\r\n0\r\n\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"3\r\nabc\n0\r\n\r\n",
        b"-3\r\nabc\r\n0\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b" 3\r\nabc\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        b"3;a\nb\r\nabc\r\n0\r\n\r\n",
        b"g\r\n",
        b"0\r\nContent-Length: 3\r\n\r\n",
    ],
)
def test_broken_chunks_are_400(body: bytes) -> None:
    assert refusal_of(POST + b"Transfer-Encoding: chunked\r\n\r\n" + body) == 400


def test_chunk_extensions_and_trailers_are_read_and_dropped() -> None:
    (request,) = Inbox().feed(
        POST + b"Transfer-Encoding: Chunked\r\n\r\n"
        b'3;a=b;c="d;e"\r\nabc\r\n0002\r\nde\r\n0;last\r\nHost: other\r\nX-T: 1\r\n\r\n'
    )
    assert request.body == b"abcde"
    assert set(request.headers) == {b"host", b"transfer-encoding"}


def test_a_body_of_tiny_chunks_is_put_together() -> None:
    chunks = b"".join(b"1\r\n%c\r\n" % (97 + n % 26) for n in range(4_000))
    (request,) = Inbox().feed(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert type(request.body) is bytes
    assert request.body == bytes(97 + n % 26 for n in range(4_000))


@pytest.mark.parametrize("coding", [b"gzip", b"GZIP", b"x-gzip"])
def test_gzip_bodies_are_decoded(coding: bytes) -> None:
    body = gzip.compress(b'{"a": 1}')
    (request,) = Inbox().feed(
        POST + b"Content-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding, len(body)), body
    )
    assert request.body == b'{"a": 1}'


def test_the_next_request_after_a_gzip_body_is_not_decoded() -> None:
    body = gzip.compress(b"1")
    first = POST + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    requests = Inbox().feed(first + POST + b"Content-Length: 1\r\n\r\n2")
    assert [request.body for request in requests] == [b"1", b"2"]


@pytest.mark.parametrize("coding", [b"br", b"zstd", b"deflate", b"gzip, gzip"])
def test_other_codings_are_415_before_the_body(coding: bytes) -> None:
    assert refusal_of(POST + b"Content-Encoding: %b\r\nContent-Length: 9\r\n\r\n" % coding) == 415


def test_what_claims_to_be_gzip_and_is_not_is_400() -> None:
    assert refusal_of(POST + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}") == 400


def test_a_gzip_bomb_is_413() -> None:
    body = gzip.compress(bytes(1_000_000))
    head = POST + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert len(body) < LIMITS.max_body_bytes
    assert refusal_of(head + body) == 413


def test_a_declared_length_over_the_limit_is_413_without_reading() -> None:
    assert refusal_of(POST + b"Content-Length: 5001\r\n\r\n") == 413
    Inbox().feed(POST + b"Content-Length: 5000\r\n\r\n" + bytes(5_000))


def test_chunks_over_the_limit_are_413() -> None:
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    assert refusal_of(head, b"1388\r\n" + bytes(5_000) + b"\r\n1\r\nx") == 413


@pytest.mark.parametrize(
    "parts",
    [
        (POST + b"X: " + b"a" * 2_000,),
        (POST + b"X: " + b"a" * 2_000 + b"\r\n\r\n",),
        (POST + b"".join(b"X%d: 1\r\n" % n for n in range(400)) + b"\r\n",),
        (b"GET /" + b"a" * 2_000,),
        (b"GET /" + b"a" * 1_000, b"a" * 1_001),
        (POST + b"\r\n" + POST, b"X: " + b"a" * 2_000),
    ],
)
def test_a_head_over_the_limit_is_431(parts: tuple[bytes, ...]) -> None:
    assert refusal_of(*parts) == 431


@pytest.mark.parametrize("rest", [b"3;" + b"x" * 700, b"0\r\nX: " + b"x" * 700])
def test_endless_extensions_and_trailers_are_431(rest: bytes) -> None:
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    assert refusal_of(head, rest, b"y" * 700, b"z" * 700) == 431


def test_connect_is_refused_and_other_expectations_are_417() -> None:
    assert refusal_of(b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n") == 405
    assert refusal_of(POST + b"Expect: x\r\nContent-Length: 1\r\n\r\n") == 417


def test_a_request_that_expects_100_says_so_until_its_body_came() -> None:
    inbox = Inbox()
    inbox.feed(POST + b"Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n")
    assert inbox.reader.expects_continue
    inbox.feed(b"x")
    assert not inbox.reader.expects_continue
    assert inbox.reader.phase == BETWEEN


@pytest.mark.parametrize(
    ("head", "http11", "keep_alive"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\n", True, True),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n", True, True),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n", True, False),
        (b"GET / HTTP/1.0\r\n", False, False),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n", False, True),
    ],
)
def test_version_and_connection_say_whether_it_stays_open(
    head: bytes, http11: bool, keep_alive: bool
) -> None:
    inbox = Inbox()
    inbox.feed(head + b"\r\n")
    assert inbox.seen[0][1:] == (http11, keep_alive)


def test_an_absolute_target_names_the_host() -> None:
    absolute = b"GET http://other:1/p HTTP/1.1\r\nHost: h\r\n\r\n"
    plain = b"GET /p HTTP/1.1\r\nHost: h\r\n\r\n"
    requests = Inbox().feed(absolute + plain + absolute + absolute + plain)
    hosts = [request.headers[b"host"] for request in requests]
    assert hosts == [b"other:1", b"h", b"other:1", b"other:1", b"h"]
    assert {request.path for request in requests} == {b"/p"}


def test_the_same_target_is_judged_again_for_another_method() -> None:
    star = b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"
    assert len(Inbox().feed(star * 2)) == 2
    assert refusal_of(star, b"GET * HTTP/1.1\r\nHost: h\r\n\r\n") == 400


def test_a_length_that_no_number_holds_is_400() -> None:
    inbox = Inbox(ServerLimits())
    with pytest.raises(Refusal) as caught:
        inbox.feed(POST + b"Content-Length: " + b"0" * 5_000 + b"1\r\n\r\nx")
    assert caught.value.status == 400


@pytest.mark.parametrize("name", [b"X%d: \r\n", b"X:%d\r\n"])
def test_too_many_fields_are_431(name: bytes) -> None:
    limits = ServerLimits(max_fields=50)
    many = b"".join(name % n for n in range(60))
    for head in (POST + many + b"\r\n", POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + many):
        inbox = Inbox(limits)
        if name.startswith(b"X%") and b"chunked" in head:
            inbox.feed(head + b"\r\n")  # trailers are bounded by their bytes, and dropped
            continue
        with pytest.raises(Refusal) as caught:
            inbox.feed(head)
        assert (caught.value.status, caught.value.code) == (431, "request_head_too_large")


def test_chunk_framing_is_bounded_by_the_body_that_it_carries() -> None:
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    fat = b"1;" + b"x" * 700 + b"\r\na\r\n"
    assert refusal_of(head, *[fat] * 5) == 431
    thin = [b"1\r\na\r\n"] * 4_000
    assert len(Inbox().feed(head, *thin, b"0\r\n\r\n")[0].body) == 4_000


@pytest.mark.parametrize("connection", [b"close, keep-alive", b"Keep-Alive, Close"])
def test_http10_that_wants_both_is_400(connection: bytes) -> None:
    assert refusal_of(b"GET / HTTP/1.0\r\nConnection: %b\r\n\r\n" % connection) == 400


H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"


@pytest.mark.parametrize("length", [0, 5])
def test_an_upgrade_is_ignored_and_the_body_read(length: int) -> None:
    raw = POST + H2C + b"Content-Length: %d\r\n\r\n" % length + b"x" * length
    inbox = Inbox()
    requests = inbox.feed(raw + raw + POST + b"\r\n")
    assert [request.body for request in requests] == [b"x" * length, b"x" * length, b""]
    assert inbox.seen[0][1:] == (True, True)


def test_an_upgrade_with_a_chunked_body_in_parts_is_read() -> None:
    requests = Inbox().feed(
        POST + H2C + b"Transfer-Encoding: chunked\r\n\r\n2\r\na", b"b\r\n0\r\n\r\n"
    )
    assert [request.body for request in requests] == [b"ab"]


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail_otherwise_than_by_refusal(noise: bytes) -> None:
    with suppress(Refusal):
        Inbox().feed(POST + noise, noise)
