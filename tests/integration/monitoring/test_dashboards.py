"""Every query of every dashboard, in a real Prometheus that scrapes a demo whose model fails."""

import base64
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from deploy.grafana.source import files
from deploy.grafana.source.parts import Panel, Query
from steadyhand.settings.load import load
from steadyhand.settings.release import collect
from steadyhand.settings.scaffold import write_workspace
from tests.support.commands import steadyhand
from tests.support.ports import free_port
from tests.support.programs import eventually, running
from tests.support.prometheus import Prometheus, watching
from tests.support.tree import ROOT
from tests.support.webhooks import receiving

SETTINGS = """
[[alerts.webhooks]]
name = "team"
url = "file:hook.url"
group_wait_s = 0

[grounding.routes.support]
sample_percent = 100
"""
QUIET = {
    "steadyhand_hedges_total": "no first attempt is slow",
    "steadyhand_hedges_refused_total": "the same",
    "steadyhand_trace_lag_seconds": "traces have no receiver",
    "steadyhand_trace_entries_given_up_total": "the same",
    "steadyhand_trace_spans_total": "the same",
    "steadyhand_feedback_total": "nobody says anything of an answer",
    "steadyhand_rollout_pages_total": "the rollout has called nobody yet",
    "steadyhand_rollouts_waiting": "the same",
    "steadyhand_registry_syncs_total": "the registry has no remote",
}
"""Metrics without a sample here, and why; a query of such a metric only has to be understood."""
QUERIES = [
    (f"{board.uid}: {panel.title} {number}", panel, query)
    for board in files.BOARDS
    for row in board.rows
    for panel in row.panels
    for number, query in enumerate(panel.queries)
]


DOCUMENT = "<document>Each setting bounds the memory of one sort.</document>"


class Control:
    """The control plane, asked with the installation's own token."""

    def __init__(self, root: Path, port: int) -> None:
        self._port = port
        self._token = (root / ".steadyhand" / "control.token").read_text().strip()

    def post(self, path: str, body: object) -> Any:
        """Order something."""
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("POST", f"/api/v1{path}", json.dumps(body), headers)
            response = connection.getresponse()
            said = json.loads(response.read())
            assert response.status == 200, said
            return said
        finally:
            connection.close()

    def release(self, root: Path, note: str) -> str:
        """Put a release of the demo's route, changed by a note, and return its digest."""
        found = collect(load(root, {}, {}), "support")
        found["prompts/support.md"] += f"\n- {note}\n".encode()
        encoded = {path: base64.b64encode(content).decode() for path, content in found.items()}
        return str(self.post("/releases", {"route": "support", "files": encoded})["digest"])


