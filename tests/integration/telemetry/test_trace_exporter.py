"""Spans leave for a receiver over a socket, out of a real database, whatever the receiver does."""

import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event, Thread

import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

from steadyhand.core import trace_context
from steadyhand.http.posting import post
from steadyhand.records.annotation import Annotation, Feedback, Grounding, annotation
from steadyhand.records.cursor import Cursor
from steadyhand.records.entry import Entry, Note
from steadyhand.records.outbox.store import Outbox
from steadyhand.records.outbox.told import Told
from steadyhand.records.record import Record
from steadyhand.records.store import RecordStore
from steadyhand.storage.database import Database
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url
from steadyhand.telemetry.traces.encoding import encode, rejected
from steadyhand.telemetry.traces.evaluation import judges
from steadyhand.telemetry.traces.exporter import IDLE_S, LOOK_S, Exporter, Terms, Wire
from steadyhand.telemetry.traces.known import Known
from steadyhand.telemetry.traces.metrics import TraceMetrics
from steadyhand.telemetry.traces.sampling import Sampling
from tests.support.otlp import said, spans_in
from tests.support.ports import free_port
from tests.support.programs import eventually
from tests.support.records import payload_of, record
from tests.support.webhooks import Receiver, drip, hang, lie, receiving, status

OK = status(200)
ALL = Sampling(100, troubles=True, drills=False)
NOW_US = 1_790_000_000_000_000
TERMS = Terms(timeout_s=5.0, keep_s=3_600.0, most=100_000)


class House:
    """A store with an outbox, an exporter to a receiver, and a clock that a test moves."""

    def __init__(self, folder: Path, url: str, terms: Terms = TERMS) -> None:
        self.now_us = NOW_US
        self.path = folder / "x.db"
        self.database: Database = open_database(sqlite_url(self.path), busy_timeout_ms=100)
        upgrade(self.database)
        self.store = RecordStore(self.database, clock_us=self.clock, told=Told(ALL.wants, judges))
        self.outbox = Outbox(self.database)
        self._terms, self._url = terms, url
        self._sequence = 0
        self.exporter = self.begun()

    def clock(self) -> int:
        return self.now_us

    def begun(self) -> Exporter:
        """Return an exporter, as a process makes it that has just begun."""
        headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
        wire = Wire(
            partial(encode, about={"service.name": "house"}, version="1"),
            partial(post, self._url, headers=headers, timeout_s=self._terms.timeout_s),
            rejected,
        )
        return Exporter(
            self.outbox,
            lambda: Known({}, {}, content=True),
            ALL.wants,
            wire,
            self._terms,
            self.clock,
            lambda: 0.0,
        )

    def ship(self, *found: Record | Annotation) -> None:
        entries: list[Entry] = []
        notes: list[Note] = []
        for each in found:
            self._sequence += 1
            if isinstance(each, Record):
                entries.append(Entry(self._sequence, each, payload_of(each)))
            else:
                notes.append(Note(self._sequence, each, payload_of(each)))
        self.store.ship("writer", entries, Cursor(1, 0, self._sequence), notes=notes)

    def later(self, seconds: float) -> None:
        self.now_us += round(seconds * 1e6)

    @property
    def waiting(self) -> int:
        return self.outbox.state().entries


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        made.answer = OK
        yield made


@pytest.fixture
def house(tmp_path: Path, receiver: Receiver) -> House:
    return House(tmp_path, f"http://127.0.0.1:{receiver.port}/v1/traces")


def roots(receiver: Receiver) -> list[str]:
    """Return the ids of the requests that the receiver was told of, in order."""
    found = [said(span) for span in spans_in(receiver.received)]
    return [str(each["steadyhand.request.id"]) for each in found if "steadyhand.outcome" in each]


