"""The process between a controller and the command of a local job.

It belongs to no controller: it has a session of its own, keeps the deadline and writes down the
exit code, so a job is found again and bounded after whoever started it has died. Before it runs
anything it writes its claim, which only one process can do; however many were started, one goes on.

Signals are not handled but waited for: there is no moment at which one could be missed.
"""

import os
import signal
import sys
from pathlib import Path
from time import monotonic
from typing import Final, Literal

from steadyhand.rollouts.jobs.local_files import Claim, JobFolder, Order, Outcome
from steadyhand.rollouts.jobs.local_processes import identity_of

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def main(arguments: list[str]) -> int:
    """Run the job whose folder is the only argument, unless another process has claimed it."""
    folder = JobFolder.open(Path(arguments[0]))
    if folder is None:
        return 0  # ended before we came
    with folder:
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        order = folder.read(Order)
        if order is not None and _claim(folder):
            folder.write(run(order))
    return 0


def _claim(folder: JobFolder) -> bool:
    with folder.locked():  # or we could write into a folder while its files are removed
        return folder.is_in_place() and folder.write(Claim(identity_of(os.getpid())))


def run(order: Order) -> Outcome:
    """Run the command to its end, its deadline, or the signal that ends us."""
    try:
        pid = os.posix_spawn(
            order.command[0],
            order.command,
            os.environ,
            setpgroup=0,
            setsigmask=(),
            setsigdef=SIGNALS,
        )
    except OSError as error:
        said = f"{order.command[0]} cannot be started: {error.strerror}"
        return Outcome(cause="not_started", reason=said)
    cause = _wait(pid, order)
    # It is not collected yet, so the number of its group is still its own.
    os.killpg(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if cause:
        return Outcome(cause=cause)
    if code < 0:
        return Outcome(exit_code=128 - code, reason=signal.Signals(-code).name)
    return Outcome(exit_code=code)


def _wait(pid: int, order: Order) -> Literal["", "timed_out", "ended"]:
    cause: Literal["", "timed_out", "ended"] = ""
    until_s = monotonic() + order.deadline_s
    while not _has_ended(pid):
        told = signal.sigtimedwait(SIGNALS, max(0.0, until_s - monotonic()))
        if told is not None and (cause or told.si_signo == signal.SIGCHLD):
            continue
        os.killpg(pid, signal.SIGKILL if cause else signal.SIGTERM)
        cause = cause or ("timed_out" if told is None else "ended")
        until_s = monotonic() + order.grace_s
    return cause


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
