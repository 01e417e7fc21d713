"""The load reads answers as they were sent, however they are cut into reads."""

import pytest

from benchmarks.responses import ResponseReader

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 503 Busy\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("sent", [PLAIN, CHUNKED])
def test_reads_may_be_cut_anywhere(sent: bytes, step: int) -> None:
    reader = ResponseReader()
    body = b""
    for at in range(0, len(sent), step):
        assert not reader.is_done
        body += reader.feed(sent[at : at + step])
    assert reader.is_done
    assert body == b"hello"
    assert reader.status == (200 if sent is PLAIN else 503)
    assert reader.closes == (sent is PLAIN)


def test_a_reader_is_used_again() -> None:
    reader = ResponseReader()
    reader.feed(CHUNKED)
    reader.reset()
    assert reader.feed(PLAIN) == b"hello"
    assert reader.is_done


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (PLAIN + b"!", "1 bytes came after"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", "neither length nor chunks"),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", "not HTTP/1.1"),
    ],
)
def test_what_cannot_be_told_apart_is_an_error(sent: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ResponseReader().feed(sent)
