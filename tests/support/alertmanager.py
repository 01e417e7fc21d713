"""A real Alertmanager with the shipped configuration, whose two addresses are those of a test."""

import http.client
import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.programs import eventually
from tests.support.prometheus import program
from tests.support.tree import ROOT

CONFIGURATION = ROOT / "deploy" / "prometheus" / "alertmanager.yaml"
PEOPLE = "https://pager.example/hook"
CONTROL = "http://127.0.0.1:8081/"
TOKEN = "/etc/alertmanager/steadyhand.token"


@dataclass(frozen=True)
class Alertmanager:
    """One that runs."""

    port: int

    def alerts(self) -> list[dict[str, Any]]:
        """Return what it knows of."""
        return list(json.loads(self._ask("GET", "/api/v2/alerts")))

    def tell(self, alerts: Sequence[dict[str, Any]]) -> None:
        """Tell it of alerts, as a Prometheus does."""
        self._ask("POST", "/api/v2/alerts", json.dumps(alerts))

    def is_ready(self) -> bool:
        """Tell whether it answers."""
        try:
            return bool(self._ask("GET", "/-/ready"))
        except OSError:
            return False

    def _ask(self, method: str, path: str, body: str | None = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, text
            return text
        finally:
            connection.close()


def configuration(people_url: str, control_port: int, token: Path) -> str:
    """Return the shipped configuration with addresses put into place."""
    text = CONFIGURATION.read_text(encoding="utf-8")
    for old, new in (
        (PEOPLE, people_url),
        (CONTROL, f"http://127.0.0.1:{control_port}/"),
        (TOKEN, str(token)),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@contextmanager
def alerting(folder: Path, own_port: int, text: str) -> Iterator[Alertmanager]:
    """Run one until the block ends; its data go to ``folder``."""
    folder.mkdir()
    (folder / "alertmanager.yaml").write_text(text)
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [
                program("alertmanager"),
                f"--config.file={folder}/alertmanager.yaml",
                f"--storage.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{own_port}",
                "--cluster.listen-address=",
            ],
            cwd=program("alertmanager").parents[1],  # its templates are found from there
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        made = Alertmanager(own_port)

        def answers() -> bool:
            assert process.poll() is None, (folder / "output").read_text()
            return made.is_ready()

        eventually(answers, "Alertmanager", within_s=60)
        yield made
    finally:
        process.terminate()
        process.wait(30)
