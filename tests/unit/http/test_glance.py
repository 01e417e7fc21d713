"""What is told of a request at a glance: only the plainest are told to be whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.http.glance import Glance, body_length

HEAD = b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"


def test_a_plain_request_is_whole_with_its_last_byte() -> None:
    glance = Glance()
    for _ in range(2):  # the second time the head is known
        assert glance.is_whole(HEAD + b"abcde")
        assert not glance.is_whole(HEAD + b"abcd")
        assert not glance.is_whole(HEAD + b"abcdef")
        assert not glance.is_whole(HEAD[:-1])


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace(b"HTTP/1.1", b"HTTP/1.0"),
        HEAD.replace(b"Content-Length: 5\r\n", b""),
        HEAD.replace(b"Host: a\r\n", b"Host: a\r\ncontent-length: 5\r\n"),
        HEAD.replace(b"Content-Length: 5", b"Content-Length: 5, 5"),
        HEAD.replace(b"Content-Length: 5", b"Content-Length: +5"),
        HEAD.replace(b"Content-Length: 5", b"Content-Length: 0005000000000"),
        HEAD.replace(b"Content-Length: 5", b"Content-Length : 5"),
        HEAD.replace(b"Content-Length: 5", b"X-Content-Length: 5"),
        HEAD.replace(b"Host: a", b"Transfer-Encoding: chunked"),
        HEAD.replace(b"Host: a", b"Expect: 100-continue"),
        HEAD.replace(b"Host: a", b"Upgrade: h2c"),
        HEAD.replace(b"keep-alive", b"close"),
        HEAD.replace(b"Host: a\r\n", b"Host: a\r\n folded\r\n"),
        HEAD.replace(b"Host: a\r\n", b"Host: a\n"),
        HEAD.replace(b"Host: a\r\n", b"Host: a\r"),
        HEAD.replace(b"Host: a", b"Host: \x00"),
    ],
)
def test_anything_else_is_left_to_the_parser(head: bytes) -> None:
    assert body_length(head) == -1
    assert not Glance().is_whole(head + b"abcde")


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_no_bytes_break_it(head: bytes, body: bytes) -> None:
    Glance().is_whole(head + b"\r\n\r\n" + body)


def test_heads_are_not_remembered_without_bound() -> None:
    glance = Glance()
    for number in range(2000):
        assert glance.is_whole(HEAD.replace(b"Host: a", b"Host: a%d" % number) + b"abcde")
    assert len(glance._known) <= 512
