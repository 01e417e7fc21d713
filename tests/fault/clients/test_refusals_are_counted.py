"""Each reason for which the listener refuses is reached on an installation, and counted."""

from collections.abc import Iterator
from contextlib import ExitStack
from socket import create_connection, socket

import pytest

from steadyhand.http.refusal import CODES
from tests.support.installations import Installation, Upstreams, serving
from tests.support.programs import eventually
from tests.support.raw_client import Line

POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\n"
REQUESTS = {
    "bad_request": POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "expectation_failed": POST + b"Expect: miracles\r\nContent-Length: 1\r\n\r\n",
    "method_not_allowed": b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n",
    "request_head_too_large": POST + b"X: " + b"x" * 3_000,
    "request_timeout": POST + b"Content-Length: 9\r\n\r\nabc",
    "request_too_large": POST + b"Content-Length: 999999\r\n\r\n",
    "unsupported_content_encoding": POST + b"Content-Encoding: br\r\nContent-Length: 1\r\n\r\n",
}
SETTINGS = {
    "PROCESSES": "1",
    "MAX_CONNECTIONS": "6",
    "MAX_CONNECTIONS_PER_CLIENT": "4",
    "MAX_HEAD_BYTES": "2048",
    "MAX_BODY_BYTES": "65536",
    "BODY_TIMEOUT_S": "0.5",
}


@pytest.fixture(scope="module")
def narrow_house(
    tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams
) -> Iterator[Installation]:
    """An installation with small limits."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(f"STEADYHAND_SERVER__{name}", value)
        with serving(tmp_path_factory.mktemp("narrow"), upstreams) as made:
            yield made


def counted(house: Installation, reason: str) -> float:
    """Return what control says of the refusals for one reason."""
    with Line(house.control_port) as line:
        text = line.ask("GET", "/metrics", {"Host": "localhost"}).body.decode()
    lines = [
        line
        for line in text.splitlines()
        if line.startswith("steadyhand_http_refused_total") and f'reason="{reason}"' in line
    ]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def said_to(house: Installation, sock: socket) -> bytes:
    """Read to the end of the connection."""
    with sock.makefile("rb") as reader:
        return reader.read()


@pytest.mark.parametrize("reason", REQUESTS)
def test_a_refused_request_is_counted_by_its_code(narrow_house: Installation, reason: str) -> None:
    before = counted(narrow_house, reason)
    with create_connection(("127.0.0.1", narrow_house.port), 30) as sock:
        sock.sendall(REQUESTS[reason])
        assert f'"code":"{reason}"'.encode() in said_to(narrow_house, sock)
    eventually(lambda: counted(narrow_house, reason) == before + 1, f"{reason} to be counted")


def test_refused_connections_are_counted_by_their_code(narrow_house: Installation) -> None:
    address = ("127.0.0.1", narrow_house.port)
    with ExitStack() as held:
        for reason, source, count in (
            ("too_many_connections_of_client", "127.0.0.1", 4),
            ("too_many_connections", "127.0.0.2", 2),
        ):
            for _ in range(count):
                held.enter_context(create_connection(address, 30, (source, 0)))
            with create_connection(address, 30, (source, 0)) as sock:
                assert f'"code":"{reason}"'.encode() in said_to(narrow_house, sock)
            eventually(lambda: counted(narrow_house, reason) >= 1, f"{reason} to be counted")  # noqa: B023  asked at once


def test_no_reason_is_left_out() -> None:
    elsewhere = {"too_many_connections", "too_many_connections_of_client", "overloaded"}
    assert set(CODES) == REQUESTS.keys() | elsewhere, "overloaded is reached by test_overload.py"
