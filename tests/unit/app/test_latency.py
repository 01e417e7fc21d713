"""The kernel is asked in a process of its own, so that the tests keep their slices."""

import os
import platform
import re
import subprocess
import sys

import pytest

from steadyhand.app import latency

ASK = """
import os, threading
from steadyhand.app.latency import prefer_short_slices
os.nice(3)
print(prefer_short_slices(), os.getpriority(os.PRIO_PROCESS, 0))
read = lambda: print(open(f"/proc/self/task/{threading.get_native_id()}/sched").read())
thread = threading.Thread(target=read)
thread.start()
thread.join()
"""


def test_a_process_and_its_later_threads_have_the_shortest_slice_where_the_kernel_knows() -> None:
    said = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    taken, nice = said.stdout.split()[:2]
    assert int(nice) == min(os.nice(0) + 3, 19), "its weight is left alone"
    shown = re.search(r"se\.slice\s*:\s*(\d+)", said.stdout)
    if taken == "True" and shown is not None:
        assert int(shown[1]) <= latency.SLICE_NS


def test_a_machine_that_we_do_not_know_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert latency.prefer_short_slices() is False


def test_a_kernel_that_refuses_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(latency._NUMBERS, platform.machine(), 10_000)  # no such call
    assert latency.prefer_short_slices() is False
