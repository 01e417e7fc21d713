"""Jobs as processes of this machine: what is used where nothing else is configured.

Everything that is known of a job is in files, so any controller that uses the same folder sees the
same jobs, also after the one that started them was killed. What is written where, and why a job
runs once: ``local_files.py``, ``local_child.py``.
"""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final, cast
from uuid import uuid4

from steadyhand.rollouts.jobs.base import JobsUnavailable
from steadyhand.rollouts.jobs.local_child import SIGNALS
from steadyhand.rollouts.jobs.local_files import OUTPUT, Claim, JobFolder, Order, Outcome
from steadyhand.rollouts.jobs.local_processes import (
    Identity,
    identity_of,
    is_alive,
    kill_session,
    send,
)
from steadyhand.rollouts.jobs.model import GRACE_S, JobSpec, JobState, Phase, check_name

COMMAND: Final = (sys.executable, "-P", "-m", "steadyhand")
CHILD: Final = (sys.executable, "-P", "-m", "steadyhand.rollouts.jobs.local_child")
KILL_S: Final = 5.0
"""How long a process may take to end beyond its grace, or after it was killed."""

_ENDED = ".ended-"
_POLL_S = 0.02


class LocalJobs:
    """Runs jobs as processes that do not end with this one.

    A job is killed with all that it started; only what puts itself into another session, or into
    another group and outlives the job, gets away.
    """

    def __init__(
        self, folder: Path, command: tuple[str, ...] = COMMAND, grace_s: float = GRACE_S
    ) -> None:
        """Take where jobs are written down.

        Args:
            folder: Of this machine and this container: processes are looked up by their numbers.
                It is made when it is needed.
            command: What a job's arguments are given to; the first word is a path.
            grace_s: What a job has to end after SIGTERM, before it is killed.
        """
        self._folder = folder
        self._command = command
        self._grace_s = grace_s
        self._started: set[int] = set()

    def start(self, spec: JobSpec) -> None:
        """Have the job run, once; see ``JobRunner``.

        Raises:
            JobsUnavailable: The folder or a process cannot be made now.
        """
        self._collect()
        if identity_of(os.getpid()) is None:
            raise JobsUnavailable(
                "processes cannot be told apart on this machine", hint="/proc has to be mounted"
            )
        order = Order((*self._command, *spec.arguments), spec.deadline_s, self._grace_s)
        with self._disk(spec.name), self._new(spec.name) as folder:
            folder.write(order)
            if folder.read(Claim) is None:
                self._spawn(folder.path)

    def look(self, name: str) -> JobState:
        """Return where the job stands; see ``JobRunner``.

        Raises:
            JobsUnavailable, InvalidJob: As there.
        """
        self._collect()
        with self._disk(name):
            folder = JobFolder.open(self._path(name))
            if folder is None:
                return JobState(Phase.GONE)
            with folder:
                return _state(folder)

    def end(self, name: str) -> None:
        """Stop the job and forget it; takes as long as its grace.

        Raises:
            JobsUnavailable, InvalidJob: As in ``JobRunner``.
        """
        with self._disk(name), self._locked(self._path(name)) as folder:
            if folder is not None:
                if not folder.write(Claim(None)):
                    self._stop(folder)
                self._remove(folder)

    def _stop(self, folder: JobFolder) -> None:
        claim, order = folder.read(Claim), folder.read(Order)
        if claim is None or claim.process is None or folder.read(Outcome) is not None:
            return
        grace_s = order.grace_s if order else self._grace_s
        send(claim.process, signal.SIGTERM)
        if not self._has_ended(claim.process, grace_s + KILL_S):
            kill_session(claim.process)
        if not self._has_ended(claim.process, KILL_S):
            raise JobsUnavailable(
                f"the process {claim.process.pid} of the job {folder.path.name} does not end",
                hint="it waits for the kernel, most likely for a disk",
            )
        kill_session(claim.process)  # what it may have left behind

    def _has_ended(self, process: Identity, within_s: float) -> bool:
        until_s = monotonic() + within_s
        while is_alive(process):
            if monotonic() > until_s:
                return False
            sleep(_POLL_S)
            self._collect()
        return True

    def _remove(self, folder: JobFolder) -> None:
        """Take the folder away at once, then its files; after a kill the next end does the rest."""
        folder.path.rename(self._folder / f"{_ENDED}{uuid4().hex}")
        for ended in self._folder.glob(f"{_ENDED}*"):
            shutil.rmtree(ended, ignore_errors=True)

    def _spawn(self, path: Path) -> None:
        pid = os.posix_spawn(
            CHILD[0],
            (*CHILD, str(path.absolute())),
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (
                    os.POSIX_SPAWN_OPEN,
                    1,
                    str(path / OUTPUT),
                    os.O_WRONLY | os.O_CREAT | os.O_APPEND,
                    0o600,
                ),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=SIGNALS,
        )
        self._started.add(pid)

    def _collect(self) -> None:
        """Let go of those of our own processes that have ended."""
        for pid in tuple(self._started):
            # Another part of this program may wait for whatever ends, and be first.
            with suppress(ChildProcessError):
                if os.waitpid(pid, os.WNOHANG)[0] == 0:
                    continue
            self._started.discard(pid)

    @contextmanager
    def _new(self, name: str) -> Iterator[JobFolder]:
        """Hold the folder of a job that is to be there; made if there is none."""
        path = self._path(name)
        while True:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._locked(path) as folder:
                if folder is None:
                    continue  # ended between the two lines above
                if _was_ended(folder):
                    self._remove(folder)
                    continue
                yield folder
                return

    @contextmanager
    def _locked(self, path: Path) -> Iterator[JobFolder | None]:
        """Hold a job's folder, alone; ``None`` if there is none."""
        while True:
            folder = JobFolder.open(path)
            if folder is None:
                yield None
                return
            with folder, folder.locked():
                if folder.is_in_place():  # or it was removed while we waited for the lock
                    yield folder
                    return

    @contextmanager
    def _disk(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise JobsUnavailable(
                f"the job {name} cannot be handled on this machine: {error}",
                hint=f"can {self._folder} be written to, is the disk full, may processes start?",
            ) from error

    def _path(self, name: str) -> Path:
        return self._folder / check_name(name)


def _was_ended(folder: JobFolder) -> bool:
    """Tell whether the job is gone though its files are there.

    Whoever was ending it has been killed meanwhile, or its process was told to end by somebody
    else, as a machine does when it is shut down.
    """
    claim, outcome = folder.read(Claim), folder.read(Outcome)
    is_claimed_for_nobody = claim is not None and claim.process is None
    return is_claimed_for_nobody or (outcome is not None and outcome.cause == "ended")


def _state(folder: JobFolder) -> JobState:
    outcome = folder.read(Outcome)
    if outcome is not None:
        return _ended(outcome)
    claim = folder.read(Claim)
    if claim is None:
        return JobState(Phase.PENDING if folder.is_in_place() else Phase.GONE)
    if claim.process is None:
        return JobState(Phase.GONE)
    if is_alive(claim.process):
        return JobState(Phase.RUNNING)
    outcome = folder.read(Outcome)  # it may have ended between the two
    if outcome is not None:
        return _ended(outcome)
    kill_session(claim.process)  # nobody keeps the deadline of what it left behind
    return JobState(Phase.FAILED, reason="it was killed, or the machine was, before it could end")


def _ended(outcome: Outcome) -> JobState:
    match outcome.cause:
        case "timed_out":
            return JobState(Phase.TIMED_OUT, reason=outcome.reason)
        case "ended":
            return JobState(Phase.GONE, reason="it was ended")
        case "not_started":
            return JobState(Phase.FAILED, reason=outcome.reason)
        case _:
            return JobState(Phase.SUCCEEDED, cast("int", outcome.exit_code), outcome.reason)
