"""Send one body to somebody who is not on the request path, and wait for the word. Blocks.

One connection a body, no redirects, and one time limit for the whole.
"""

import http.client
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from steadyhand import __version__

MOST_ANSWER: Final = 65_536


class Posted(NamedTuple):
    """What came of it.

    Attributes:
        status: 0 if no answer came.
        body: The first of the answer.
        retry_after_s: How long the receiver asks to wait, ``None`` for no word.
        problem: Why no whole answer came; empty if one did.
        is_late: Whether that is because its time was up.
    """

    status: int
    body: bytes = b""
    retry_after_s: float | None = None
    problem: str = ""
    is_late: bool = False


def post(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Posted:
    """Send ``body`` and wait for the receiver's word, ``timeout_s`` in all."""
    too_late = Posted(0, problem=f"no whole answer within {timeout_s:g} s", is_late=True)
    parts = urlsplit(url)
    connection = _connection(parts, timeout_s)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    # A receiver that answers a byte now and then never meets a time limit of single reads.
    late = threading.Event()
    watch = threading.Timer(timeout_s, _cut, (connection, late))
    watch.start()
    try:
        agent = {"user-agent": f"steadyhand/{__version__}"}
        connection.request("POST", target, body, {**agent, **headers})
        answer = connection.getresponse()
        said = answer.read(MOST_ANSWER)
    except (OSError, http.client.HTTPException, ValueError) as error:
        if late.is_set() or isinstance(error, TimeoutError):
            return too_late
        return Posted(0, problem=f"{type(error).__name__}: {error}"[:200])
    finally:
        watch.cancel()
        connection.close()
    if late.is_set():  # what was read until then ends as if it were whole where no length is said
        return too_late
    if answer.length and len(said) < MOST_ANSWER:
        return Posted(answer.status, problem="the answer was cut off")
    return Posted(answer.status, said, _wish(answer.getheader("retry-after")))


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
