"""Annotations: what is written is read, and what a later version writes is kept."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.records.annotation import LATE_USAGE, Annotation, LateUsage, annotation, body_of
from steadyhand.records.entry import Entry, Note, decode
from steadyhand.records.explanation import explanation
from tests.support.records import RECORD, USAGE, payload_of

USAGES = st.builds(
    LateUsage,
    role=st.sampled_from(["hedge", "harvest"]),
    input_tokens=st.integers(0, 10**9),
    output_tokens=st.integers(0, 10**9),
)


@given(st.text(max_size=40), st.integers(0, 2**62), USAGES)
def test_what_is_said_is_understood(request_id: str, made_us: int, said: LateUsage) -> None:
    made = annotation(request_id, made_us, said)
    assert made.kind == LATE_USAGE
    assert body_of(made) == said
    payload = msgspec.msgpack.encode(made)
    assert decode(7, payload) == Note(7, made, payload)


def test_a_record_is_told_from_an_annotation() -> None:
    payload = payload_of(RECORD)
    assert decode(7, payload) == Entry(7, RECORD, payload)


@pytest.mark.parametrize(
    "found",
    [
        Annotation("req_1", "praise", 1, msgspec.msgpack.encode(["more"])),
        Annotation("req_1", LATE_USAGE, 1, msgspec.msgpack.encode({"of": "another shape"})),
        Annotation("req_1", LATE_USAGE, 1, b""),
    ],
    ids=["kind", "shape", "nothing"],
)
def test_what_is_not_understood_is_nothing_and_no_error(found: Annotation) -> None:
    assert body_of(found) is None
    payload = msgspec.msgpack.encode(found)
    assert decode(1, payload) == Note(1, found, payload)


def test_fields_that_a_later_version_added_are_passed_over() -> None:
    body = msgspec.msgpack.encode([*msgspec.structs.astuple(USAGE), "new"])
    assert body_of(Annotation("req_1", LATE_USAGE, 1, body)) == USAGE
    payload = msgspec.msgpack.encode(
        {"request_id": "req_1", "kind": "k", "made_us": 1, "body": b"", "new": 1}
    )
    found = decode(1, payload)
    assert isinstance(found, Note)
    assert found.annotation == Annotation("req_1", "k", 1, b"")


@pytest.mark.parametrize("payload", [b"\x80", b"\x81\xa1a\x01", b"\xc0", b"\x90"])
def test_a_payload_that_is_neither_is_refused(payload: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(1, payload)


def test_the_explanation_ends_with_what_came_later() -> None:
    late = annotation(RECORD.request_id, RECORD.received_us + 2_500_000, USAGE)
    strange = Annotation(RECORD.request_id, "praise", RECORD.received_us, b"")
    assert explanation(RECORD, [late, strange]).splitlines()[-2:] == [
        "  2,500 ms later: 100 + 20 tokens estimated, hedge acme/acme-large",
        "  0 ms later: praise, which this version does not know",
    ]
    assert explanation(RECORD, [late, strange]).startswith(explanation(RECORD))
