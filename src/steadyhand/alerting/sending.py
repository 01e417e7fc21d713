"""Send one message to one webhook. Blocks; one connection a message, no redirects."""

import http.client
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from steadyhand import __version__
from steadyhand.core.errors import ConfigurationError

MOST_ANSWER: Final = 4_096
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class Sent(NamedTuple):
    """What came of it.

    Attributes:
        problem: Empty if the receiver took the message.
        wish_s: How long the receiver asks to wait, ``None`` for no word.
    """

    problem: str
    wish_s: float | None = None


def check_address(url: str) -> None:
    """Refuse an address that messages cannot or should not go to.

    Raises:
        ConfigurationError: It is no https address, nor http on this machine.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return
    raise ConfigurationError(
        "a webhook's address is neither https nor http on this machine",
        hint="alerts name tenants and routes; they do not travel in the clear",
    )


def send(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Sent:
    """Send ``body`` and wait for the receiver's word, ``timeout_s`` in all."""
    parts = urlsplit(url)
    connection = _connection(parts, timeout_s)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {"content-type": "application/json", "user-agent": f"steadyhand/{__version__}"}
    # A receiver that answers a byte now and then never meets a time limit of single reads.
    late = threading.Event()
    watch = threading.Timer(timeout_s, _cut, (connection, late))
    watch.start()
    try:
        connection.request("POST", target, body, {**sent, **headers})
        answer = connection.getresponse()
        answer.read(MOST_ANSWER)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if late.is_set() or isinstance(error, TimeoutError):
            return Sent(f"no whole answer within {timeout_s:g} s")
        return Sent(f"{type(error).__name__}: {error}"[:200])
    finally:
        watch.cancel()
        connection.close()
    if 200 <= answer.status < 300:
        return Sent("")
    return Sent(f"status {answer.status}", _wish(answer.getheader("retry-after")))


def _connection(parts: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme != "https":
        return http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=context)


def _cut(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(2)


def _wish(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None  # a date; the next try comes soon enough
