"""An HTTP client that hides nothing: bytes out, status, headers and timed body pieces back."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType
from typing import Any, Self

DONE = b"[DONE]"
TIMEOUT_S = 30.0


@dataclass
class Answer:
    """One response.

    Attributes:
        headers: Lower-case names; repeated ones joined with ``", "``.
        pieces: Body pieces with the monotonic second each arrived; chunks, if chunked.
        is_whole: Whether the framing says that nothing is missing.
    """

    version: str
    status: int
    headers: dict[str, str]
    pieces: list[tuple[float, bytes]] = field(default_factory=list)
    is_whole: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(piece for _, piece in self.pieces)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error object; its shape is checked on the way."""
        found = self.json["error"]
        assert set(found) == {"message", "type", "param", "code"}, found
        assert self.headers["content-type"].startswith("application/json")
        return dict(found)

    @property
    def request_id(self) -> str:
        return self.headers["x-steadyhand-request-id"]

    def payloads(self) -> list[bytes]:
        """Return the ``data`` of each event; every frame must be written as OpenAI writes it."""
        assert self.headers["content-type"].startswith("text/event-stream"), self.body
        return payloads(self.body)

    def chunks(self) -> list[Any]:
        """Return every event but ``[DONE]``, read."""
        return [json.loads(data) for data in self.payloads() if data != DONE]

    def text(self) -> str:
        """Return the text of choice 0, streamed or not."""
        if not self.headers["content-type"].startswith("text/event-stream"):
            return str(self.json["choices"][0]["message"]["content"])
        deltas = [choice["delta"] for chunk in self.chunks() for choice in chunk["choices"] or ()]
        return "".join(delta.get("content") or "" for delta in deltas)


def payloads(body: bytes) -> list[bytes]:
    """Return the data of each event, read by the letter of the standard, bytes only."""
    events = body.replace(b"\r\n", b"\n").split(b"\n\n")
    assert events.pop() == b"", "the last event has no blank line"
    found = []
    for event in events:
        lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line[:5] == b"data:"]
        if lines:
            found.append(b"\n".join(lines))
    return found


def request_bytes(
    method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> bytes:
    """Write a request; a body gets its length, nothing else is added but ``Host``."""
    fields = {"Host": "gateway.test", **(headers or {})}
    if body is not None:
        fields["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join((*lines, "", "")).encode("latin-1") + (body or b"")


class Line:
    """One TCP connection to a server on loopback; every wait is bounded."""

    def __init__(self, port: int, timeout_s: float = TIMEOUT_S) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        self._reader = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        self._reader.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send all of ``data``."""
        self._socket.sendall(data)

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send one request and return its answer."""
        self.send(request_bytes(method, path, headers, body))
        return self.answer(bodiless=method == "HEAD")

    def answer(self, *, bodiless: bool = False) -> Answer:
        """Read one answer to its end."""
        answer = self.head()
        if bodiless or answer.status in (204, 304) or answer.status < 200:
            answer.is_whole = True
        else:
            self.rest(answer)
        return answer

    def rest(self, answer: Answer) -> None:
        """Read what is still to come of ``answer``."""
        while self.piece(answer):
            pass

    def head(self) -> Answer:
        """Read the head of an answer."""
        status_line = self._reader.readline()
        assert status_line, "the server closed without an answer"
        version, status, _ = status_line.decode("latin-1").split(" ", 2)
        headers: dict[str, str] = {}
        while (line := self._reader.readline()) != b"\r\n":
            assert line.endswith(b"\r\n"), f"the head is cut off: {line!r}"
            name, _, value = line.decode("latin-1").partition(":")
            name = name.lower()
            value = value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return Answer(version, int(status), headers)

    def piece(self, answer: Answer) -> bytes:
        """Read one more piece of the body into ``answer``; empty at its end, whole or not."""
        if answer.headers.get("transfer-encoding") == "chunked":
            data = self._chunk(answer)
        elif "content-length" in answer.headers:
            left = int(answer.headers["content-length"]) - len(answer.body)
            data = self._reader.read1(min(left, 65536)) if left else b""
            answer.is_whole = len(data) == left
        else:
            data = self._reader.read1(65536)
            answer.is_whole = not data
        if data:
            answer.pieces.append((monotonic(), data))
        return data

    def _chunk(self, answer: Answer) -> bytes:
        size_line = self._reader.readline()
        if not size_line.endswith(b"\r\n"):
            return b""  # broken off
        size = int(size_line, 16)
        data = self._reader.read(size)
        end = self._reader.read(2)
        answer.is_whole = size == 0 and end == b"\r\n"
        return data

    def is_closed(self) -> bool:
        """Wait until the server closes; what comes before that must be nothing."""
        try:
            return self._reader.read1(65536) == b""
        except ConnectionError:
            return True
