"""Compare what callers get from gateways whose upstream fails.

    python -m benchmarks.failover                      # everything, about half an hour
    python -m benchmarks.failover --only steadyhand    # some gateways
    python -m benchmarks.failover --quick              # half a second a case, to see that it runs
    python -m benchmarks.failover --cases drip,error-200 --only litellm --rates 20

What is done is kept in ``--state`` (``build/failover/state.json``) after each gateway and rate, so
that a run that was stopped goes on where it was; ``--again`` begins anew. ``--save NAME`` writes
``benchmarks/results/NAME.md``, ``.json`` and ``.svg``.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.failover import environments
from benchmarks.failover.cases import CASES, Case, chosen
from benchmarks.failover.gateways import GATEWAYS, Gateway
from benchmarks.failover.playing import capacity, play
from benchmarks.failover.report import write
from benchmarks.failover.upstreams import Upstreams, upstreams
from benchmarks.load import raise_file_limit
from benchmarks.machine import Cores, describe, usable_cores
from benchmarks.running import NotStarted
from benchmarks.targets import Unavailable

SECONDS, QUICK_SECONDS = 2.0, 0.5
CAPACITY_S = 6.0
ALIKE = 1.25
"""Two rates of a gateway that are no further apart are measured once."""


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.failover")
    parser.add_argument("--only", type=_names, default=[], help=f"of {','.join(GATEWAYS)}")
    parser.add_argument("--cases", type=_names, default=[], help="names of the table's rows")
    parser.add_argument("--rates", type=_names, default=[], help="requests a second; 0: half")
    parser.add_argument("--seconds", type=float, default=0.0, help="of each case")
    parser.add_argument("--quick", action="store_true", help="half a second of each case")
    parser.add_argument("--environments", type=Path, default=environments.DEFAULT)
    parser.add_argument("--state", type=Path, default=environments.DEFAULT / "state.json")
    parser.add_argument("--again", action="store_true", help="forget what was done before")
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.*")
    given = parser.parse_args(arguments)
    unknown = set(given.only) - GATEWAYS.keys()
    if unknown:
        parser.error(f"no gateway is called {', '.join(sorted(unknown))}")
    try:
        chosen(given.cases)
    except KeyError as error:
        parser.error(f"no case is called {error}; known are {', '.join(c.name for c in CASES)}")
    given.seconds = given.seconds or (QUICK_SECONDS if given.quick else SECONDS)
    return given


class Run:
    """One run: what is wanted, what is done."""

    def __init__(self, given: argparse.Namespace, cores: Cores, found: Upstreams) -> None:
        """Take up what ``given.state`` has, if it is of the same cases and seconds."""
        self._given = given
        self._cores = cores
        self._upstreams = found
        self._cases: list[Case] = chosen(given.cases)
        self.state: dict[str, Any] = {
            "machine": describe(),
            "seconds": given.seconds,
            "cases": [case.name for case in self._cases],
            "gateways": {},
        }
        if given.state.exists() and not given.again:
            before = json.loads(given.state.read_text(encoding="utf-8"))
            if all(before.get(key) == self.state[key] for key in ("seconds", "cases")):
                self.state = before

    def one(self, name: str, gateway: Gateway) -> None:
        """Play everything against one gateway."""
        done = self.state["gateways"].setdefault(
            name, {"title": gateway.title, "capacity_per_s": 0.0, "rates": {}}
        )
        rates = [float(rate) for rate in self._given.rates] or list(gateway.rates)
        for rate in rates:
            wanted = rate or self._half(name, gateway, done)
            key = f"{wanted:.0f}"
            is_known = any(self._alike(wanted, float(other)) for other in done["rates"])
            if is_known:
                _say(f"{name} at {key}/s: measured already")
                continue
            begun_s = time.monotonic()
            played = play(
                gateway,
                self._upstreams,
                self._cases,
                self._cores,
                self._given.environments,
                rate=wanted,
                seconds=self._given.seconds,
                progress=partial(_progress, f"{name} at {key}/s"),
            )
            done["rates"][key] = played.as_json()
            self._keep()
            _say(f"{name} at {key}/s: done in {time.monotonic() - begun_s:.0f} s")

    def _half(self, name: str, gateway: Gateway, done: dict[str, Any]) -> float:
        if not done["capacity_per_s"]:
            case = chosen(["steady"])[0]
            done["capacity_per_s"] = capacity(
                gateway,
                self._upstreams,
                case,
                self._cores,
                self._given.environments,
                1.0 if self._given.quick else CAPACITY_S,
            )
            _say(f"{name} answers {done['capacity_per_s']:.0f} requests a second")
        return float(done["capacity_per_s"]) / 2

    @staticmethod
    def _alike(one: float, other: float) -> bool:
        return max(one, other) <= ALIKE * min(one, other)

    def _keep(self) -> None:
        file: Path = self._given.state
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(self.state, indent=1) + "\n", encoding="utf-8")


def _progress(who: str, text: str) -> None:
    _say(f"{who}: {text}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit code."""
    given = read_arguments(arguments)
    raise_file_limit()
    usable = usable_cores()
    cores = Cores(usable[0], usable[-1])
    os.sched_setaffinity(0, {cores.load})
    missing = False
    with upstreams(cores.load) as found:
        run = Run(given, cores, found)
        for name, gateway in GATEWAYS.items():
            if given.only and name not in given.only:
                continue
            try:
                run.one(name, gateway)
            except (Unavailable, NotStarted) as error:
                _say(f"{name} is left out: {error}")
                missing = True
    write(run.state, given.save)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
