"""How long after a fault a person is told, through Prometheus and Alertmanager as they are shipped.

``python -m benchmarks.alert_chain [--gate] [--save NAME] [--repeats N]``; wants ``make
alert-tools``. Each repeat is an installation of its own, with a simulated provider in a process of
its own, a real Prometheus with the shipped rules of objectives, which scrapes and evaluates each
second, and a real Alertmanager with the shipped configuration. Traffic comes at a steady rate. At
a moment that no clock of theirs knows the provider begins to answer 500; the time is from there
until the webhook of a person has the page, on one clock. The rule holds for 30 seconds.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.machine import describe
from tests.support.alert_chain import Chain, chained
from tests.support.canned_upstream import CannedUpstream
from tests.support.installations import (
    Installation,
    Upstreams,
    route_text,
    settings_text,
    simulated_upstream,
)
from tests.support.programs import eventually
from tests.support.prometheus import OBJECTIVE_RULES

ALERT: Final = "SteadyhandBudgetBurns"
MOST_S: Final = 35.0
HOLD_S: Final = 30.0
RATE: Final = 20.0
HEALTHY_S: Final = 10.0
RESULTS: Final = Path(__file__).resolve().parent / "results"
PROMISE: Final = """
[objectives.routes.support]
answered = {target_percent = 99}
"""


@contextmanager
def traffic(house: Installation) -> Iterator[None]:
    """Ask at a steady rate until the block ends."""
    stop = threading.Event()

    def ask() -> None:
        while not stop.wait(1 / RATE):
            house.ask("support")

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def told_s(chain: Chain) -> float | None:
    """Return when the page came."""
    for got in chain.people.received:
        for alert in got.json["alerts"]:
            if (alert["labels"]["alertname"], alert["status"]) == (ALERT, "firing"):
                assert alert["annotations"]["runbook"], alert
                return got.at_s
    return None


def once(folder: Path) -> float:
    """Return the seconds from a fault to its page."""
    with simulated_upstream(folder) as simulated:
        upstreams = Upstreams(simulated, CannedUpstream(9), 9)
        files = {
            "steadyhand.toml": settings_text(upstreams) + PROMISE,
            "routes/support.toml": route_text("up/steady"),
        }
        rules = OBJECTIVE_RULES.read_text(encoding="utf-8")
        with chained(folder, upstreams, files, rules) as chain, traffic(chain.house):
            time.sleep(HEALTHY_S + random.random())
            if told_s(chain) is not None:
                raise RuntimeError("a page came before the fault")
            broken_s = time.monotonic()
            simulated.control("POST", "/simulate", {"behaviour": "error-500"})
            return eventually(lambda: told_s(chain), "the page", within_s=120) - broken_s


def run(repeats: int) -> list[float]:
    """Return the seconds of each repeat."""
    seconds = []
    for number in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            seconds.append(round(once(Path(folder)), 2))
        print(f"{number + 1} of {repeats}: {seconds[-1]} s", file=sys.stderr, flush=True)
    return seconds


def main() -> int:
    """Run, and say whether the limit is past."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gate", action="store_true")
    parser.add_argument("--save", default="")
    parser.add_argument("--repeats", type=int, default=8)
    given = parser.parse_args()
    seconds = run(given.repeats)
    found = {
        "repeats": len(seconds),
        "median_s": round(statistics.median(seconds), 2),
        "most_s": max(seconds),
        "hold_s": HOLD_S,
    }
    print(json.dumps(found))
    if given.save:
        kept = {"machine": describe(), **found, "limit_s": MOST_S, "seconds": seconds}
        (RESULTS / f"{given.save}.json").write_text(json.dumps(kept, indent=1) + "\n")
    if found["most_s"] > MOST_S:
        print(f"past the limit: {found['most_s']} s, at most {MOST_S}", file=sys.stderr)
        return int(given.gate)
    return 0


if __name__ == "__main__":
    sys.exit(main())
