"""How long a moved channel takes to be served by every gateway process.

``python -m benchmarks.propagation [--gate] [--save NAME] [--moves N]``. One installation with four
gateway processes on this machine, the demo's workspace, and two releases of its route. A channel is
promoted from one to the other by REST, again and again, each a signed commit that is on disk when
the answer comes. From then on 32 kept connections, which the kernel spread over the processes, ask
in turn until each has an answer of the new release. The time is that of the slowest.
"""

import argparse
import base64
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import describe
from steadyhand.settings.load import load
from steadyhand.settings.release import collect
from steadyhand.settings.scaffold import write_workspace

PROCESSES: Final = 4
CONNECTIONS: Final = 32
MOST_P99_S: Final = 2.0
GIVE_UP_S: Final = 30.0
RESULTS: Final = Path(__file__).resolve().parent / "results"
QUESTION: Final = json.dumps({"model": "support", "messages": [{"role": "user", "content": "Hi"}]})


@contextmanager
def served(root: Path) -> Iterator[tuple[int, int]]:
    """Serve the workspace and return the ports of the AI API and of the control plane."""
    environment = os.environ | {"STEADYHAND_SERVER__PROCESSES": str(PROCESSES)}
    command = [sys.executable, "-m", "steadyhand", "serve", "--workspace", str(root)]
    said = root.parent / "output.txt"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", "0", "--control-port", "0"],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until_s = time.monotonic() + GIVE_UP_S
        while len(ports := re.findall(r"http://127\.0\.0\.1:(\d+)", said.read_text())) < 2:
            if time.monotonic() > until_s or process.poll() is not None:
                raise RuntimeError(said.read_text())
            time.sleep(0.05)
        yield int(ports[0]), int(ports[1])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


class Control:
    """The control plane, asked with the installation's own token."""

    def __init__(self, root: Path, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        token = (root / ".steadyhand" / "control.token").read_text().strip()
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    def post(self, path: str, body: object) -> Any:
        """Order something."""
        return self._send("POST", path, json.dumps(body))

    def get(self, path: str) -> Any:
        """Look at something."""
        return self._send("GET", path, None)

    def _send(self, method: str, path: str, body: str | None) -> Any:
        self._connection.request(method, f"/api/v1{path}", body, self._headers)
        response = self._connection.getresponse()
        said = json.loads(response.read())
        if response.status != 200:
            raise RuntimeError(said)
        return said


def release(control: Control, root: Path, note: str) -> str:
    """Put a release of the demo's route, changed by a note, and return its digest."""
    files = collect(load(root, {}, {}), "support")
    files["prompts/support.md"] += f"\n- {note}\n".encode()
    encoded = {path: base64.b64encode(content).decode() for path, content in files.items()}
    return str(control.post("/releases", {"route": "support", "files": encoded})["digest"])


def ask(connection: HTTPConnection, key: str) -> str:
    """Return the release that answers on a connection."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", QUESTION, headers)
    response = connection.getresponse()
    response.read()
    return response.headers.get("x-steadyhand-release", "")


def moved(control: Control, connections: list[HTTPConnection], key: str, digest: str) -> float:
    """Promote a release; return the seconds until every connection has an answer of it."""
    control.post("/channels/staging/support/promote", {"digest": digest})
    began_s = time.perf_counter()
    waiting = list(connections)
    while waiting:
        waiting = [one for one in waiting if ask(one, key) != digest]
        if time.perf_counter() - began_s > GIVE_UP_S:
            raise RuntimeError(f"not served within {GIVE_UP_S:g} s")
    return time.perf_counter() - began_s


def run(moves: int) -> list[float]:
    """Return the seconds of each move."""
    with tempfile.TemporaryDirectory(prefix="steadyhand-propagation-") as folder:
        root = Path(folder) / "demo"
        write_workspace(root)
        command = [sys.executable, "-m", "steadyhand", "key", "create", "bench", "--tenant", "t"]
        more = ["--channel", "staging", "--route", "support", "--workspace", str(root)]
        key = subprocess.run(
            [*command, *more], capture_output=True, text=True, check=True
        ).stdout.strip()
        with served(root) as (port, control_port):
            control = Control(root, control_port)
            digests = [release(control, root, note) for note in ("One.", "Two.")]
            connections = [
                HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(CONNECTIONS)
            ]
            moved(control, connections, key, digests[0])
            return [
                moved(control, connections, key, digests[(number + 1) % 2])
                for number in range(moves)
            ]


def main() -> int:
    """Run, and say whether the limit is past."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gate", action="store_true")
    parser.add_argument("--save", default="")
    parser.add_argument("--moves", type=int, default=120)
    given = parser.parse_args()
    seconds = run(given.moves)
    found = {
        "moves": len(seconds),
        "p50_s": round(statistics.median(seconds), 3),
        "p99_s": round(statistics.quantiles(seconds, n=100)[98], 3),
        "most_s": round(max(seconds), 3),
    }
    print(json.dumps(found))
    if given.save:
        kept = {"machine": describe(), "processes": PROCESSES, **found, "limit_p99_s": MOST_P99_S}
        (RESULTS / f"{given.save}.json").write_text(json.dumps(kept, indent=1) + "\n")
    if found["p99_s"] > MOST_P99_S:
        print(f"past the limit: p99 {found['p99_s']} s, at most {MOST_P99_S}", file=sys.stderr)
        return int(given.gate)
    return 0


if __name__ == "__main__":
    sys.exit(main())
