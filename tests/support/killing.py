"""Real processes, really killed."""

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any


def fork(act: Callable[[], None]) -> int:
    """Run ``act`` in a child and return its pid; the child ends with 0, or 1 if ``act`` raised."""
    pid = os.fork()
    if not pid:
        signal.alarm(60)  # never outlives a parent that failed
        code = 1
        try:
            act()
            code = 0
        except BaseException as error:  # noqa: BLE001  a child of pytest must not go on as pytest
            os.write(2, f"{error!r}\n".encode())
        finally:
            os._exit(code)
    return pid


def was_killed(pid: int) -> bool:
    """Wait for a child; tell whether it was killed. One that failed fails the test."""
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, -signal.SIGKILL), f"the child ended with {code}"
    return code != 0


def kill_self_after_lines(count: int, modules: list[ModuleType]) -> None:
    """SIGKILL this process before it runs line number ``count`` of ``modules`` from here."""
    files = {str(Path(module.__file__ or "")) for module in modules}
    left = count

    def line(_: FrameType, event: str, __: Any) -> Any:
        nonlocal left
        if event == "line":
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    def call(frame: FrameType, _: str, __: Any) -> Any:
        return line if frame.f_code.co_filename in files else None

    sys.settrace(call)


def kill_after(pid: int, seconds: float) -> None:
    """SIGKILL a child after some time; it may have ended."""
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)


def seeded(seed: int) -> random.Random:
    """Return a random source of its own: the same kills on every run."""
    return random.Random(seed)