def test_what_was_stored_is_sent_and_taken_out(house: House, receiver: Receiver) -> None:
    house.ship(record(1), record(2))
    assert house.exporter.export_once() == IDLE_S
    assert roots(receiver) == ["req_00000001", "req_00000002"]
    (request,) = receiver.received
    assert request.path == "/v1/traces"
    assert request.headers["content-type"] == "application/x-protobuf"
    assert request.headers["user-agent"].startswith("steadyhand/")
    assert house.waiting == 0
    assert house.exporter.status.spans["exported"] == 4
    house.exporter.export_once()
    assert len(receiver.received) == 1, "nothing is sent twice for no reason"


def test_what_nobody_wants_does_not_wait(house: House, receiver: Receiver) -> None:
    stranger = record(1, tenant="", outcome="rejected")
    house.ship(stranger, record(2, traceparent=f"00-{'ab' * 16}-{'cd' * 8}-00"))
    assert house.waiting == 0
    house.exporter.export_once()
    assert receiver.received == []


def test_many_are_sent_in_batches_without_a_pause(house: House, receiver: Receiver) -> None:
    house.ship(*(record(number) for number in range(1, 1_201)))
    assert [house.exporter.export_once() for _ in range(4)] == [0.0, 0.0, 0.0, IDLE_S]
    assert len(set(roots(receiver))) == 1_200
    assert house.waiting == 0


@pytest.mark.parametrize("answer", [hang, drip, lie, status(503), status(500), status(302)])
def test_a_receiver_that_takes_nothing_loses_nothing(
    tmp_path: Path, receiver: Receiver, answer: object
) -> None:
    url = f"http://127.0.0.1:{receiver.port}/v1/traces"
    house = House(tmp_path, url, TERMS._replace(timeout_s=0.3))
    house.ship(record(1))
    receiver.answer = answer  # type: ignore[assignment]
    assert [house.exporter.export_once() for _ in range(3)] == [0.5, 1.0, 2.0]
    found = house.exporter.status
    assert (found.tries["waiting"], found.failures) == (3, 3)
    assert found.problem
    assert house.waiting == 1
    receiver.answer = OK
    receiver.received.clear()
    assert house.exporter.export_once() == IDLE_S
    assert roots(receiver) == ["req_00000001"]
    assert (found.failures, found.problem, house.waiting) == (0, "", 0)


def test_a_receiver_that_is_gone_loses_nothing(tmp_path: Path) -> None:
    house = House(tmp_path, f"http://127.0.0.1:{free_port()}/v1/traces")
    house.ship(record(1))
    house.exporter.export_once()
    assert "refused" in house.exporter.status.problem
    assert house.waiting == 1


def test_a_wish_to_wait_is_heard(house: House, receiver: Receiver) -> None:
    house.ship(record(1))
    receiver.answer = status(429, Retry_After="17")
    assert house.exporter.export_once() == 17.0
    assert house.waiting == 1


@pytest.mark.parametrize("code", [400, 415, 422, 501])
def test_what_is_refused_for_good_is_counted_and_never_sent_again(
    house: House, receiver: Receiver, code: int
) -> None:
    house.ship(record(1))
    receiver.answer = status(code)
    house.exporter.export_once()
    receiver.answer = OK
    house.exporter.export_once()
    found = house.exporter.status
    assert (len(receiver.received), house.waiting) == (1, 0)
    assert (found.tries["refused"], found.spans["rejected"], found.spans["exported"]) == (1, 2, 0)


@pytest.mark.parametrize("code", [401, 403, 404])
def test_what_a_person_can_mend_waits_for_it(house: House, receiver: Receiver, code: int) -> None:
    house.ship(record(1))
    receiver.answer = status(code)
    house.exporter.export_once()
    assert house.waiting == 1
    assert str(code) in house.exporter.status.problem


def test_what_a_receiver_takes_in_part_is_counted(house: House, receiver: Receiver) -> None:
    answer = service.ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 1
    body = answer.SerializeToString()

    def partly(handler: object) -> None:
        handler.send_response(200)  # type: ignore[attr-defined]
        handler.send_header("Content-Length", str(len(body)))  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]
        handler.wfile.write(body)  # type: ignore[attr-defined]

    receiver.answer = partly
    house.ship(record(1))
    house.exporter.export_once()
    found = house.exporter.status
    assert (found.spans["exported"], found.spans["rejected"]) == (1, 1)
    assert (found.tries["partly"], house.waiting) == (1, 0)


