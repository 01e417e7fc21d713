"""The REST API over a socket, with a real store."""

from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steadyhand.records.annotation import Annotation, Feedback, annotation
from steadyhand.records.cursor import Cursor
from steadyhand.records.entry import Note
from tests.support.control_plane import RunningControl
from tests.support.made_records import NOON_US, made, ship
from tests.support.records import USAGE


def ids(page: Any) -> list[str]:
    return [item["request_id"][-1] for item in page["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "987654321"),
        ("?tenant=blog", "9"),
        ("?route=labels", "9"),
        ("?outcome=floor", "7"),
        ("?rung=template", "7"),
        ("?rung=live&tenant=shop", "654321"),
        ("?provider=backup&limit=3", "965"),
        ("?status=401", "8"),
        ("?tenant=nobody", ""),
        (f"?since={quote('2030-03-17T17:46:47Z')}", "987"),  # number 7, included
        (f"?until={quote('2030-03-17T19:46:42+02:00')}", "1"),  # number 2, excluded
    ],
)
def test_requests_are_listed_newest_first_and_filtered(
    control: RunningControl, query: str, expected: str
) -> None:
    answer = control.ask(f"/requests{query}")
    assert answer.status == 200
    assert ids(answer.json) == list(expected)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(limit=st.integers(1, 10))
def test_pages_of_any_size_hold_every_request_once(control: RunningControl, limit: int) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        page = control.ask(f"/requests?limit={limit}{cursor}").json
        assert len(page["items"]) <= limit
        seen += ids(page)
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={quote(page['next_cursor'])}"
    assert seen == list("987654321")


def test_matches_are_counted_if_asked(control: RunningControl) -> None:
    assert control.ask("/requests?limit=1&count=true&tenant=shop").json["total"] == 7
    assert control.ask("/requests?limit=1").json["total"] is None


def test_a_request_is_shown_whole_with_its_story(control: RunningControl) -> None:
    shown = control.ask("/requests/req_0001").json
    record = msgspec.to_builtins(msgspec.structs.asdict(made(1)))
    apart = {"attempts", "decision"}
    assert {name: shown[name] for name in record if name not in apart} == {
        name: value for name, value in record.items() if name not in apart
    }
    assert shown["has_decision"] is False
    assert [attempt["reason"] for attempt in shown["attempts"]] == ["gave_up", "rate_limited", "ok"]
    assert shown["received_at"] == "2030-03-17T17:46:41Z"
    assert "✓ backup/gpt-slow" in shown["explanation"]


def test_routes_show_their_budget_rungs_and_floor(control: RunningControl) -> None:
    assert [route["name"] for route in control.ask("/routes").json["items"]] == [
        "labels",
        "support",
    ]
    route = control.ask("/routes/support").json
    assert route["slo"] == {
        "name": "interactive",
        "first_content_ms": 1_500,
        "whole_ms": 10_000,
        "stream_cap_ms": 60_000,
    }
    assert [(rung["provider"], rung["model"]) for rung in route["rungs"]] == [
        ("openai", "gpt-fast"),
        ("backup", "gpt-slow"),
    ]
    floor = {"kind": "template", "provider": "", "model": "", "deployments": [], "proofs": []}
    assert route["floor"] == floor
    assert [rung["proofs"] for rung in route["rungs"]] == [
        [],
        [
            {
                "provider": "backup",
                "model": "gpt-slow",
                "region": "",
                "proven_at_us": None,
                "proven_by": "",
                "is_proven": False,
                "reason": "gave_up",
            }
        ],
    ]
    assert route["has_instructions"] is True


def test_upstreams_count_attempts_of_the_last_minutes(control: RunningControl) -> None:
    answer = control.ask("/upstreams").json
    by_name = {item["name"]: item for item in answer["items"]}
    assert (answer["window_s"], answer["is_sample"]) == (300, False)
    assert by_name["spare"]["deployments"] == []
    [slow] = by_name["backup"]["deployments"]
    assert (slow["succeeded"], slow["failed"], slow["latency_p50_ms"]) == (8, 0, 973)
    assert (slow["health"]["state"], slow["health"]["share"]) == ("closed", 0.25)
    assert slow["health"]["whole"]["p90_ms"] == 1_200
    assert [each["process"] for each in slow["health"]["processes"]] == [0]
    [fast] = control.ask("/upstreams/openai").json["deployments"]
    assert fast["health"] is None  # unknown, not healthy
    assert fast["failures"] == {"gave_up": 9, "rate_limited": 8}
    assert (fast["latency_p95_ms"], fast["last_reason"]) == (None, "rate_limited")


