"""Grafana's dashboards: what is committed is what the sources say, and somebody can read them."""

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from deploy.grafana.source import files
from deploy.grafana.source.parts import Board, Panel
from tests.support.prometheus import OBJECTIVE_RULES, RULES, alerts
from tests.support.tree import ROOT

BOARDS = files.BOARDS
UNITS = {"reqps", "percentunit", "s", "short", "ops", "currencyUSD", "cps", "none"}
"""Units of Grafana that say something of our numbers."""
ON_CALL = ROOT / "docs" / "operations" / "on-call.md"
REFERENCE = ROOT / "docs" / "reference" / "metrics.md"


def boards() -> list[dict[str, Any]]:
    return [json.loads(text) for text in files.texts().values()]


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in board["panels"] if one["type"] != "row"]


ALL = [(board, panel) for board in boards() for panel in panels(board)]
each_board = pytest.mark.parametrize("board", boards(), ids=lambda board: board["uid"])
each_panel = pytest.mark.parametrize(
    ("board", "panel"), ALL, ids=[f"{board['uid']}-{panel['title']}" for board, panel in ALL]
)


def expressions(panel: dict[str, Any]) -> list[str]:
    return [target["expr"] for target in panel["targets"]]


def labels_of_metrics() -> dict[str, set[str]]:
    """Return metric → labels, of the reference."""
    rows = re.findall(
        r"(?m)^\| `(steadyhand_\w+)` \| (\w+) \| (.*?) \|", REFERENCE.read_text(encoding="utf-8")
    )
    found: dict[str, set[str]] = {}
    for name, kind, labels in rows:
        known = set(re.findall(r"`(\w+)`", labels)) | {"job", "instance"}
        for suffix in ("_bucket", "_count", "_sum") if kind == "histogram" else ("",):
            found[name + suffix] = known | ({"le"} if suffix == "_bucket" else set())
    return found


def test_what_is_committed_is_what_the_sources_say() -> None:
    committed = {path.name: path.read_text("utf-8") for path in files.FOLDER.glob("*.json")}
    assert committed == dict(files.texts()), "write them again: make grafana"


def test_writing_takes_away_what_is_no_dashboard_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FOLDER", tmp_path / "dashboards")
    files.write()
    (tmp_path / "dashboards" / "steadyhand-gone.json").write_text("{}")
    files.write()
    written = {path.name for path in (tmp_path / "dashboards").iterdir()}
    assert written == set(files.texts())


def test_names_are_unique() -> None:
    for key in ("uid", "title"):
        assert max(Counter(board[key] for board in boards()).values()) == 1


@each_board
def test_a_dashboard_says_what_it_is_and_has_its_variables(board: dict[str, Any]) -> None:
    assert re.fullmatch(r"steadyhand-[a-z]+", board["uid"])
    assert board["title"].startswith("Steadyhand: ")
    assert board["description"].endswith(".")
    assert board["tags"] == ["steadyhand"]
    names = [one["name"] for one in board["templating"]["list"]]
    assert names[:2] == ["datasource", "job"]
    text = json.dumps(board["panels"])
    assert ("docs" in names) is ("${docs:raw}" in text)
    for name in names:
        assert re.search(rf"\${{?{name}\b", text), f"nothing uses ${name}"
    assert [one["type"] for one in board["links"]] == ["dashboards"]


@each_board
def test_panels_have_ids_titles_and_places_of_their_own(board: dict[str, Any]) -> None:
    assert max(Counter(one["id"] for one in board["panels"]).values()) == 1
    assert max(Counter(one["title"] for one in board["panels"]).values()) == 1
    for one in board["panels"]:
        place = one["gridPos"]
        assert place["w"] > 0
        assert place["x"] + place["w"] <= 24, one["title"]
    for one, other in combinations(board["panels"], 2):
        a, b = one["gridPos"], other["gridPos"]
        assert (
            a["x"] + a["w"] <= b["x"]
            or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"]
            or b["y"] + b["h"] <= a["y"]
        ), (one["title"], other["title"])


