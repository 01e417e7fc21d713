"""Ask a running supervisor for a rolling restart and watch how it goes, from outside."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

from steadyhand.app.pidfile import holder
from steadyhand.app.state import State
from steadyhand.core.errors import SteadyhandError
from steadyhand.settings.load import load
from steadyhand.telemetry.board import BoardReading, read_board
from steadyhand.telemetry.collectors import BOARD

LOOK_S = 0.1


class NotServing(SteadyhandError):
    """No supervisor serves this workspace."""

    code, status = "not_serving", 404


class RestartFailed(SteadyhandError):
    """A rolling restart ended before every gateway was replaced; those left go on as they were."""

    code, status = "restart_failed", 500


def restart(workspace: Path, within_s: float) -> Iterator[str]:
    """Have the gateways of ``workspace`` replaced one by one; tell of each.

    Raises:
        NotServing: Nobody serves it.
        RestartFailed: A successor did not get ready, or ``within_s`` was not enough.
        SteadyhandError: The workspace has mistakes: new processes could not start from it.
    """
    state = State(load(workspace, os.environ, {}))
    pid = holder(state.pid_file)
    if pid is None:
        raise NotServing(
            f"nobody serves the workspace {workspace}",
            hint="start it with 'steadyhand serve', or name another with --workspace",
        )
    before = boards(state.run)
    os.kill(pid, signal.SIGUSR2)
    yield from follow(before, lambda: boards(state.run), within_s)


def follow(
    before: dict[str, BoardReading],
    look: Callable[[], dict[str, BoardReading]],
    within_s: float,
) -> Iterator[str]:
    """Tell of each process of ``before`` that was replaced, until all are.

    Raises:
        RestartFailed: See :func:`restart`.
    """
    waiting = dict(before)
    until_s = monotonic() + within_s
    while waiting:
        for name, now in look().items():
            former = waiting.get(name)
            if former is None:
                continue
            if now.values["roll_failures"] > former.values["roll_failures"]:
                raise RestartFailed(
                    f"the successor of {name} did not get ready",
                    hint="its reason is in the log of 'serve'; mend it and restart again",
                )
            if now.pid != former.pid:
                del waiting[name]
                yield f"{name}: process {former.pid} replaced by {now.pid}"
        if waiting and monotonic() > until_s:
            raise RestartFailed(
                f"{', '.join(waiting)} not replaced within {within_s:g} s",
                hint="see the log of 'serve'; a drain takes as long as [server] drain_s",
            )
        sleep(LOOK_S)


def boards(run: Path) -> dict[str, BoardReading]:
    """Return what each gateway process last published, by its name."""
    found = {}
    for path in sorted(run.glob(BOARD.format(process="*"))):
        reading = read_board(path)
        if reading is not None:
            found[path.stem.replace("-", " ")] = reading
    return found
