"""From the verdict to the last request on the bad release, and what the loop costs.

``python -m benchmarks.rollouts.reaction [--gate] [--save NAME] [--rollouts N]``. One installation
with four gateway processes, the demo's workspace, traffic at a steady rate on kept connections, a
candidate at 5 %. The verdict is a person's (``force``), so that it comes at a moment that we
choose; what follows is the same as after one of evidence. Times are of one clock: the verdict's,
and when each request was sent. Then the CPU time of the control process is compared, under the same
traffic, with and without an open rollout.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import cpu_ns, describe, process_tree
from benchmarks.propagation import PROCESSES, RESULTS, Control, release, served
from steadyhand.settings.scaffold import write_workspace

CONNECTIONS: Final = 32
RATE: Final = 100.0
COST_RATE: Final = 500.0
COST_S: Final = 20.0
MOST_S: Final = 2.0
MOST_CORE: Final = 0.02
GIVE_UP_S: Final = 30.0


class Asking:
    """Asks at a steady rate from threads, and remembers when a release answered last."""

    def __init__(self, port: int, key: str, per_s: float) -> None:
        self.last_s: dict[str, float] = {}
        self.asked = 0
        self._port, self._key, self._per_s = port, key, per_s
        self._numbers = count()
        self._began_s = time.monotonic()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask_on) for _ in range(CONNECTIONS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask_on(self) -> None:
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=30)) as connection:
            while not self._stop.is_set():
                number = next(self._numbers)
                wait_s = self._began_s + number / self._per_s - time.monotonic()
                if self._stop.wait(max(0.0, wait_s)):
                    return
                asked_s = time.time()
                with suppress(OSError, HTTPException):
                    digest = self._ask(connection, number)
                    self.asked += 1
                    self.last_s[digest] = max(asked_s, self.last_s.get(digest, 0.0))

    def _ask(self, connection: HTTPConnection, number: int) -> str:
        body = {
            "model": "support",
            "messages": [{"role": "user", "content": f"What does setting {number} do?"}],
            "steadyhand": {"conversation": f"{self._began_s}-{number}"},
        }
        headers = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        response = connection.getresponse()
        response.read()
        return response.headers.get("x-steadyhand-release", "")


def rolled_back(control: Control, port: int, key: str, root: Path, number: int) -> dict[str, float]:
    """Begin a rollout, order its end, and return how long the parts took, in seconds."""
    digest = release(control, root, f"Candidate {number}.")
    wanted = {"route": "support", "environment": "staging", "digest": digest, "hot": True}
    id_ = str(control.post("/rollouts", wanted)["id"])
    asking = Asking(port, key, RATE)
    try:
        until_s = time.monotonic() + GIVE_UP_S
        while digest not in asking.last_s:
            if time.monotonic() > until_s:
                raise RuntimeError("the candidate is not served")
            time.sleep(0.05)
        control.post(f"/rollouts/{id_}/force", {"decision": "roll_back", "note": "measured"})
        found = control.get(f"/rollouts/{id_}")
        while not found["outcome"]:
            if time.monotonic() > until_s:
                raise RuntimeError(f"not over: {found['work']}")
            time.sleep(0.05)
            found = control.get(f"/rollouts/{id_}")
        time.sleep(0.5)
    finally:
        asking.stop()
    verdict_s = found["work"]["verdict_us"] / 1e6
    return {
        "last_request_s": max(0.0, asking.last_s[digest] - verdict_s),
        "drained_s": found["work"]["drained_us"] / 1e6 - verdict_s,
        "committed_s": found["work"]["synced_us"] / 1e6 - verdict_s,
        "verified_s": found["work"]["verified_us"] / 1e6 - verdict_s,
    }


def control_core(port: int, key: str, pid: int) -> dict[str, float]:
    """Return which part of a core the control process uses under traffic, and what was asked."""
    asking = Asking(port, key, COST_RATE)
    time.sleep(2.0)
    asked, began_s, began_ns = asking.asked, time.monotonic(), sum(cpu_ns([pid]).values())
    time.sleep(COST_S)
    used_ns, lasted_s = sum(cpu_ns([pid]).values()) - began_ns, time.monotonic() - began_s
    asked = asking.asked - asked
    asking.stop()
    return {"core": used_ns / 1e9 / lasted_s, "per_s": asked / lasted_s}


def control_pid(root: Path) -> int:
    """Return the process of the control plane: the supervisor's child that is niced."""
    supervisor = int((root / ".steadyhand" / "run" / "supervisor.pid").read_text().split()[0])
    niced = [pid for pid in process_tree(supervisor) if os.getpriority(os.PRIO_PROCESS, pid) == 10]
    return niced[0]


def run(rollouts: int) -> dict[str, Any]:
    """Measure both."""
    with tempfile.TemporaryDirectory(prefix="steadyhand-reaction-") as folder:
        root = Path(folder) / "demo"
        write_workspace(root)
        more = ["--tenant", "t", "--channel", "staging", "--route", "support"]
        more += ["--workspace", str(root)]
        key = subprocess.run(
            [sys.executable, "-m", "steadyhand", "key", "create", "bench", *more],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        with served(root) as (port, control_port):
            control = Control(root, control_port)
            stable = release(control, root, "Stable.")
            control.post("/channels/staging/support/promote", {"digest": stable})
            seconds = [rolled_back(control, port, key, root, number) for number in range(rollouts)]
            pid = control_pid(root)
            costs = []
            for number in range(2):
                without = control_core(port, key, pid)
                control = Control(root, control_port)  # the one before has been idle too long
                digest = release(control, root, f"Open {number}.")
                wanted = {"route": "support", "environment": "staging", "digest": digest}
                id_ = control.post("/rollouts", wanted | {"hot": True})["id"]
                with_one = control_core(port, key, pid)
                control = Control(root, control_port)
                control.post(f"/rollouts/{id_}/abort", {"note": "measured"})
                time.sleep(2.0)
                costs.append({"without": without, "with": with_one})
    return {"rollouts": seconds, "costs": costs}


def main() -> int:
    """Run, and say which limit is past."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gate", action="store_true")
    parser.add_argument("--save", default="")
    parser.add_argument("--rollouts", type=int, default=20)
    given = parser.parse_args()
    made = run(given.rollouts)
    parts = {
        name: {
            "p50": round(statistics.median(one[name] for one in made["rollouts"]), 3),
            "most": round(max(one[name] for one in made["rollouts"]), 3),
        }
        for name in made["rollouts"][0]
    }
    loop = max(cost["with"]["core"] - cost["without"]["core"] for cost in made["costs"])
    found = {
        "machine": describe(),
        "processes": PROCESSES,
        "rollouts": given.rollouts,
        "requests_per_s": RATE,
        "seconds_after_the_verdict": parts,
        "control_core": made["costs"],
        "loop_core": round(loop, 4),
    }
    print(json.dumps(found, indent=1))
    if given.save:
        (RESULTS / f"{given.save}.json").write_text(json.dumps(found, indent=1) + "\n")
    past = []
    if parts["last_request_s"]["most"] > MOST_S:
        past.append(f"a request {parts['last_request_s']['most']} s after the verdict")
    if loop > MOST_CORE:
        past.append(f"the loop costs {loop:.1%} of a core, at most {MOST_CORE:.0%}")
    for text in past:
        print(f"past the limit: {text}", file=sys.stderr)
    return int(bool(past) and given.gate)


if __name__ == "__main__":
    sys.exit(main())
