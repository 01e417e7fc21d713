"""Two simulated providers, each a process of its own: one to be broken, one to fall back on."""

import contextlib
import http.client
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.failover.cases import HEALTHY, Case
from benchmarks.running import end_process, free_ports, start_pinned

_START_LIMIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Upstreams:
    """Ports of the two, and of nobody.

    Attributes:
        first: Plays the fault.
        second: Is healthy, or plays the same.
        dead: Nobody listens there.
    """

    first: int
    second: int
    dead: int

    def ports(self, case: Case) -> tuple[int, int]:
        """Return where the deployments of a case are."""
        return (
            self.first if case.first else self.dead,
            self.second if case.second else self.dead,
        )

    def urls(self, case: Case) -> tuple[str, str]:
        """Return the addresses of the deployments of a case."""
        first, second = self.ports(case)
        return f"http://127.0.0.1:{first}/v1", f"http://127.0.0.1:{second}/v1"

    def heal(self, cases: Sequence[Case], healthy: str = HEALTHY) -> None:
        """Make every deployment healthy, that is, behave as ``healthy``."""
        for case in cases:
            _play(self.first, first_model(case), healthy)
            _play(self.second, second_model(case), healthy)

    def break_(self, cases: Sequence[Case]) -> None:
        """Make every deployment behave as its case says."""
        for case in cases:
            _play(self.first, first_model(case), case.first or HEALTHY)
            _play(self.second, second_model(case), case.second or HEALTHY)

    def calls(self) -> dict[str, int]:
        """Return model → requests that have reached it."""
        first, second = _status(self.first), _status(self.second)
        return {**first["by_model"], **second["by_model"]}


def first_model(case: Case) -> str:
    """Return the name of the first deployment's model."""
    return f"first-{case.name}"


def second_model(case: Case) -> str:
    """Return the name of the second deployment's model."""
    return f"second-{case.name}"


def _play(port: int, model: str, behaviour: str) -> None:
    _ask(port, "POST", json.dumps({"behaviour": behaviour, "model": model}).encode())


def _status(port: int) -> dict[str, Any]:
    found: dict[str, Any] = _ask(port, "GET", b"")
    return found


def _ask(port: int, method: str, body: bytes) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, "/simulate", body)
        response = connection.getresponse()
        found = response.read()
        if response.status != 200:
            raise RuntimeError(f"the simulator says {found.decode(errors='replace')}")
        return json.loads(found)
    finally:
        connection.close()


@contextlib.contextmanager
def upstreams(core: int) -> Iterator[Upstreams]:
    """Run both on ``core``."""
    first, second, dead = free_ports(3)
    with tempfile.TemporaryDirectory(prefix="steadyhand-failover-") as folder:
        started = [
            start_pinned(
                (sys.executable, "-m", "steadyhand", "simulate", "--port", str(port)),
                core,
                Path(folder) / f"{port}.log",
            )
            for port in (first, second)
        ]
        try:
            for port in (first, second):
                _await(port)
            yield Upstreams(first, second, dead)
        finally:
            for process in started:
                end_process(process)


def _await(port: int) -> None:
    end_s = time.monotonic() + _START_LIMIT_S
    while True:
        try:
            _status(port)
        except OSError:
            if time.monotonic() > end_s:
                raise
            time.sleep(0.05)
        else:
            return
