"""The files of one local job: a folder in which each file is written once and never changed.

| file | written by | says |
|---|---|---|
| `order.json` | the controller | what is to be run |
| `claim.json` | the process that runs it, before it does | who runs it; only one can write it |
| `outcome.json` | the same process | how it ended |
| `output.txt` | the command | what it printed |

A folder is held by descriptor, so its files stay reachable while somebody renames it, and a new
folder of the same name is not taken for it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final, Literal, Self, TypeVar
from uuid import uuid4

import msgspec

from steadyhand.rollouts.jobs.base import JobsUnavailable
from steadyhand.rollouts.jobs.local_processes import Identity

OUTPUT: Final = "output.txt"
LOCK_S: Final = 60.0
"""More than an end takes, which holds the lock while it waits for the process."""

_POLL_S = 0.02


class Order(msgspec.Struct, frozen=True):
    """What is to be run; times in seconds."""

    command: tuple[str, ...]
    deadline_s: float
    grace_s: float


class Claim(msgspec.Struct, frozen=True):
    """Who runs it; nobody ever will if ``process`` is ``None``: it was ended before."""

    process: Identity | None


class Outcome(msgspec.Struct, frozen=True):
    """How it ended; without an exit code if something else than the command decided that."""

    exit_code: int | None = None
    cause: Literal["", "timed_out", "ended", "not_started"] = ""
    reason: str = ""


_FILES: dict[type, str] = {Order: "order.json", Claim: "claim.json", Outcome: "outcome.json"}
Content = TypeVar("Content", Order, Claim, Outcome)


class JobFolder:
    """One job's folder, held open."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def open(cls, path: Path) -> Self | None:
        """Hold the folder, or return ``None`` if there is none.

        Raises:
            OSError: It cannot be opened.
        """
        try:
            return cls(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY))
        except FileNotFoundError:
            return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def is_in_place(self) -> bool:
        """Tell whether the folder still is where it was opened."""
        with suppress(FileNotFoundError):
            return os.path.samestat(self.path.stat(), os.fstat(self._descriptor))
        return False

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from starting, claiming or ending this job.

        Raises:
            JobsUnavailable: Another one takes too long.
        """
        self._lock()
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _lock(self) -> None:
        until_s = monotonic() + LOCK_S
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            if monotonic() > until_s:
                raise JobsUnavailable(
                    f"another process has held {self.path} for {LOCK_S:g} s",
                    hint="is a controller stopped in the middle of starting or ending this job?",
                )
            sleep(_POLL_S)

    def read(self, kind: type[Content]) -> Content | None:
        """Return what one of the files says, ``None`` if it has not been written.

        Raises:
            JobsUnavailable: It is damaged.
            OSError: It cannot be read.
        """
        try:
            descriptor = os.open(_FILES[kind], os.O_RDONLY, dir_fd=self._descriptor)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            text = file.read()
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.DecodeError as error:
            raise JobsUnavailable(
                f"{self.path / _FILES[kind]} is damaged: {error}",
                hint="end the job, or remove its folder after its process has ended",
            ) from error

    def write(self, content: Order | Claim | Outcome) -> bool:
        """Write one of the files, whole and durable; ``False`` if it is there already.

        Raises:
            OSError: It cannot be written, or the folder has been removed.
        """
        draft, name = f".{uuid4().hex}", _FILES[type(content)]
        with self._draft(draft, msgspec.json.encode(content)):
            try:
                os.link(draft, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
            except FileExistsError:
                return False
        os.fsync(self._descriptor)
        return True

    @contextmanager
    def _draft(self, name: str, text: bytes) -> Iterator[None]:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(name, flags, 0o600, dir_fd=self._descriptor), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            yield
        finally:
            os.unlink(name, dir_fd=self._descriptor)
