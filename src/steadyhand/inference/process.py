"""The host's side of one model's process: start it, talk to it, notice its end."""

import asyncio
import os
import signal
import socket
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path
from time import monotonic

from steadyhand.inference import frames

END_S = 5.0
"""How long a killed process may take to be gone."""


class ProcessEnded(Exception):
    """The process is gone; ``code`` is its exit code, negative for a signal."""

    def __init__(self, code: int | None) -> None:
        """Keep the code."""
        super().__init__(f"ended with {code}")
        self.code = code


class LoadingFailed(Exception):
    """The model cannot be loaded; the text says why."""


class Generation:
    """One request in the process: chunks as they come.

    Attributes:
        refused: What the engine said instead of an answer.
        is_over: The engine is done with it; its slot is free.
    """

    def __init__(self, process: "ModelProcess", number: int) -> None:
        """Use :meth:`ModelProcess.begin`."""
        self.refused: frames.Refused | None = None
        self.is_over = False
        self._process = process
        self._number = number
        self._chunks: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._ended = asyncio.Event()

    async def next(self) -> bytes | None:
        """Return the next chunk, or ``None`` at the end.

        Raises:
            ProcessEnded: The process died.
        """
        while not self._chunks:
            if self._process.has_ended:
                raise ProcessEnded(self._process.exit_code)
            if self.is_over or self.refused is not None:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._chunks.popleft()

    def stop(self) -> None:
        """Ask the engine to stop; it does so at its next token or batch."""
        if not self.is_over:
            self._process.send(frames.Stop(self._number))

    async def over(self) -> None:
        """Wait until the engine is done with it, or gone."""
        await self._ended.wait()

    def take(self, event: frames.Piece | frames.Refused | frames.Ended) -> None:
        """Take what the process says of it."""
        if isinstance(event, frames.Piece):
            self._chunks.append(event.chunk)
        elif isinstance(event, frames.Refused):
            self.refused = event
        else:
            self.close()
        self._wake()

    def close(self) -> None:
        """Note that no more will come."""
        self.is_over = True
        self._ended.set()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class ModelProcess:
    """One process with one model.

    Attributes:
        heard_s: Monotonic second at which it last said something or was asked something new.
        has_ended: It is gone, or its socket is.
        exit_code: What it ended with, ``None`` while it runs.
    """

    def __init__(
        self,
        child: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Use :meth:`start`."""
        self.heard_s = monotonic()
        self.has_ended = False
        self.exit_code: int | None = None
        self._child = child
        self._reader = reader
        self._writer = writer
        self._running: dict[int, Generation] = {}
        self._last_number = 0

    @classmethod
    async def start(cls, load: frames.Load) -> "ModelProcess":
        """Start a process and tell it what to load.

        Raises:
            OSError: No process can be started.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                child = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "steadyhand.inference.child",
                    str(theirs.fileno()),
                    str(os.getpid()),
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                )
            except BaseException:
                ours.close()
                raise
        reader, writer = await asyncio.open_connection(sock=ours)
        process = cls(child, reader, writer)
        process.send(load)
        return process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def running(self) -> int:
        """Requests that it works on."""
        return len(self._running)

    async def loaded(self) -> None:
        """Wait until the model is in memory.

        Raises:
            LoadingFailed: It cannot be loaded.
            ProcessEnded: The process died first.
        """
        event = await self._next()
        if isinstance(event, frames.LoadFailed):
            raise LoadingFailed(event.message)
        if event is None:
            raise ProcessEnded(await self._gone())

    async def serve(self) -> int | None:
        """Hand out what it says until it ends; return its exit code."""
        while (event := await self._next()) is not None:
            if isinstance(event, frames.Loaded | frames.LoadFailed):
                continue
            generation = self._running.get(event.number)
            if generation is None:
                continue
            if isinstance(event, frames.Ended):
                del self._running[event.number]
            generation.take(event)
        return await self._gone()

    def begin(self, body: bytes) -> Generation:
        """Ask the engine a question."""
        self._last_number += 1
        generation = Generation(self, self._last_number)
        if self.has_ended:
            generation.close()
            return generation
        self._running[self._last_number] = generation
        self.heard_s = monotonic()
        self.send(frames.Run(self._last_number, body))
        return generation

    def send(self, command: frames.Command) -> None:
        """Send a command; a process that is gone is noticed where its events are read."""
        if not self.has_ended:
            self._writer.write(frames.pack(command))

    def resident_bytes(self) -> int:
        """Return how much memory it holds, mapped files included; 0 if that cannot be told."""
        with suppress(OSError, IndexError, ValueError):
            statm = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii")
            return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return 0

    def kill(self) -> None:
        """End it now, whatever it does."""
        if self._child.returncode is None:
            with suppress(ProcessLookupError):
                # Not the child's own kill(): on asyncio's loop that may reap the process first,
                # and then its exit code is lost.
                os.kill(self.pid, signal.SIGKILL)

    async def end(self) -> None:
        """End it and wait until it is gone."""
        self.kill()
        await self._gone()

    async def _next(self) -> frames.Event | None:
        try:
            head = await self._reader.readexactly(frames.HEAD_BYTES)
            event = frames.event(await self._reader.readexactly(frames.length(head)))
        except (OSError, EOFError, ValueError):  # gone, cut short, or talking nonsense
            return None
        self.heard_s = monotonic()
        return event

    async def _gone(self) -> int | None:
        """Wait for the end of the process, and tell everybody who waits for it to speak."""
        self.has_ended = True
        self.kill()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                self.exit_code = await self._child.wait()
        self._writer.close()
        for generation in self._running.values():
            generation.close()
        self._running.clear()
        return self.exit_code