def test_a_batch_that_is_too_large_is_halved_until_it_fits(
    house: House, receiver: Receiver
) -> None:
    def small_only(handler: object) -> None:
        length = int(handler.headers["Content-Length"])  # type: ignore[attr-defined]
        status(413 if length > 2_000 else 200)(handler)  # type: ignore[arg-type]

    receiver.answer = small_only
    house.ship(*(record(number) for number in range(1, 101)))
    for _ in range(200):
        if not house.waiting:
            break
        house.exporter.export_once()
    assert house.waiting == 0
    taken = [each for each in receiver.received if len(each.body) <= 2_000]
    receiver.received[:] = taken
    assert sorted(roots(receiver)) == [f"req_{number:08d}" for number in range(1, 101)]
    assert house.exporter.status.spans["rejected"] == 0


def test_one_that_is_too_large_alone_is_refused(house: House, receiver: Receiver) -> None:
    receiver.answer = status(413)
    house.ship(record(1))
    house.exporter.export_once()
    assert (house.exporter.status.tries["refused"], house.waiting) == (1, 0)


def test_who_dies_before_the_answer_leaves_it_to_the_next_with_the_same_ids(
    house: House, receiver: Receiver
) -> None:
    house.ship(record(1))
    until_us = house.now_us + 10_000_000
    assert len(house.outbox.take(house.now_us, until_us)) == 1, "taken by one that then dies"
    other = house.begun()
    other.export_once()
    assert receiver.received == [], "it may still be alive"
    house.later(11)
    other.export_once()
    assert roots(receiver) == ["req_00000001"]
    first = [span.span_id for span in spans_in(receiver.received)]
    receiver.received.clear()
    house.store.ship("another", [Entry(1, record(1), payload_of(record(1)))], Cursor(1, 0, 1))
    other.export_once()
    assert [span.span_id for span in spans_in(receiver.received)] == first


def test_what_waits_too_long_or_is_too_much_is_given_up_and_counted(
    tmp_path: Path, receiver: Receiver
) -> None:
    url = f"http://127.0.0.1:{receiver.port}/v1/traces"
    house = House(tmp_path, url, Terms(5.0, keep_s=60.0, most=3))
    house.ship(record(1), record(2))
    house.later(61)
    for number in range(3, 9):
        house.ship(record(number))
        house.later(0.001)
    receiver.answer = status(503)
    house.exporter.export_once()
    found = house.exporter.status
    assert found.given_up == 5, "two that were old, three that were too many"
    assert found.waiting == 3
    receiver.answer, received = OK, receiver.received
    received.clear()
    house.exporter.export_once()
    assert roots(receiver) == ["req_00000006", "req_00000007", "req_00000008"]


def test_feedback_is_a_span_below_the_answer_it_judges(house: House, receiver: Receiver) -> None:
    made = record(1, traceparent=f"00-{'ab' * 16}-{'cd' * 8}-01")
    body = Feedback("team-a", "ci", "1", thumbs="down", correction="so")
    house.ship(annotation(made.request_id, NOW_US, body))
    house.exporter.export_once()
    assert (receiver.received, house.waiting) == ([], 1), "its record is not stored yet"
    house.later(20)
    house.ship(made)
    house.exporter.export_once()
    judged = [span for span in spans_in(receiver.received) if span.name.startswith("gen_ai.eval")]
    assert [said(span)["gen_ai.evaluation.name"] for span in judged] == [
        "user_feedback.thumbs",
        "user_feedback.correction",
    ]
    assert {span.trace_id.hex() for span in judged} == {"ab" * 16}
    assert {span.parent_span_id.hex() for span in judged} == {
        trace_context.request_span_id(made.request_id)
    }
    assert house.waiting == 0


