"""A real Prometheus that scrapes one address, with the shipped alert rules at shorter windows."""

import http.client
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.programs import eventually
from tests.support.tree import ROOT

RULES = ROOT / "deploy" / "prometheus" / "steadyhand.rules.yaml"
OBJECTIVE_RULES = RULES.with_name("steadyhand.objectives.rules.yaml")
PROGRAMS = ROOT / ".prometheus" / "bin"

CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: [rules.yaml]
scrape_configs:
  - job_name: steadyhand
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""

TELLING = """
alerting:
  alertmanagers:
    - static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def program(name: str) -> Path:
    """Return ``prometheus``, ``promtool``, ``alertmanager`` or ``amtool``."""
    found = PROGRAMS / name
    assert found.exists(), "it is not here yet: make alert-tools"
    return found


def alerts(path: Path = RULES) -> list[str]:
    """Return the names of the alerts that a file ships, in their order."""
    return re.findall(r"(?m)^ +- alert: (\w+)$", path.read_text(encoding="utf-8"))


def recorded(path: Path = RULES) -> list[str]:
    """Return the names of the series that a file records, in their order."""
    return re.findall(r"(?m)^ +- record: ([\w:]+)$", path.read_text(encoding="utf-8"))


def hurried(rules: str) -> str:
    """Return ``rules`` with windows of ten seconds, and no wait before an alert fires."""
    return re.sub(r"for: \d+m", "for: 0s", re.sub(r"\[\d+m\]", "[10s]", rules))


@dataclass(frozen=True)
class Prometheus:
    """One that runs."""

    port: int
    pid: int

    def get(self, path: str) -> Any:
        """Ask its API; return the data."""
        status, body = self.ask(f"/api/v1{path}")
        assert status == 200, body
        return json.loads(body)["data"]

    def ask(self, path: str) -> tuple[int, bytes]:
        """Ask for a path; return status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def firing(self) -> dict[str, list[dict[str, str]]]:
        """Return alert → labels of each that fires now."""
        found: dict[str, list[dict[str, str]]] = {}
        for alert in self.get("/alerts")["alerts"]:
            if alert["state"] == "firing":
                found.setdefault(alert["labels"]["alertname"], []).append(alert["labels"])
        return found

    def rules(self) -> list[dict[str, Any]]:
        """Return every rule as it was last evaluated."""
        return [rule for group in self.get("/rules")["groups"] for rule in group["rules"]]

    def hang(self) -> None:
        """Stop it where it stands: what asks it waits."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)


@contextmanager
def watching(
    folder: Path,
    metrics_port: int,
    own_port: int,
    rules: str | None = None,
    alertmanager_port: int | None = None,
) -> Iterator[Prometheus]:
    """Run one until the block ends; its data go to ``folder``.

    ``rules`` are in place of the shipped ones, which are hurried.
    """
    folder.mkdir()
    (folder / "rules.yaml").write_text(rules or hurried(RULES.read_text(encoding="utf-8")))
    told = "" if alertmanager_port is None else TELLING.format(port=alertmanager_port)
    (folder / "prometheus.yaml").write_text(CONFIGURATION.format(port=metrics_port) + told)
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={folder}/prometheus.yaml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{own_port}",
            ],
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        made = Prometheus(own_port, process.pid)
        eventually(lambda: _answers(made, process, folder / "output"), "Prometheus", within_s=60)
        yield made
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(30)


def _answers(made: Prometheus, process: "subprocess.Popen[bytes]", output: Path) -> bool:
    assert process.poll() is None, output.read_text()
    try:
        return made.ask("/-/ready")[0] == 200
    except OSError:
        return False
