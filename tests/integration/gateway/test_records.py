"""One record for each request, read through the control plane's REST API, whatever became of it."""

from typing import Any

import pytest

from tests.support.installations import (
    FLOOR_TEXT,
    NARROW_KEY,
    QUESTION,
    Installation,
    chat_body,
    chat_request,
    own,
)

# What fails has a deployment of its own here: one that others have seen fail is not asked again.
CLASSES = {
    "answered": ("up/steady", False, 200, "answered", "first_choice", "live"),
    "answered as a stream": ("up/steady", True, 200, "answered", "first_choice", "live"),
    "answered by the second rung": (
        *("recorded", False, 200, "answered", "server_error", "live"),
    ),
    "floor": ("floored-once", True, 200, "floor", "server_error", "template"),
    "failed": ("up/error-500:tokens=7", False, 503, "failed", "server_error", "error"),
    "failed under 200": ("up/html-200", True, 503, "failed", "malformed", "error"),
    "failed without a connection": ("dead/any", False, 503, "failed", "connect_failed", "error"),
    "rate limited": ("up/rate-limit", False, 429, "failed", "rate_limited", "error"),
    "dead key": ("up/error-401", False, 503, "failed", "auth_failed", "error"),
    "the caller's own fault": ("up/error-400", True, 400, "rejected", "invalid_request", ""),
    "unknown model": ("nowhere", False, 404, "rejected", "model_not_found", ""),
    "truncated": ("up/cut-mid-word", True, 200, "truncated", "connection_lost", "live"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("model", "stream", "status", "outcome", "reason", "rung"),
    CLASSES.values(),
    ids=CLASSES.keys(),
)
def test_outcome_reason_and_rung_are_recorded(
    house: Installation,
    model: str,
    stream: bool,
    status: int,
    outcome: str,
    reason: str,
    rung: str,
) -> None:
    model = own(model)
    answer = house.ask(model, stream=stream)
    assert answer.status == status
    record = house.record(answer.request_id)
    assert (record["status"], record["outcome"], record["reason"], record["rung"]) == (
        status,
        outcome,
        reason,
        rung,
    )
    assert (record["tenant"], record["key"], record["wire"]) == ("acme", "wide", "chat")
    assert (record["requested_model"], record["stream"]) == (model, stream)
    assert record["response_bytes"] == len(answer.body)
    assert record["in_time"]


def test_a_record_has_sizes_tokens_times_model_and_release(house: Installation) -> None:
    schema = {"name": "any", "schema": {"type": "object"}}
    wanted = {"type": "json_schema", "json_schema": schema}
    fields: dict[str, Any] = {"stream": True, "tools": [], "response_format": wanted}
    answer = house.ask("up/steady:tokens=4,gap_ms=30", **fields)
    record = house.record(answer.request_id)
    assert record["request_bytes"] == len(chat_body("up/steady:tokens=4,gap_ms=30", **fields))
    assert record["response_bytes"] == len(answer.body)
    assert (record["provider"], record["model"]) == ("up", "steady:tokens=4,gap_ms=30")
    assert record["served_model"] == record["model"]
    assert record["release"] == answer.headers["x-steadyhand-release"]
    assert (record["has_tools"], record["has_schema"]) == (False, True)
    assert 0 < record["first_content_us"] < record["total_us"] < record["budget_us"]
    assert record["finish_reason"] == "stop"
    assert record["input_tokens"] > 0
    assert "first content" in record["explanation"]


def test_every_rung_that_was_tried_is_recorded_in_order(house: Installation) -> None:
    record = house.record(house.ask("recorded").request_id)
    first, second = record["attempts"]
    assert (first["model"], first["status"], first["reason"]) == (
        "error-500:tokens=6",
        500,
        "server_error",
    )
    assert (second["status"], second["reason"]) == (200, "ok")
    assert first["started_us"] <= first["ended_us"] <= second["started_us"] <= second["ended_us"]


def test_a_wrong_key_is_recorded_without_a_tenant(house: Installation) -> None:
    answer = house.ask("up/steady", key="sk-nobody")
    record = house.record(answer.request_id)
    assert (record["tenant"], record["key"], record["reason"]) == ("", "", "invalid_api_key")
    assert (record["outcome"], record["status"]) == ("rejected", 401)


def test_a_forbidden_route_is_recorded_as_refused(house: Installation) -> None:
    record = house.record(house.ask("floored", key=NARROW_KEY).request_id)
    assert (record["outcome"], record["reason"]) == ("rejected", "route_forbidden")


def test_a_late_answer_is_recorded_as_late_and_the_floor_as_in_time(house: Installation) -> None:
    """The caller may ask for less than the route's budget; the floor still answers within it.

    It has ten milliseconds for that, in which a busy machine may not come to it each time.
    """
    for _ in range(5):
        answer = house.ask(
            "patient-floor", headers={"x-steadyhand-deadline-ms": "800"}, messages=QUESTION
        )
        assert (answer.status, answer.text()) == (200, FLOOR_TEXT)
        record = house.record(answer.request_id)
        assert record["budget_us"] == 800_000
        assert (record["outcome"], record["rung"]) == ("floor", "template")
        if record["in_time"]:
            return
    raise AssertionError("never in time")


def test_requests_on_one_connection_have_a_record_each(house: Installation) -> None:
    with house.line() as line:
        line.send(chat_request("up/steady") * 5)
        ids = {line.answer().request_id for _ in range(5)}
    assert len(ids) == 5
    assert all(house.record(request_id)["outcome"] == "answered" for request_id in ids)