def test_a_verdict_on_grounding_is_a_span_below_the_answer_too(
    house: House, receiver: Receiver
) -> None:
    made = record(1)
    body = Grounding("team-a", "support", "", "ungrounded", "", 0.2, "overlap-1", 3, 1, 0.1)
    house.ship(made)
    house.ship(annotation(made.request_id, NOW_US, body))
    house.exporter.export_once()
    [judged] = [s for s in spans_in(receiver.received) if s.name == "gen_ai.evaluation.result"]
    told = said(judged)
    assert told["gen_ai.evaluation.name"] == "grounding"
    assert told["gen_ai.evaluation.score.label"] == "ungrounded"
    assert told["steadyhand.evaluation.by"] == "overlap-1"
    assert house.waiting == 0


def test_feedback_without_a_record_does_not_wait_for_ever(house: House, receiver: Receiver) -> None:
    house.ship(annotation("req_of_nobody", NOW_US, Feedback("team-a", "ci", "1", thumbs="up")))
    house.exporter.export_once()
    house.later(601)
    house.exporter.export_once()
    assert (receiver.received, house.waiting) == ([], 0)


def test_what_is_superseded_or_of_a_later_version_is_left_out(
    house: House, receiver: Receiver
) -> None:
    house.ship(record(1))
    house.store.ship(
        "writer", [Entry(2, record(2), b"\xc1 of a later version")], Cursor(1, 0, 2), after=1
    )
    house.exporter.export_once()
    assert roots(receiver) == ["req_00000001"]
    assert house.waiting == 0


def test_a_database_that_is_locked_loses_nothing(house: House, receiver: Receiver) -> None:
    house.ship(record(1))
    held = sqlite3.connect(house.path, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    stop = Event()
    sender = Thread(target=house.exporter.run, args=(stop,))
    sender.start()
    try:
        eventually(lambda: house.exporter.status.problem, "the lock to be noticed")
        assert receiver.received == []
        held.execute("ROLLBACK")
        eventually(lambda: house.waiting == 0, "the outbox to be empty")
    finally:
        stop.set()
        sender.join(30)
        held.close()
    assert roots(receiver) == ["req_00000001"]


def test_who_is_told_to_stop_sends_what_there_is(house: House, receiver: Receiver) -> None:
    house.ship(record(1))
    stop = Event()
    stop.set()
    house.exporter.run(stop)
    assert roots(receiver) == ["req_00000001"]
    receiver.answer = status(503)
    house.ship(record(2))
    house.exporter.export_once()
    house.exporter.run(stop)
    assert len(receiver.received) == 2, "a receiver that is not well is not waited for"


def test_what_a_process_died_over_is_sent_when_that_is_settled(
    house: House, receiver: Receiver
) -> None:
    house.ship(record(1, outcome="interrupted"), record(2))
    house.exporter.export_once()
    assert roots(receiver) == ["req_00000002"]
    house.store.settle("writer")
    house.exporter.export_once()
    assert roots(receiver) == ["req_00000002", "req_00000001"]
    assert house.waiting == 0


def test_what_another_entry_took_the_place_of_is_not_sent(house: House, receiver: Receiver) -> None:
    house.ship(record(1))
    house.ship(record(1, supersedes=1, outcome="truncated", reason="connection_lost"))
    house.exporter.export_once()
    told = [said(span) for span in spans_in(receiver.received)]
    assert [each["steadyhand.outcome"] for each in told if "steadyhand.outcome" in each] == [
        "truncated"
    ]
    assert house.waiting == 0


def test_metrics_tell_what_came_of_it(house: House, receiver: Receiver) -> None:
    shown = TraceMetrics(house.exporter.status, house.clock)
    house.ship(record(1))
    receiver.answer = status(503)
    house.exporter.export_once()
    house.later(LOOK_S)
    house.exporter.export_once()
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in shown.collect()
        for sample in family.samples
    }
    assert samples["steadyhand_trace_tries_total", "waiting"] == 2
    assert samples["steadyhand_trace_entries_waiting",] == 1
    assert samples["steadyhand_trace_lag_seconds",] == LOOK_S
    assert samples["steadyhand_trace_spans_total", "exported"] == 0
    assert list(shown.describe()) == []
