"""Watch a gateway's memory and gauges once a second."""

import contextlib
import http.client
import re
import threading
from collections.abc import Sequence
from itertools import combinations
from statistics import median
from typing import Self
from urllib.parse import urlsplit

from benchmarks.machine import cpu_ns, process_tree, resident_mb

PERIOD_S = 1.0
_SAMPLE = re.compile(r"^(\w+)(?:\{[^}]*\})? (\S+)$", re.MULTILINE)


class Watch:
    """Samples from ``begin`` to ``end``, in a thread of its own.

    Attributes:
        memory_mb: Seconds since the begin and resident memory of the process that answers: the one
            that used the most CPU; known at the end.
    """

    def __init__(self, root: int, control_url: str) -> None:
        """Watch the tree below the process ``root``, and the metrics at ``control_url``."""
        self._root = root
        self._control = urlsplit(control_url)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._most: dict[str, float] = {}
        self._samples: list[tuple[float, dict[int, float]]] = []
        self.memory_mb: list[tuple[float, float]] = []

    def __enter__(self) -> Self:
        """Do nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.end()

    def begin(self) -> None:
        """Begin to watch."""
        self._pids = process_tree(self._root)
        self._spent = cpu_ns(self._pids)
        self._thread.start()

    def end(self) -> None:
        """Stop watching, and find the process that answers."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
            spent = cpu_ns(self._pids)
            busiest = max(spent, key=lambda pid: spent[pid] - self._spent.get(pid, 0))
            self.memory_mb = [(at_s, mb[busiest]) for at_s, mb in self._samples]

    def most(self, metric: str) -> float:
        """Return the greatest sum over all labels that ``metric`` had; 0 if it never was seen."""
        return self._most.get(metric, 0.0)

    def _run(self) -> None:
        at_s = 0.0
        while not self._stopped.wait(PERIOD_S):
            at_s += PERIOD_S
            self._samples.append((at_s, {pid: resident_mb(pid) for pid in self._pids}))
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._scrape()

    def _scrape(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._control.port, timeout=5)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        sums: dict[str, float] = {}
        for name, value in _SAMPLE.findall(text):
            sums[name] = sums.get(name, 0.0) + float(value)
        for name, value in sums.items():
            self._most[name] = max(self._most.get(name, 0.0), value)


def slope_mb(samples: Sequence[tuple[float, float]]) -> float:
    """Return how much memory grew over the second half, along a robust line.

    Source: Theil (1950), Sen (1968): the median of all pairwise slopes.
    """
    if len(samples) < 4:
        return 0.0
    half_s = samples[-1][0] / 2
    late = [(at, mb) for at, mb in samples if at >= half_s]
    slopes = [
        (later_mb - mb) / (later - at)
        for (at, mb), (later, later_mb) in combinations(late, 2)
        if later > at
    ]
    return median(slopes) * (samples[-1][0] - half_s)
