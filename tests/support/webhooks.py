"""A receiver of webhooks on loopback, whose answers a test chooses."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


Answer = Callable[[BaseHTTPRequestHandler], None]


def status(code: int, **headers: str) -> Answer:
    """Return what answers with a status."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def hang(handler: BaseHTTPRequestHandler) -> None:
    """Say nothing for half a minute, or until the other side is gone."""
    handler.connection.settimeout(30)
    with suppress(OSError):
        handler.connection.recv(1)


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Answer a byte each tenth of a second, and never come to an end."""
    with suppress(OSError):
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nX-Slow: " + b"x" * 300:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(0.1)


def lie(handler: BaseHTTPRequestHandler) -> None:
    """Promise more than is sent, and close."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nshort")
    handler.close_connection = True


OK = status(204)


@dataclass
class Receiver:
    """One that listens.

    Attributes:
        port: Where.
        received: Every request, oldest first.
        answer: What it answers from now on.
    """

    port: int
    received: list[Received] = field(default_factory=list)
    answer: Answer = OK

    @property
    def url(self) -> str:
        """Its address, as a webhook's setting has it."""
        return f"http://127.0.0.1:{self.port}/hook?team=a"


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver until the block ends."""
    made = Receiver(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            made.received.append(Received(self.path, headers, body, time.monotonic()))
            made.answer(self)

        @override
        def log_message(self, *_: Any) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
