"""What health costs a request on the path where all is well, in microseconds of one core.

``python -m benchmarks.health``: a minute of simulated traffic at one deployment, 1,000 requests a
second of many sizes, so that cohorts mature, readings go stale and costs are worked out as they do
in a gateway. Each call is timed as a loop over many, the loop itself taken off.
"""

import json
import sys
from collections.abc import Callable
from random import Random
from time import thread_time_ns

from steadyhand.routing.health.book import Health
from steadyhand.routing.model import DeploymentId

REQUESTS = 60_000
RATE = 1_000.0
ROUNDS = 5


def arguments() -> list[tuple[float, float, int, float]]:
    """Return (begins, draw, bytes, first content) of each request; made before any timing."""
    draws = Random(7)
    now_s, made = 100.0, []
    for _ in range(REQUESTS):
        now_s += 1 / RATE
        made.append((now_s, draws.random(), 1 << draws.randint(7, 16), 0.001 + draws.random() / 9))
    return made


def one_round(made: list[tuple[float, float, int, float]]) -> dict[str, float]:
    """Return call → microseconds a request, all calls of a request beside each other."""
    health = Health().of(DeploymentId("acme", "small"))
    spent = dict.fromkeys(("admit", "reading", "began", "first_content", "ended"), 0)
    empty = 0
    clock = thread_time_ns
    for now_s, draw, size, latency_s in made:
        at0 = clock()
        at1 = clock()
        health.admit(now_s, draw)
        at2 = clock()
        health.reading(now_s)
        at3 = clock()
        begun = health.began(now_s, size, True, 1.5)  # noqa: FBT003 - as the climb calls it
        at4 = clock()
        begun.first_content(now_s + latency_s)
        at5 = clock()
        begun.ended(now_s + latency_s + 1.2 + draw, "ok", 120)
        at6 = clock()
        empty += at1 - at0
        spent["admit"] += at2 - at1
        spent["reading"] += at3 - at2
        spent["began"] += at4 - at3
        spent["first_content"] += at5 - at4
        spent["ended"] += at6 - at5
    return {call: (ns - empty) / 1_000 / len(made) for call, ns in spent.items()}


def best(rounds: Callable[[], dict[str, float]], count: int) -> dict[str, float]:
    """Return the quietest of some rounds: others on the machine only ever add."""
    return min((rounds() for _ in range(count)), key=lambda each: sum(each.values()))


def main() -> int:
    """Print a line for each call, and the sum."""
    made = arguments()
    found = best(lambda: one_round(made), ROUNDS)
    if "--json" in sys.argv:
        print(json.dumps(found))
        return 0
    for call, us in found.items():
        print(f"{call:>14} {us:6.2f} µs")
    print(f"{'sum':>14} {sum(found.values()):6.2f} µs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
