"""What an Alertmanager tells the control plane: looked into, kept, never believed."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from steadyhand.alerting.hints import MOST_ALERTS, Hints, Verified
from steadyhand.alerting.notifier import Notifier
from steadyhand.alerting.store import AlertStore
from steadyhand.control.alerts import AlertPorts
from steadyhand.storage.database import Database
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url
from steadyhand.tenancy.settings import HASH_SCHEME, PrincipalSettings
from tests.support.control_plane import RunningControl, running_control

TOKEN = "shp_alertmanager_token_000000000000"
READER = "shp_reader_token_0000000000000000000"


def principal(token: str, role: Any) -> PrincipalSettings:
    return PrincipalSettings(hash=HASH_SCHEME + sha256(token.encode()).hexdigest(), roles=(role,))


class House:
    """A control plane and what it made of hints."""

    def __init__(self, control: RunningControl, looked: list[str], told: list[Verified]) -> None:
        self.control = control
        self.looked = looked
        self.told = told

    def post(self, body: bytes, token: str = TOKEN) -> tuple[int, Any]:
        """Send a body as an Alertmanager does."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        answer = self.control.get("/api/v1/alerts/alertmanager", headers, method="POST", body=body)
        return answer.status, answer.json


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(sqlite_url(tmp_path / "alerts.db"))
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def house(tmp_path: Path, database: Database) -> Iterator[House]:
    looked: list[str] = []
    told: list[Verified] = []

    def look(route: str) -> str | None:
        looked.append(route)
        return "ro_1: hold (both_degraded)" if route == "support" else None

    store = AlertStore(database)
    hints = Hints(store, look, told.append, lambda: 1_800_000_000.0)
    notifier = Notifier(tuple, store, str, str, lambda: 0.0)
    known = {"alertmanager": principal(TOKEN, "alert"), "rita": principal(READER, "reader")}
    with running_control(
        tmp_path, alerts=AlertPorts(notifier, store, hints), principals=lambda: known
    ) as control:
        yield House(control, looked, told)


def payload(*alerts: dict[str, Any], **more: Any) -> bytes:
    """Return what Alertmanager 0.25 sends."""
    return json.dumps(
        {
            "version": "4",
            "groupKey": '{}:{alertname="x"}',
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "steadyhand",
            "groupLabels": {},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://127.0.0.1:9093",
            "alerts": list(alerts),
            **more,
        }
    ).encode()


def alert(route: str = "support", status: str = "firing", **labels: str) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": "SteadyhandBudgetBurns", "route": route, **labels},
        "annotations": {"summary": "It burns."},
        "startsAt": "2026-11-27T02:00:00.000Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://127.0.0.1:9090/graph",
        "fingerprint": f"f-{route}",
    }


def test_a_rollout_is_looked_at_by_its_own_evidence(house: House) -> None:
    code, found = house.post(payload(alert(), alert("other")))
    assert code == 200
    assert [(one["outcome"], one["verdict"]) for one in found["items"]] == [
        ("looked", "ro_1: hold (both_degraded)"),
        ("no_rollout", ""),
    ]
    assert house.looked == ["support", "other"]
    assert [one.route for one in house.told] == ["support", "other"]


def test_what_was_told_before_is_known_until_it_is_over(house: House) -> None:
    outcomes = [
        house.post(payload(alert(status=status)))[1]["items"][0]["outcome"]
        for status in ("firing", "firing", "resolved", "resolved")
    ]
    assert outcomes == ["looked", "known", "over", "known"]
    assert house.looked == ["support"]
    listed = house.control.ask("/alerts").json
    assert [(one["name"], one["status"]) for one in listed["hints"]] == [
        ("SteadyhandBudgetBurns", "resolved")
    ]


def test_an_alert_about_no_route_is_kept(house: House) -> None:
    nameless = alert()
    del nameless["labels"]["route"]
    assert house.post(payload(nameless))[1]["items"][0]["outcome"] == "no_route"


def test_who_may_not_hint_may_not(house: House) -> None:
    assert house.post(payload(alert()), READER)[0] == 403
    assert house.post(payload(alert()), "nobody's")[0] == 401
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    order = house.control.get(
        "/api/v1/alerts/test", headers, method="POST", body=b'{"webhook": "x"}'
    )
    assert order.status == 403  # the role of an Alertmanager gives no orders
    assert not house.looked


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"alerts": 7}', 400),
        (b'{"alerts": [{"labels": {"route": 7}}]}', 400),
        (b"\xff\xfe", 400),
        (payload(*[alert(f"r{number}") for number in range(MOST_ALERTS + 1)]), 400),
        (b" " * (1 << 21), 413),
    ],
    ids=["empty", "list", "number", "label", "utf-8", "many", "long"],
)
def test_what_is_no_webhook_is_refused_in_words(house: House, body: bytes, code: int) -> None:
    status, found = house.post(body)
    assert status == code
    assert found["error"]["hint"]
    assert not house.looked


def test_hostile_labels_are_kept_short_and_plain(house: House) -> None:
    wild = "\x1b[2J<script>" + "x" * 10_000
    _, found = house.post(payload(alert(wild) | {"fingerprint": wild, "startsAt": wild}))
    assert len(found["items"][0]["route"]) <= 100
    assert "\x1b" not in found["items"][0]["route"]
