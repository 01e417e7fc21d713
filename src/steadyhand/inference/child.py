"""The process of one model: ``python -m steadyhand.inference.child DESCRIPTOR PARENT``.

Native code that is not ours runs here and nowhere else. The process serves one host over one
socket and ends with it. It yields the CPU to the gateways, and is the first that the kernel kills
when memory runs out. Loading may hold the interpreter for minutes: nobody waits for it here.
"""

import ctypes
import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock

import msgspec

from steadyhand.core.plugins import load as load_plugin
from steadyhand.inference import frames
from steadyhand.inference.engines.base import Engine, ModelTable, RequestRefused

ENGINES = "steadyhand.inference.engines"
NICE = 5
OOM_SCORE_ADJUSTMENT = "800"
_PR_SET_PDEATHSIG = 1


class Child:
    """Runs what the host asks, a thread each."""

    def __init__(self, line: socket.socket) -> None:
        """Take the socket to the host."""
        self._line = line
        self._sending = Lock()
        self._running: set[int] = set()
        self._stopped: set[int] = set()

    def run(self) -> int:
        """Load, then serve until the host is gone; return the exit code."""
        command = self._next()
        if not isinstance(command, frames.Load):
            return 1
        try:
            table = msgspec.json.decode(command.table, type=ModelTable)
            engine = load_plugin(ENGINES, command.engine).load(table, Path(command.workspace))
        except Exception as error:  # noqa: BLE001 - whatever it is, the operator must read it
            self._send(frames.LoadFailed(f"{type(error).__name__}: {error}"))
            return 1
        self._send(frames.Loaded())
        with ThreadPoolExecutor(table.parallel) as threads:
            while (command := self._next()) is not None:
                if isinstance(command, frames.Run):
                    self._running.add(command.number)
                    threads.submit(self._answer, engine, command)
                elif isinstance(command, frames.Stop) and command.number in self._running:
                    self._stopped.add(command.number)
            os._exit(0)  # the host is gone: whoever still generates speaks to nobody

    def _answer(self, engine: Engine, command: frames.Run) -> None:
        number = command.number

        def say(chunk: bytes) -> bool:
            if number in self._stopped:
                return True
            self._send(frames.Piece(number, chunk))
            return False

        try:
            if number not in self._stopped:
                engine.chat(command.body, say)
        except RequestRefused as error:
            self._send(frames.Refused(number, error.status, error.message))
        except Exception as error:  # noqa: BLE001 - a request must end, whatever the engine does
            self._send(frames.Refused(number, 500, f"{type(error).__name__}: {error}"))
        finally:
            self._running.discard(number)
            self._stopped.discard(number)
            self._send(frames.Ended(number))

    def _send(self, event: frames.Event) -> None:
        data = frames.pack(event)
        with self._sending, suppress(OSError):  # a host that is gone is noticed where we read
            self._line.sendall(data)

    def _next(self) -> frames.Command | None:
        head = self._read(frames.HEAD_BYTES)
        body = self._read(frames.length(head)) if head else b""
        return frames.command(body) if body else None

    def _read(self, size: int) -> bytes:
        pieces = []
        while size > 0:
            try:
                piece = self._line.recv(size, socket.MSG_WAITALL)
            except OSError:
                return b""
            if not piece:
                return b""
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


def yield_to_gateways(parent: int) -> None:
    """Die with the host, be the first to go when memory is short, and the last to get the CPU."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the host is told, and ends us
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it died before we could tie ourselves to it
    os.nice(NICE)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE_ADJUSTMENT, encoding="ascii")


def main(arguments: list[str]) -> int:
    """Serve the host on an inherited descriptor."""
    descriptor, parent = map(int, arguments)
    yield_to_gateways(parent)
    return Child(socket.socket(fileno=descriptor)).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
