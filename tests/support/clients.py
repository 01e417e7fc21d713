"""Clients that others wrote, run as programs of their own against an installation.

Each program (``tests/e2e/clients``) asks for everything once and prints a line of JSON for each
scenario. It runs in the environment that ``make clients`` makes, because these libraries and ours
do not agree on versions.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Timer
from typing import Any

import pytest

from tests.support.installations import KEY, Installation, marker
from tests.support.tree import ROOT

ENVIRONMENT = ROOT / ".venv-clients"
NODE = ROOT / "tests/e2e/clients/node"
INSTALLED = ENVIRONMENT / ".done"
AT_ONCE = 2
PATIENCE_S = 300.0
QUIET = {
    "DO_NOT_TRACK": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it looks for prices on the network at import
    "NO_PROXY": "127.0.0.1",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",  # else it sends traces to OpenAI
}


@dataclass(frozen=True)
class Client:
    """A library, the program that speaks by it, and what it makes of errors.

    Attributes:
        name: Of the tests.
        program: A Python module beside the tests, or a file for Node and its arguments.
        errors: The exception for each kind of failure: its name, or that of a base.
        scenarios: What its program runs.
    """

    name: str
    program: tuple[str, ...]
    errors: Mapping[str, str]
    scenarios: frozenset[str]

    def command(self) -> list[str]:
        """Return how to start it."""
        first, *more = self.program
        if first.endswith(".js"):
            return [str(ENVIRONMENT / "bin/node"), str(NODE / first), *more]
        module = f"tests.e2e.clients.programs.{first}"
        return [str(ENVIRONMENT / "bin/python"), "-m", module, *more]


@dataclass
class Answers:
    """What one program found.

    Attributes:
        word: What all its questions carry.
        lines: Its results by scenario.
        bodies: The latest requests with its word, as they came upstream, right after its retries.
        said: Everything that it printed, for a human.
    """

    word: str
    lines: dict[str, dict[str, Any]] = field(default_factory=dict)
    bodies: list[str] = field(default_factory=list)
    said: str = ""

    def found(self, scenario: str) -> dict[str, Any]:
        """Return the result of a scenario; the test fails with the program's own traceback."""
        line = self.lines.get(scenario)
        assert line is not None, f"no word of {scenario}:\n{self.said}"
        assert "broke" not in line, f"{scenario} broke:\n{line['broke']}"
        found: dict[str, Any] = line["found"]
        return found


def run(client: Client, house: Installation) -> Answers:
    """Run one program to its end."""
    answers = Answers(marker())
    process = subprocess.Popen(
        client.command(),
        cwd=ROOT,
        env={
            "HOME": os.environ.get("HOME", "/"),
            "PATH": os.environ["PATH"],
            "STEADYHAND_URL": f"http://127.0.0.1:{house.port}/v1",
            "STEADYHAND_KEY": KEY,
            "STEADYHAND_WORD": answers.word,
            **QUIET,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    patience = Timer(PATIENCE_S, process.kill)
    patience.start()
    with process:
        for line in process.stdout or ():
            answers.said += line.decode(errors="replace")
            if line.startswith(b'{"scenario"'):
                result = json.loads(line)
                answers.lines[result["scenario"]] = result
                if result["scenario"] == "retries":  # soon: only the latest requests are kept
                    rows = house.simulated.control("GET", "/simulate/requests")["requests"]
                    answers.bodies = [row["body"] for row in rows if answers.word in row["body"]]
    patience.cancel()
    return answers


class Conversations:
    """The programs' runs, begun in the background, slowest first."""

    def __init__(self, house: Installation, clients: list[Client]) -> None:
        if not INSTALLED.exists():
            pytest.fail("the clients are not installed: make clients", pytrace=False)
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._runs: dict[str, Future[Answers]] = {
            client.name: self._pool.submit(run, client, house) for client in clients
        }

    def of(self, client: Client) -> Answers:
        """Return what a client found, waiting for it."""
        return self._runs[client.name].result()

    def close(self) -> None:
        """Start none that has not begun, and wait for those that have."""
        self._pool.shutdown(cancel_futures=True)
