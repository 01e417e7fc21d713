"""The same trace as :mod:`benchmarks.cache_zipf`, smaller, through ``steadyhand serve`` and HTTP.

``python -m benchmarks.cache_outage [--requests N] [--save NAME] [--gate]``. One gateway with a rung
``cache`` above its live one, the database below its memory. Zipf's questions go one after another;
half-way the provider is killed. A request counts if its exact twin was answered by the live rung
before; it is served if it is answered with status 200 from the rung ``cache``.
"""

import argparse
import http.client
import itertools
import json
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path

from benchmarks.cache_hits import cached
from benchmarks.cache_zipf import LEAST_SERVED, zipf
from benchmarks.machine import usable_cores
from benchmarks.prompts import MODEL
from benchmarks.running import mock_upstream, start
from benchmarks.targets import HEADERS, PATH

RESULTS = Path(__file__).resolve().parent / "results"


def ask(connection: http.client.HTTPConnection, number: int) -> tuple[int, str]:
    """Send one question; return the status and the rung that answered."""
    messages = [{"role": "user", "content": f"Question {number}: how do I vacuum a table?"}]
    body = json.dumps({"messages": messages, "model": MODEL}, separators=(",", ":"))
    name, _, value = HEADERS[0].partition(": ")
    connection.request("POST", PATH, body, {"Content-Type": "application/json", name: value})
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers.get("x-steadyhand-rung", "")


def run(requests: int) -> dict[str, float]:
    """Play the trace; return what was counted."""
    cores = usable_cores()
    ranks = zipf(random.Random(20261126))
    answered: set[int] = set()
    said: Counter[str] = Counter()
    countable = served = 0
    with mock_upstream(cores[-1]) as (upstream, mock_pid):
        running = start(cached, upstream, cores[0])
        try:
            port = int(running.target.url.split(":")[2].split("/")[0])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            for number in itertools.islice(ranks, requests // 2):
                status, rung = ask(connection, number)
                if status == http.HTTPStatus.OK and rung == "live":
                    answered.add(number)
            os.kill(mock_pid, signal.SIGKILL)
            for number in itertools.islice(ranks, requests - requests // 2):
                status, rung = ask(connection, number)
                if number in answered:
                    countable += 1
                    served += (status, rung) == (http.HTTPStatus.OK, "cache")
                    said[f"{status} {rung}"] += 1
            connection.close()
        finally:
            running.stop()
    share = served / countable if countable else 0.0
    return {"requests": requests, "countable": countable, "share": share, **said}


def main() -> int:
    """Run from the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cache_outage")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.json")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if too few are served")
    given = parser.parse_args()
    found = run(given.requests)
    print(json.dumps(found))
    if given.save:
        (RESULTS / f"{given.save}.json").write_text(json.dumps(found, indent=2) + "\n")
    return int(given.gate and found["share"] < LEAST_SERVED)


if __name__ == "__main__":
    sys.exit(main())
