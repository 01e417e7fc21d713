"""The requests that every target gets, and the marker by which a prompt shapes its own answer.

The marker travels inside the prompt, so any gateway passes it on untouched and needs no setting:
``[[mock events=50 gap_us=20000]]``. Each request also carries a number that no other request has,
so that no cache answers it by accident.
"""

import json
import re
import time
from collections.abc import Iterator

MODEL = "bench"
"""What clients ask for; every target that looks at the model knows this one."""

_SYSTEM = (
    "You answer questions of people who run our software. Keep to four sentences, use the words "
    "of the manual, and say so when the manual does not have the answer. Do not guess version "
    "numbers, dates or prices, and do not repeat personal details that the question contains."
)
_TURNS = (
    ("user", "The nightly job that rebuilds the search index took three hours instead of one."),
    (
        "assistant",
        "That is usually a sign of long transactions that keep old row versions alive. Look for "
        "sessions that have been idle in a transaction for more than an hour, and end them.",
    ),
    (
        "user",
        "There were two of those, thank you, and the job is back to an hour. Which setting ends "
        "such sessions by itself, does it need a restart, and what do the people behind them see "
        "when it happens? A short answer is enough.",
    ),
)

_MARKER = re.compile(rb"\[\[mock ([a-z_0-9= ]+)\]\]")
_NONCE = "000000000000"


def marker(**shape: int) -> str:
    """Return what makes the mock upstream answer in ``shape``; see :func:`read_marker`."""
    return f"[[mock {' '.join(f'{name}={value}' for name, value in shape.items())}]]"


def read_marker(body: bytes) -> dict[bytes, int]:
    """Return the shape that a prompt asks for; empty without a marker.

    ``events`` and ``gap_us`` shape a stream, ``status`` makes an error, ``wait_us`` delays the
    answer and ``chars`` is the length of its text.
    """
    found = _MARKER.search(body)
    if found is None:
        return {}
    shape = {}
    for setting in found[1].split():
        name, _, value = setting.partition(b"=")
        shape[name] = int(value)
    return shape


def chat_body(mark: str = "", *, stream: bool = False, padding: int = 0) -> bytes:
    """Return a chat completion request of about 1 KB, with a place for :func:`numbered`.

    Args:
        mark: What :func:`marker` returned, or nothing.
        stream: Whether to ask for a stream.
        padding: Characters to add to the last message.
    """
    turns = [{"role": role, "content": text} for role, text in _TURNS]
    turns[-1]["content"] += f" {'more words ' * (padding // 11)}{mark} (question {_NONCE})"
    body = {
        "model": MODEL,
        "messages": [{"role": "system", "content": _SYSTEM}, *turns],
        "temperature": 0.2,
        "max_tokens": 256,
    }
    return json.dumps({**body, "stream": True} if stream else body).encode()


def request_head(path: str, host: str, headers: tuple[str, ...], length: int) -> bytes:
    """Return the head of a request as an SDK would send it."""
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        "User-Agent: openai-python/2.0",
        "Accept: application/json",
        "Content-Type: application/json",
        f"Content-Length: {length}",
        *headers,
    )
    return "\r\n".join((*lines, "", "")).encode()


def numbers() -> Iterator[int]:
    """Yield numbers that no earlier run has given out, as they begin at the time since boot."""
    number = time.monotonic_ns() // 1_000
    while True:
        yield number % 10 ** len(_NONCE)
        number += 1


def split_at_number(request: bytes) -> tuple[bytes, bytes]:
    """Return what stands before and after the place where each request's number goes."""
    before, found, after = request.rpartition(_NONCE.encode())
    if not found:
        raise ValueError("the request has no place for a number")
    return before, after
