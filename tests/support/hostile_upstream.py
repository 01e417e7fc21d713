"""An upstream that breaks every rule there is: raw sockets, one thread and one play a connection.

The first connection gets the first play, the second the second, and all further ones the last. A
play is a function of its :class:`Visit`; the connection is closed when it returns.
"""

import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from time import sleep

PATIENCE_S = 20.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Gone(Exception):
    """The other side has closed."""


class Visit:
    """One connection, seen from the upstream.

    Attributes:
        number: From 1, in the order of acceptance.
        requests: Bodies of the requests read so far.
        heads: Their heads, blank line included.
        gone: Set once the other side was seen to have closed.
    """

    def __init__(self, connection: socket.socket, number: int) -> None:
        self._connection: socket.socket = connection
        self._rest = b""
        self.number = number
        self.heads: list[bytes] = []
        self.requests: list[bytes] = []
        self.gone = threading.Event()
        connection.settimeout(PATIENCE_S)

    def request(self) -> bytes:
        """Read one whole request; return its body."""
        head = self.head()
        length = re.search(rb"(?im)^content-length: (\d+)", head)
        size = int(length.group(1)) if length else 0
        while len(self._rest) < size:
            self._rest += self._read()
        body, self._rest = self._rest[:size], self._rest[size:]
        self.requests.append(body)
        return body

    def head(self) -> bytes:
        """Read a head and leave the body where it is."""
        while b"\r\n\r\n" not in self._rest:
            self._rest += self._read()
        head, end, self._rest = self._rest.partition(b"\r\n\r\n")
        self.heads.append(head + end)
        return head + end

    def say(self, *parts: bytes, every_s: float = 0.0) -> None:
        """Write ``parts``, each after a pause."""
        for part in parts:
            sleep(every_s)
            try:
                self._connection.sendall(part)
            except OSError as error:
                self.gone.set()
                raise Gone from error

    def endlessly(self, part: bytes, every_s: float = 0.0, most: int = 1 << 40) -> int:
        """Write ``part`` until the other side has had enough; return the bytes it took."""
        sent = 0
        with suppress(Gone):
            while sent < most:
                self.say(part, every_s=every_s)
                sent += len(part)
        return sent

    def finish(self) -> None:
        """Say that nothing more comes, and go on reading."""
        self._connection.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close so that the other side gets a reset."""
        linger = struct.pack("ii", 1, 0)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._connection.close()

    def hello(self) -> None:
        """Wait for the first bytes, whatever they say."""
        self._rest += self._read()

    def secure(self, context: ssl.SSLContext) -> None:
        """Go on with TLS."""
        self._connection = context.wrap_socket(self._connection, server_side=True)

    def goodbye(self) -> None:
        """Say in TLS that nothing more comes."""
        assert isinstance(self._connection, ssl.SSLSocket)
        with suppress(OSError):
            self._connection.unwrap()

    def rudely(self) -> None:
        """Close TCP under TLS, without a word."""
        assert isinstance(self._connection, ssl.SSLSocket)
        bare = socket.socket(fileno=self._connection.detach())
        bare.shutdown(socket.SHUT_WR)
        self._connection = bare
        self.until_gone()

    def until_gone(self) -> None:
        """Read and forget until the other side closes."""
        with suppress(Gone):
            while True:
                self._read()

    def close(self) -> None:
        """Close; whoever waits in this connection wakes up."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _read(self) -> bytes:
        try:
            data = self._connection.recv(65536)
        except OSError as error:
            self.gone.set()
            raise Gone from error
        if not data:
            self.gone.set()
            raise Gone
        return data


Play = Callable[[Visit], None]


class HostileUpstream:
    """A listener with its plays.

    Attributes:
        port: Where it listens.
        visits: Every connection so far.
    """

    def __init__(self, plays: tuple[Play, ...], host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=512)
        self._plays = plays
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.visits: list[Visit] = []
        self._start(self._accept)

    @property
    def requests(self) -> list[bytes]:
        """Bodies of all requests, by connection."""
        return [body for visit in tuple(self.visits) for body in visit.requests]

    def close(self) -> None:
        """Stop listening and cut every connection."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for visit in tuple(self.visits):
            visit.close()
        for thread in tuple(self._threads):
            thread.join(PATIENCE_S)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                visit = Visit(connection, len(self.visits) + 1)
                self.visits.append(visit)
                play = self._plays[min(visit.number, len(self._plays)) - 1]
                self._start(partial(_perform, play, visit))

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()


def _perform(play: Play, visit: Visit) -> None:
    try:
        play(visit)
    except (Gone, OSError, ValueError):
        visit.gone.set()  # the other side left, or the test is over
    finally:
        visit.close()


@contextmanager
def hostile(*plays: Play, host: str = "127.0.0.1", port: int = 0) -> Iterator[HostileUpstream]:
    """Listen until the block ends."""
    made = HostileUpstream(plays, host, port)
    try:
        yield made
    finally:
        made.close()


def polite(visit: Visit) -> None:
    """Answer every request, for ever."""
    while True:
        visit.request()
        visit.say(OK)


def answering(*parts: bytes, every_s: float = 0.0) -> Play:
    """Return a play that answers one request with ``parts``, then closes."""

    def play(visit: Visit) -> None:
        visit.request()
        visit.say(*parts, every_s=every_s)

    return play


def holding(*parts: bytes, every_s: float = 0.0) -> Play:
    """Return a play that answers one request with ``parts``, then waits to be left."""

    def play(visit: Visit) -> None:
        visit.request()
        visit.say(*parts, every_s=every_s)
        visit.until_gone()

    return play


@contextmanager
def black_hole(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Listen where no connection ever stands: its backlog is full."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(0)
        found: int = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex((host, found))
        try:
            yield found
        finally:
            for filler in fillers:
                filler.close()
