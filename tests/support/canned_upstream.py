"""An upstream in a thread that plays what a test has prepared, byte by byte, and keeps what came.

A script is found by the request's model, so tests that share the server do not meet. Unlike the
simulated provider it can wait for the test between two writes, which takes timing out of it.
"""

import json
import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from time import sleep
from typing import Any

from typing_extensions import override

GATE_S = 30.0


class Gate:
    """A point of a script at which the upstream waits for the test."""

    def __init__(self) -> None:
        self._open = threading.Event()

    def open(self) -> None:
        """Let the script go on."""
        self._open.set()

    def wait(self) -> None:
        """Wait until it is opened, or for as long as any test may take."""
        self._open.wait(GATE_S)


class Close:
    """A point of a script at which the upstream hangs up."""


CLOSE = Close()
Step = bytes | float | Gate | Close
"""Bytes to write, seconds to wait, a gate to wait at, or the end."""


@dataclass
class Heard:
    """One request as it came, head and body to the last byte."""

    head: bytes
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """Header fields by lower-case name; none may come twice."""
        pairs = [line.partition(b": ")[::2] for line in self.head.split(b"\r\n")[1:]]
        names = [name.decode().lower() for name, _ in pairs]
        assert len(names) == len(set(names)), "a header was sent twice"
        return dict(zip(names, (value.decode("latin-1") for _, value in pairs), strict=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Script:
    """What is played for one model, and every request that asked for it.

    Attributes:
        played: Steps that are over, of all requests together.
    """

    model: str
    steps: tuple[Step, ...]
    heard: list[Heard] = field(default_factory=list)
    played: int = 0

    @property
    def request(self) -> Heard:
        """The one request that came."""
        (only,) = self.heard
        return only


class CannedUpstream:
    """Scripts by model, on one port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._scripts: dict[str, Script] = {}
        self._numbers = count(1)

    def script(self, *steps: Step) -> Script:
        """Prepare a script under a model name of its own."""
        script = Script(f"canned-{next(self._numbers)}", steps)
        self._scripts[script.model] = script
        return script

    def answer(
        self,
        body: bytes,
        *,
        status: int = 200,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> Script:
        """Prepare one whole answer."""
        fields = {"content-type": kind, **(headers or {}), "content-length": str(len(body))}
        lines = [f"HTTP/1.1 {status} Canned", *(f"{name}: {fields[name]}" for name in fields)]
        return self.script("\r\n".join((*lines, "", "")).encode() + body)

    def stream(self, *steps: Step, headers: str = "") -> Script:
        """Prepare a stream; every ``bytes`` is written as one chunk, the end is added."""
        head = (
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            f"transfer-encoding: chunked\r\n{headers}\r\n"
        )
        framed = [
            b"%x\r\n%b\r\n" % (len(step), step) if isinstance(step, bytes) else step
            for step in steps
        ]
        end: tuple[Step, ...] = () if isinstance(steps[-1], Close) else (b"0\r\n\r\n",)
        return self.script(head.encode(), *framed, *end)

    def play(self, heard: Heard, connection: socket.socket) -> bool:
        """Answer one request; return whether the connection stays open."""
        script = self._scripts[heard.json["model"]]
        script.heard.append(heard)
        for step in script.steps:
            match step:
                case bytes():
                    connection.sendall(step)
                case float():
                    sleep(step)
                case Gate():
                    step.wait()
                case _:
                    return False
            script.played += 1
        return True


class _Handler(socketserver.StreamRequestHandler):
    server: "_Server"

    @override
    def handle(self) -> None:
        with suppress(ConnectionError):
            while (heard := self._hear()) and self.server.upstream.play(heard, self.connection):
                pass

    def _hear(self) -> Heard | None:
        lines = []
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            lines.append(line.removesuffix(b"\r\n"))
        if not lines:
            return None
        head = b"\r\n".join(lines)
        length = re.search(rb"(?im)^content-length: (\d+)", head)
        return Heard(head, self.rfile.read(int(length.group(1))) if length else b"")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64
    upstream: CannedUpstream


@contextmanager
def canned_upstream() -> Iterator[CannedUpstream]:
    """Serve on a free loopback port until the block ends."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.upstream = CannedUpstream(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server.upstream
        finally:
            server.shutdown()
            thread.join(10)
