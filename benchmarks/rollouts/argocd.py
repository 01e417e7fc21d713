"""Our part of a roll-back through Argo CD: what is not its own comparing and deploying.

``python -m benchmarks.rollouts.argocd [--gate] [--save NAME] [--rollbacks N]``. The driver, looked
at as often as a controller in a hurry does, against the stub of the tests on a real socket, in real
time. The stub compares and deploys in ``RECONCILE_S`` each, and would look at Git by itself each
two minutes. The revert is in Git when the clock starts.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.machine import describe
from steadyhand.rollouts.argocd.client import Address, ArgoCd
from steadyhand.rollouts.argocd.steps import Terms
from steadyhand.rollouts.controller import HURRY_S
from steadyhand.rollouts.drivers.argocd import ArgoCdDriver
from steadyhand.rollouts.drivers.base import Order
from tests.support.argocd_stub import NAME, TOKEN, Argo, serving

RECONCILE_S: Final = 0.5
MOST_S: Final = 2.0
RESULTS: Final = Path(__file__).resolve().parent.parent / "results"
ORDER: Final = Order("support", "production", "revert", "sha256:bad", "sha256:good")


def rolled_back(chance: Random, *, is_automated: bool) -> float:
    """Return the seconds from the order to its end, Argo CD's own left out."""
    argo = Argo(time.monotonic, reconcile_s=RECONCILE_S, is_automated=is_automated)
    argo.git.append("revert")
    argo._polled_s = time.monotonic()  # it has just looked
    with serving(argo) as address:
        driver, held = ArgoCdDriver(ArgoCd(Address(address, NAME), lambda: TOKEN), Terms()), ""
        began_s = time.monotonic()
        time.sleep(chance.random() * HURRY_S)  # the controller was between two looks
        while True:
            found = driver.sync(ORDER, held, time.time())
            held = found.held
            if found.outcome == "done":
                break
            time.sleep(HURRY_S)
        steps = 2 if is_automated else 1
        return time.monotonic() - began_s - steps * RECONCILE_S


def main() -> int:
    """Run, and say whether the limit is past."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gate", action="store_true")
    parser.add_argument("--save", default="")
    parser.add_argument("--rollbacks", type=int, default=20)
    given = parser.parse_args()
    chance = Random(6)
    ours = {
        name: [rolled_back(chance, is_automated=auto) for _ in range(given.rollbacks)]
        for name, auto in (("auto_sync", True), ("manual_sync", False))
    }
    found = {
        "machine": describe(),
        "rollbacks": given.rollbacks,
        "reconcile_s": RECONCILE_S,
        "our_part_s": {
            name: {"p50": round(statistics.median(all_), 3), "most": round(max(all_), 3)}
            for name, all_ in ours.items()
        },
    }
    print(json.dumps(found, indent=1))
    if given.save:
        (RESULTS / f"{given.save}.json").write_text(json.dumps(found, indent=1) + "\n")
    most = max(map(max, ours.values()))
    if most > MOST_S:
        print(f"past the limit: {most:.2f} s, at most {MOST_S}", file=sys.stderr)
        return int(given.gate)
    return 0


if __name__ == "__main__":
    sys.exit(main())