def test_the_snapshot_in_force_is_named_with_its_age(control: RunningControl) -> None:
    shown = control.ask("/snapshot").json
    assert (shown["version"], shown["age_s"], shown["routes"], shown["providers"]) == (7, 60, 2, 3)
    assert shown["compiled_us"] == NOON_US
    assert shown["digest"].startswith("sha256:")


def test_the_holder_of_the_token_is_the_bootstrap_user(control: RunningControl) -> None:
    assert control.ask("/whoami").json == {
        "name": "bootstrap",
        "method": "token",
        "roles": ["alert", "approver", "author", "gateway", "operator", "reader"],
    }


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/requests/req_none", 404, "not_found"),
        ("/requests/" + "x" * 3_000, 404, "not_found"),
        ("/routes/suport", 404, "not_found"),
        ("/upstreams/none", 404, "not_found"),
        ("/none", 404, "not_found"),
        ("/requests/", 404, "not_found"),
        ("/requests?limit=0", 422, "invalid_parameter"),
        ("/requests?limit=501", 422, "invalid_parameter"),
        ("/requests?limit=x", 422, "invalid_parameter"),
        ("/requests?outcome=good", 422, "invalid_parameter"),
        ("/requests?since=yesterday", 422, "invalid_parameter"),
        ("/requests?since=2030-01-31T12:00:00", 422, "invalid_parameter"),  # whose noon?
        ("/requests?tenat=shop", 422, "invalid_parameter"),
        ("/requests?cursor=made-up", 400, "invalid_value"),
    ],
)
def test_refusals_have_one_shape(
    control: RunningControl, path: str, status: int, code: str
) -> None:
    answer = control.ask(path)
    assert answer.status == status
    assert set(answer.json) == {"error"}
    error = answer.json["error"]
    assert set(error) == {"code", "message", "hint", "request_id"}
    assert error["code"] == code
    assert error["hint"]
    assert error["request_id"] == answer.headers["x-request-id"]
    assert error["request_id"].startswith("req_")


def test_another_method_is_refused_in_the_same_shape(control: RunningControl) -> None:
    answer = control.get("/healthz", method="POST")
    assert (answer.status, answer.headers["allow"]) == (405, "GET")
    assert answer.json["error"]["code"] == "method_not_allowed"


def test_the_description_of_the_api_is_served_and_loads_nothing(control: RunningControl) -> None:
    described = control.get("/api/v1/openapi.json").json
    assert "/api/v1/requests" in described["paths"]
    assert control.get("/docs").status == 404
    assert control.get("/redoc").status == 404


def test_what_came_later_is_shown_with_the_request(control: RunningControl) -> None:
    late = annotation("req_0001", NOON_US + 3_000_000, USAGE)
    strange = Annotation("req_0001", "praise", NOON_US, b"")
    notes = [
        Note(number, one, msgspec.msgpack.encode(one))
        for number, one in enumerate([late, strange], start=1)
    ]
    control.store.ship("gateway-9", [], Cursor(1, 0, 2), notes=notes)
    shown = control.ask("/requests/req_0001").json
    assert [one["kind"] for one in shown["annotations"]] == ["praise", "late_usage"]
    assert shown["annotations"][0]["late_usage"] is None
    assert shown["annotations"][1]["late_usage"] == msgspec.structs.asdict(USAGE)
    assert "tokens estimated, hedge acme/acme-large" in shown["explanation"]
    assert control.ask("/requests/req_0002").json["annotations"] == []


def test_feedback_is_shown_with_its_request(control: RunningControl) -> None:
    said = [
        annotation("req_0001", NOON_US, Feedback("shop", "web", "a", thumbs="up")),
        annotation("req_0001", NOON_US + 1, Feedback("shop", "web", "a", thumbs="down")),
        annotation("req_0001", NOON_US + 2, Feedback("globex", "x", "b", rating=1)),
    ]
    notes = [Note(n, one, msgspec.msgpack.encode(one)) for n, one in enumerate(said, start=1)]
    control.store.ship("gateway-8", [], Cursor(1, 0, 3), notes=notes)
    shown = control.ask("/requests/req_0001").json
    [found] = [one for one in shown["annotations"] if one["kind"] == "feedback"]
    assert found["feedback"]["thumbs"] == "down"
    assert "feedback of web: thumbs_down" in shown["explanation"]


def test_drills_are_listed_only_if_asked_for(control: RunningControl) -> None:
    ship(control.store, [made(77, wire="drill")], after=1_000)
    assert ids(control.ask("/requests").json) == list("987654321")
    assert ids(control.ask("/requests?wire=drill").json) == ["7"]
