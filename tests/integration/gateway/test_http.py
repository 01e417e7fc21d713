"""HTTP/1.1 as real clients and strange ones speak it, through the whole gateway."""

import gzip
import socket

import pytest

from tests.support.installations import (
    CHAT,
    KEY,
    MAX_BODY_BYTES,
    Installation,
    chat_body,
    chat_request,
    marker,
)
from tests.support.raw_client import Answer, Line, request_bytes

AUTHORIZED = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}


def head(*lines: str, host: str = "gateway.test", version: str = "1.1") -> bytes:
    """Write the head of a chat request with further header lines."""
    first = [f"POST {CHAT} HTTP/{version}", f"Host: {host}", f"Authorization: Bearer {KEY}"]
    return "\r\n".join((*first, *lines, "", "")).encode()


def refused(answer: Answer, status: int) -> None:
    """Check a refusal by the listener: the client's shape, an id, a connection that closes."""
    assert answer.status == status
    assert answer.error["type"] in ("invalid_request_error", "server_error")
    assert answer.headers["connection"] == "close"
    assert answer.headers["x-request-id"].startswith("req_")


def test_a_declared_length_over_the_bound_is_413_without_reading(house: Installation) -> None:
    with house.line() as line:
        line.send(head(f"Content-Length: {2 * 1024**3}"))
        answer = line.answer()
        refused(answer, 413)
        assert answer.error["code"] == "request_too_large"
        assert line.is_closed()


def test_a_body_that_will_be_413_gets_no_100_continue(house: Installation) -> None:
    with house.line() as line:
        line.send(head(f"Content-Length: {2 * 1024**3}", "Expect: 100-continue"))
        refused(line.answer(), 413)
        assert line.is_closed()


def test_a_body_that_is_welcome_gets_100_continue(house: Installation) -> None:
    body = chat_body("up/steady")
    with house.line() as line:
        line.send(head(f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert line.answer().status == 100
        line.send(body)
        assert line.answer().status == 200


def test_a_chunked_body_over_the_bound_is_413_when_it_passes_it(house: Installation) -> None:
    block = b"%x\r\n%b\r\n" % (1 << 20, b" " * (1 << 20))
    with house.line() as line:
        line.send(head("Transfer-Encoding: chunked"))
        for _ in range(MAX_BODY_BYTES // (1 << 20)):
            line.send(block)
        line.send(b"1\r\n \r\n")
        refused(line.answer(), 413)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP"])
def test_a_gzip_body_is_decoded_and_goes_upstream_plain(house: Installation, coding: str) -> None:
    word = marker()
    body = chat_body("up/steady", user=word)
    answer = house.ask("", body=gzip.compress(body), headers={"Content-Encoding": coding})
    assert answer.status == 200
    seen = house.upstream(word)
    assert seen["body"].encode() == body.replace(b"up/steady", b"steady")
    assert "content-encoding" not in dict(seen["headers"])


def test_a_coding_that_is_not_decoded_is_415(house: Installation) -> None:
    answer = house.ask("", body=b"x", headers={"Content-Encoding": "br"})
    refused(answer, 415)
    assert answer.error["code"] == "unsupported_content_encoding"


@pytest.mark.parametrize("body", [b"not gzip", gzip.compress(b"x" * 999, mtime=0)[:-9]])
def test_a_body_that_is_not_the_gzip_it_claims_to_be_is_400(
    house: Installation, body: bytes
) -> None:
    refused(house.ask("", body=body, headers={"Content-Encoding": "gzip"}), 400)


def test_a_gzip_bomb_is_413(house: Installation) -> None:
    bomb = gzip.compress(bytes(50_000_000), 9)
    refused(house.ask("", body=bomb, headers={"Content-Encoding": "gzip"}), 413)


@pytest.mark.parametrize("stream", [False, True])
def test_http_1_0_is_answered_without_chunks_and_closed(house: Installation, stream: bool) -> None:
    body = chat_body("up/steady", stream=stream)
    with house.line() as line:
        line.send(head(f"Content-Length: {len(body)}", version="1.0") + body)
        answer = line.answer()
        assert line.is_closed()
    assert answer.status == 200
    assert "transfer-encoding" not in answer.headers
    assert answer.text().startswith("You asked")


def test_http_1_0_with_keep_alive_stays_open(house: Installation) -> None:
    body = chat_body("up/steady")
    request = head(f"Content-Length: {len(body)}", "Connection: keep-alive", version="1.0") + body
    with house.line() as line:
        for _ in range(2):
            line.send(request)
            answer = line.answer()
            assert (answer.status, answer.headers["connection"]) == (200, "keep-alive")


@pytest.mark.parametrize("stream", [False, True])
def test_connection_close_is_obeyed(house: Installation, stream: bool) -> None:
    with house.line() as line:
        line.send(chat_request("up/steady", stream=stream, headers={"Connection": "close"}))
        answer = line.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert answer.is_whole
        assert line.is_closed()


def test_pipelined_requests_are_answered_in_order(house: Installation) -> None:
    models = ["up/steady:answer=one,ttft_ms=200", "up/steady:answer=two", "nowhere", "up/steady"]
    with house.line() as line:
        line.send(b"".join(chat_request(model, stream=model[-1] == "o") for model in models))
        answers = [line.answer() for _ in models]
    assert [answer.status for answer in answers] == [200, 200, 404, 200]
    assert [answers[0].text(), answers[1].text()] == ["one", "two"]


def test_a_chunked_body_with_extensions_and_trailers_is_read(house: Installation) -> None:
    word = marker()
    body = chat_body("up/steady", user=word)
    half = len(body) // 2
    with house.line() as line:
        line.send(
            head("Transfer-Encoding: chunked", "Trailer: X-Sum")
            + b'%x;name=value;quoted="a;b"\r\n%b\r\n' % (half, body[:half])
            + b"%X\r\n%b\r\n" % (len(body) - half, body[half:])
            + b"0;last\r\nX-Sum: 1\r\nAuthorization: Bearer other\r\n\r\n"
        )
        assert line.answer().status == 200
        assert line.ask("GET", "/healthz").status == 200
    assert house.upstream(word)["body"].encode() == body.replace(b"up/steady", b"steady")


def test_a_body_sent_byte_by_byte_is_read(house: Installation) -> None:
    whole = chat_request("up/steady")
    with house.line() as line:
        for byte in whole:
            line.send(bytes([byte]))
        assert line.answer().status == 200


def test_an_upgrade_to_h2c_is_ignored(house: Installation) -> None:
    wish = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAMAAABkAAQCAAAAAAIAAAAA",
    }
    with house.line() as line:
        line.send(chat_request("up/steady", headers=wish))
        answer = line.answer()
        assert (answer.status, answer.version) == (200, "HTTP/1.1")
        assert line.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: +5",),
        ("Content-Length: -1",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding : chunked",),
    ],
)
def test_two_lengths_or_an_odd_one_are_400(house: Installation, lines: tuple[str, ...]) -> None:
    with house.line() as line:
        line.send(head(*lines) + b"0\r\n\r\n")
        refused(line.answer(), 400)
        assert line.is_closed()


def test_the_second_request_behind_a_smuggled_one_is_never_answered(house: Installation) -> None:
    word = marker()
    smuggled = chat_request("up/steady", user=word)
    with house.line() as line:
        line.send(head("Content-Length: 4", "Transfer-Encoding: chunked") + b"0\r\n\r\n" + smuggled)
        refused(line.answer(), 400)
        assert line.is_closed()
    assert house.ask("up/steady").status == 200
    assert house.simulated.seen(word) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"POST " + CHAT.encode() + b" HTTP/9.9\r\nHost: a\r\n\r\n",
        b"POST " + CHAT.encode() + b" HTTP/1.1\r\n\r\n",
        b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["tls", "no-target", "version", "no-host", "two-hosts", "h2-preface"],
)
def test_what_is_no_http_1_request_is_400(house: Installation, raw: bytes) -> None:
    with house.line() as line:
        line.send(raw)
        refused(line.answer(), 400)


