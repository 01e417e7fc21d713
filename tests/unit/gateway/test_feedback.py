"""What callers say of answers: taken, refused in their shape, and counted once."""

import json
from typing import Any

import msgspec
import pytest

from steadyhand.core.errors import InvalidJson, InvalidValue, MissingField
from steadyhand.gateway.climb.gear import Gear
from steadyhand.gateway.feedback import MOST_CORRECTION, PATH, read_feedback
from steadyhand.records.annotation import Annotation, Feedback, annotation, body_of, heard
from steadyhand.records.explanation import explanation
from steadyhand.telemetry.feedback import FeedbackMetrics
from steadyhand.tenancy.model import Key
from tests.support.gateways import gateway_bench
from tests.support.made_records import NOON_US, made

KEY = Key("app", "acme", "dev", routes=("*",))
REQUEST = "req_01ngh6m8000000000000a"


def read(**said: Any) -> Feedback:
    found = body_of(read_feedback(json.dumps({"request_id": REQUEST} | said).encode(), KEY, 5))
    assert isinstance(found, Feedback)
    return found


def test_everything_that_may_be_said() -> None:
    found = read(
        id="mine-1",
        thumbs="down",
        rating=2,
        escalated=True,
        task_completed=False,
        correction="Use pg_dump.",
    )
    assert found == Feedback("acme", "app", "mine-1", "down", 2, True, False, "Use pg_dump.")
    assert found.signals == ["thumbs_down", "rating_2", "escalated", "task_failed", "correction"]
    assert read(escalated=False, task_completed=True).signals == [
        "not_escalated",
        "task_completed",
    ]


def test_without_an_id_there_is_one_for_each_request_and_key() -> None:
    assert read(thumbs="up").id == read(thumbs="down").id != ""
    other = read_feedback(
        json.dumps({"request_id": REQUEST, "thumbs": "up"}).encode(), Key("b", "acme", "dev", ()), 5
    )
    found = body_of(other)
    assert isinstance(found, Feedback)
    assert found.id != read(thumbs="up").id


@pytest.mark.parametrize(
    ("body", "error", "param"),
    [
        (b"", InvalidJson, ""),
        (b"[]", InvalidValue, ""),
        (b"\xff", InvalidJson, ""),
        (b"{}", MissingField, "request_id"),
        ({"thumbs": "sideways"}, InvalidValue, "thumbs"),
        ({"rating": 0}, InvalidValue, "rating"),
        ({"rating": 6}, InvalidValue, "rating"),
        ({"rating": "five"}, InvalidValue, "rating"),
        ({"mood": "fine"}, InvalidValue, "mood"),
        ({"request_id": "../../etc", "thumbs": "up"}, InvalidValue, "request_id"),
        ({"id": "x" * 65, "thumbs": "up"}, InvalidValue, "id"),
        ({"id": "a b", "thumbs": "up"}, InvalidValue, "id"),
        ({"correction": "x" * (MOST_CORRECTION + 1)}, InvalidValue, "correction"),
        ({}, MissingField, "thumbs"),
    ],
)
def test_what_cannot_be_taken_says_why(body: Any, error: type[Exception], param: str) -> None:
    sent = body if isinstance(body, bytes) else json.dumps({"request_id": REQUEST} | body).encode()
    with pytest.raises(error) as refused:
        read_feedback(sent, KEY, 5)
    assert getattr(refused.value, "param", "") == (param or None) or not param


async def test_a_gateway_takes_it_and_refuses_in_the_clients_shape() -> None:
    notes: list[Annotation] = []
    bench = gateway_bench(gear=Gear(annotate=notes.append))
    body = json.dumps({"request_id": REQUEST, "thumbs": "up"}).encode()
    reply = await bench.ask(body, path=PATH)
    assert reply.status == 202
    assert json.loads(reply.body) == {"object": "feedback", "request_id": REQUEST}
    [note] = notes
    assert (note.request_id, note.kind) == (REQUEST, "feedback")
    assert bench.records == [], "it is no request for an answer"
    for sent, token, method, status, code in (
        (b"{}", b"sk-test-4f1c", b"POST", 400, "missing_required_parameter"),
        (body, None, b"POST", 401, "invalid_api_key"),
        (body, b"sk-nobody", b"POST", 401, "invalid_api_key"),
        (body, b"sk-test-4f1c", b"GET", 405, "method_not_allowed"),
    ):
        reply = await bench.ask(sent, path=PATH, token=token, method=method)
        assert (reply.status, json.loads(reply.body)["error"]["code"]) == (status, code)
    assert len(notes) == 1


async def test_where_nothing_can_be_kept_it_is_not_acknowledged() -> None:
    body = json.dumps({"request_id": REQUEST, "thumbs": "up"}).encode()
    reply = await gateway_bench(gear=Gear()).ask(body, path=PATH)
    assert (reply.status, json.loads(reply.body)["error"]["code"]) == (503, "records_unavailable")


def note(id_: str, tenant: str = "shop", **said: Any) -> Annotation:
    return annotation("req_0001", NOON_US, Feedback(tenant, "web", id_, **said))


def test_the_last_word_counts_and_other_tenants_do_not() -> None:
    strange = Annotation("req_0001", "praise", 1, b"")
    first, other, again = note("a", thumbs="up"), note("b", rating=3), note("a", thumbs="down")
    foreign = note("c", tenant="globex", thumbs="down")
    broken = Annotation("req_0001", "feedback", 1, b"")
    found = heard([first, strange, foreign, other, again, broken], "shop")
    assert found == [again, strange, other, broken]
    assert "feedback of web: thumbs_down" in explanation(made(1), [again])


def test_it_is_counted_once_for_each_id() -> None:
    metrics = FeedbackMetrics()
    late = Annotation("req_0001", "late_usage", 1, b"")
    metrics.consume_annotations([note("a", thumbs="up", rating=5), note("a", thumbs="up"), late])
    metrics.consume_annotations([note("b", thumbs="up")])
    [family] = metrics.collect()
    counted = {s.labels["signal"]: s.value for s in family.samples}
    assert counted == {"thumbs_up": 2, "rating_5": 1}


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steadyhand.telemetry.feedback.REMEMBERED", 2)
    metrics = FeedbackMetrics()
    metrics.consume_annotations([note(name, thumbs="up") for name in ("a", "b", "c", "a")])
    [family] = metrics.collect()
    assert family.samples[0].value == 4


def test_it_is_read_back_as_it_was_said() -> None:
    made_ = note("a", escalated=True)
    assert body_of(msgspec.msgpack.decode(msgspec.msgpack.encode(made_), type=Annotation)) == (
        Feedback("shop", "web", "a", escalated=True)
    )