@each_panel
def test_a_panel_says_what_it_shows_in_which_unit(
    board: dict[str, Any], panel: dict[str, Any]
) -> None:
    assert panel["title"].strip() == panel["title"] != ""
    assert len(panel["description"]) > 12
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["targets"], board["uid"]
    for one in [panel, *panel["targets"]]:
        assert one["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert len({one["refId"] for one in panel["targets"]}) == len(panel["targets"])


@each_panel
def test_a_query_is_of_the_installation_and_over_a_window_that_has_samples(
    board: dict[str, Any], panel: dict[str, Any]
) -> None:
    variables = {one["name"] for one in board["templating"]["list"]}
    for expr in expressions(panel):
        assert set(re.findall(r"\$(\w+)", expr)) <= variables | {"__rate_interval", "__range"}
        assert "$__interval" not in expr
        assert set(re.findall(r"\[([^]]+)\]", expr)) <= {"$__rate_interval", "$__range"}
        assert set(re.findall(r"(\w+)\([^()]*\[\$__range\]", expr)) <= {"increase"}
        for metric, matchers in re.findall(r"(\b(?:steadyhand_\w+|up)\b)(?:{([^}]*)})?", expr):
            assert 'job=~"$job"' in matchers, (metric, expr)


@each_panel
def test_a_query_names_no_tenant_route_or_provider_and_only_labels_that_there_are(
    board: dict[str, Any], panel: dict[str, Any]
) -> None:
    known = labels_of_metrics()
    for expr in expressions(panel):
        for name in ("tenant", "route", "provider", "model", "channel", "job"):
            for said in re.findall(rf'\b{name}[!=~]+"([^"]*)"', expr):
                assert said == f"${name}", (board["uid"], expr)
        for metric, matchers in re.findall(r"(\bsteadyhand_\w+)(?:{([^}]*)})?", expr):
            assert metric in known, metric
            assert set(re.findall(r"(\w+)[!=~]+\"", matchers)) <= known[metric]
        metrics = re.findall(r"\bsteadyhand_\w+", expr)
        for by in re.findall(r"\bby \(([^)]*)\)", expr):
            wanted = set(by.replace(" ", "").split(","))
            assert any(wanted <= known[metric] for metric in metrics), (by, expr)


@each_panel
def test_a_legend_names_labels_that_the_query_keeps(
    board: dict[str, Any], panel: dict[str, Any]
) -> None:
    for target in panel["targets"]:
        named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
        kept = {
            label
            for by in re.findall(r"\bby \(([^)]*)\)", target["expr"])
            for label in by.replace(" ", "").split(",")
        }
        if " by (" in target["expr"]:
            assert named <= kept, (board["uid"], target)


def clicks(panel: Panel) -> list[str]:
    return [
        name
        for name, is_so in (("route", panel.to_route), ("provider", panel.to_provider))
        if is_so
    ]


def declared(boards: tuple[Board, ...]) -> list[Panel]:
    return [panel for board in boards for row in board.rows for panel in row.panels]


def test_every_alert_has_a_panel_with_its_runbook() -> None:
    linked = {name for panel in declared(BOARDS) for name in panel.alerts}
    assert linked == {*alerts(RULES), *alerts(OBJECTIVE_RULES)}
    runbooks = ON_CALL.read_text(encoding="utf-8")
    for _, panel in ALL:
        for link in panel["links"]:
            address, _, anchor = link["url"].partition("#")
            assert address == "${docs:raw}/docs/operations/on-call.md"
            assert re.search(rf"(?mi)^### {anchor}$", runbooks)


def test_a_click_leads_to_a_dashboard_with_that_variable() -> None:
    by_uid = {board["uid"]: board for board in boards()}
    count = 0
    for _, panel in ALL:
        for link in panel["fieldConfig"]["defaults"].get("links", []):
            found = re.match(r"/d/([a-z-]+)\?var-(\w+)=\${__field\.labels\.(\w+)}&", link["url"])
            assert found
            variables = {one["name"] for one in by_uid[found[1]]["templating"]["list"]}
            assert found[2] == found[3]
            assert found[2] in variables
            assert all(f"({found[3]}" in e or f", {found[3]}" in e for e in expressions(panel))
            count += 1
    assert count == sum(len(clicks(panel)) for panel in declared(BOARDS)) > 10
    assert any(
        panel["fieldConfig"]["defaults"]["links"] for panel in panels(by_uid["steadyhand-overview"])
    )


def test_provisioning_names_the_folders_that_the_guide_names() -> None:
    guide = (ROOT / "docs" / "guides" / "watch-with-grafana.md").read_text(encoding="utf-8")
    folder = ROOT / "deploy" / "grafana" / "provisioning"
    provider = (folder / "dashboards" / "steadyhand.yaml").read_text(encoding="utf-8")
    path = re.search(r"path: (\S+?)}", provider)
    assert path
    assert path[1] in guide
    assert "timeInterval: 15s" in (folder / "datasources" / "prometheus.yaml").read_text("utf-8")