def test_a_head_over_the_bound_is_431(house: Installation) -> None:
    with house.line() as line:
        line.send(head("X-Long: " + "x" * 70_000))
        refused(line.answer(), 431)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/models", 200), ("/healthz", 200), ("/readyz", 200), (CHAT, 405), ("/nowhere", 404)],
)
def test_head_has_the_headers_of_get_and_no_body(
    house: Installation, path: str, status: int
) -> None:
    with house.line() as line:
        answer = line.ask("HEAD", path, AUTHORIZED)
        same = line.ask("GET", path, AUTHORIZED)
    assert (answer.status, same.status) == (status, status)
    assert answer.headers["content-length"] == same.headers["content-length"]


def test_options_is_answered_without_a_body(house: Installation) -> None:
    with house.line() as line:
        answer = line.ask("OPTIONS", CHAT)
        assert (answer.status, answer.headers["allow"]) == (204, "GET, POST, OPTIONS")
        assert line.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize(
    ("model", "stream"),
    [
        ("up/error-400", False),
        ("up/error-500", True),
        ("nowhere", False),
        ("up/steady", True),
        ("up/cut-mid-word", True),
        ("floored", True),
    ],
)
def test_a_connection_is_kept_after_errors_and_streams(
    house: Installation, model: str, stream: bool
) -> None:
    with house.line() as line:
        for _ in range(2):
            line.send(chat_request(model, stream=stream))
            first = line.answer()
            assert "connection" not in first.headers
            line.send(chat_request("up/steady"))
            assert line.answer().status == 200


def test_a_client_that_shuts_its_side_still_gets_its_answer(house: Installation) -> None:
    with socket.create_connection(("127.0.0.1", house.port), 30) as sock:
        sock.sendall(chat_request("up/slow:ttft_ms=300"))
        sock.shutdown(socket.SHUT_WR)
        with sock.makefile("rb") as reader:
            said = reader.read()
    interim, _, rest = said.partition(b"\r\n\r\n")
    assert interim == b"HTTP/1.1 100 Continue"
    assert b"HTTP/1.1 200 OK\r\n" in rest


def test_a_client_that_shuts_its_side_and_leaves_has_left(house: Installation) -> None:
    word = marker()
    with socket.create_connection(("127.0.0.1", house.port), 30) as sock:
        sock.sendall(chat_request("up/slow:ttft_ms=60000", user=word))
        sock.shutdown(socket.SHUT_WR)
        house.upstream(word)
    house.left(word)


def test_an_absolute_target_is_read_by_its_path(house: Installation) -> None:
    with house.line() as line:
        line.send(request_bytes("GET", "http://gateway.test/v1/models?x=1", AUTHORIZED))
        assert line.answer().json["object"] == "list"


def test_the_listener_answers_on_after_all_this(house: Installation) -> None:
    with Line(house.port) as line:
        assert line.ask("GET", "/readyz").json == {"status": "ready"}