@contextmanager
def traffic(port: int, keys: dict[str, str]) -> Iterator[None]:
    """Ask every route with every key, streamed and not, until the block ends."""
    stop, numbers = threading.Event(), count()

    def ask(route: str, key: str, *, stream: bool, context: str = "") -> None:
        body = {
            "model": route,
            "stream": stream,
            "messages": [
                {"role": "user", "content": f"{context}What does setting {next(numbers)} do?"}
            ],
            "steadyhand": {"conversation": f"c-{next(numbers)}"},
        }
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
            connection.getresponse().read()
        except (OSError, HTTPException):
            pass
        finally:
            connection.close()

    def ask_on() -> None:
        while not stop.wait(0.05):
            for stream in (False, True):
                ask("support", keys["demo"], stream=stream)
                ask("support", keys["demo"], stream=stream, context=DOCUMENT)
                ask("support", keys["staging"], stream=stream)
                ask("strict", keys["demo"], stream=stream)

    thread = threading.Thread(target=ask_on)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One that has seen health, two kinds of failure, and a rollout."""
    folder = tmp_path_factory.mktemp("watched")
    root = folder / "demo"
    scaffold = write_workspace(root)
    more = ("--tenant=t", "--channel=staging", "--route=support", f"--workspace={root}")
    made = steadyhand("key", "create", "staging", *more)
    assert made.returncode == 0, made.stderr
    keys = {"demo": scaffold.key_file.read_text().strip(), "staging": made.stdout.strip()}
    with receiving() as people:
        (root / "hook.url").write_text(people.url)
        settings = root / "steadyhand.toml"
        settings.write_text(settings.read_text() + SETTINGS)
        ports = ("--port", "0", "--control-port", "0")
        with running(folder, "serve", "serve", "--workspace", root, *ports) as serve:
            control_port = int(serve.says(r"control API +http://127\.0\.0\.1:(\d+)").group(1))
            port = int(serve.says(r"AI API +http://127\.0\.0\.1:(\d+)").group(1))
            with watching(folder / "prometheus", control_port, free_port()) as watched:
                _live(root, Control(root, control_port), port, keys, watched)
                yield watched


def _live(
    root: Path, control: Control, port: int, keys: dict[str, str], watched: Prometheus
) -> None:
    stable = control.release(root, "Stable.")
    control.post("/channels/staging/support/promote", {"digest": stable})
    with traffic(port, keys):
        _until(watched, 'steadyhand_released_requests_total{outcome="answered"}')
        _until(watched, "steadyhand_grounding_ungrounded_ratio")
        wanted = {"route": "support", "environment": "staging"}
        digest = control.release(root, "Candidate.")
        control.post("/rollouts", wanted | {"digest": digest, "hot": True})
        for behaviour, metric in (
            ("cut-mid-word", "steadyhand_truncated_answers_total"),
            ("error-500", 'steadyhand_requests_total{outcome="floor"}'),
        ):
            _command("break", "simulated", behaviour, root)
            _until(watched, metric)
            _until(watched, "steadyhand_breaker_openings_total > 0")
        time.sleep(5)  # until there are some samples of what came last
        _command("mend", "simulated", "", root)
        _until(watched, "steadyhand_breaker_probes_total > 0")
        time.sleep(5)


def _command(verb: str, provider: str, behaviour: str, root: Path) -> None:
    given = [verb, provider, *([behaviour] if behaviour else []), "--workspace", str(root)]
    subprocess.run(
        [sys.executable, "-m", "steadyhand", "upstreams", *given],
        check=True,
        capture_output=True,
        timeout=60,
    )


def _until(watched: Prometheus, expr: str) -> None:
    eventually(lambda: watched.get(f"/query?query={quote(expr)}")["result"], expr, within_s=120)


def filled(expr: str) -> str:
    """Return a query as Grafana asks it with everything chosen."""
    expr = expr.replace("$__rate_interval", "5m").replace("$__range", "1h")
    return re.sub(r'"\$\w+"', '".+"', expr)


@pytest.mark.parametrize(
    ("panel", "query"),
    [(panel, query) for _, panel, query in QUERIES],
    ids=[name for name, _, _ in QUERIES],
)
def test_a_query_is_answered_with_what_its_panel_shows(
    prometheus: Prometheus, panel: Panel, query: Query
) -> None:
    expr = filled(query.expr)
    assert "$" not in expr
    found = prometheus.get(f"/query?query={quote(expr)}")["result"]
    metrics = set(re.findall(r"\bsteadyhand_\w+", expr))
    assert found or (metrics and metrics <= QUIET.keys()), expr
    for one in found:
        value = float(one["value"][1])
        assert value == value, (one, "not a number")
        named = set(re.findall(r"{{(\w+)}}", query.legend))
        assert named <= one["metric"].keys(), (named, one)
        if panel.most is not None and panel.title != "Error budget left":
            assert value <= panel.most


def test_what_is_quiet_here_is_a_metric_that_there_is() -> None:
    reference = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    assert set(re.findall(r"(?m)^\| `(steadyhand_\w+)`", reference)) >= QUIET.keys()


def test_the_values_to_choose_from_are_found(prometheus: Prometheus) -> None:
    for text in files.texts().values():
        for one in json.loads(text)["templating"]["list"]:
            if one["type"] != "query":
                continue
            found = re.fullmatch(r"label_values\((.*), (\w+)\)", one["query"])
            assert found
            series = quote(filled(found[1]).replace("{}", ""))
            values = prometheus.get(f"/label/{found[2]}/values?match[]={series}")
            assert values, one["query"]
