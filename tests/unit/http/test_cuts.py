"""However the bytes of a valid message arrive, it means the same."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.http.limits import ServerLimits
from steadyhand.http.messages import Request
from steadyhand.http.request import BETWEEN, RequestReader
from steadyhand.http.response import ResponseReader
from tests.support import strict_http
from tests.support.cuts import cut
from tests.support.valid_messages import REQUESTS, RESPONSES

MAX_HEAD_BYTES = 1_000


def requests_of(parts: list[bytes]) -> list[tuple[object, ...]]:
    seen: list[tuple[object, ...]] = []

    def note(request: Request, http11: bool, keep_alive: bool) -> None:
        fields = sorted(request.headers.items())
        told = (request.method, request.path, request.query, fields, request.body)
        seen.append((*told, http11, keep_alive))

    reader = RequestReader(ServerLimits(max_head_bytes=MAX_HEAD_BYTES), "peer", note)
    for part in parts:
        reader.feed(part, 1.0)
    assert reader.phase == BETWEEN
    assert not reader.expects_continue
    return seen


def response_of(parts: list[bytes]) -> tuple[object, ...]:
    reader = ResponseReader(MAX_HEAD_BYTES)
    reader.begin()
    for part in parts:
        reader.feed(part)
    assert reader.complete or reader.ends_with_stream()
    fields = sorted(reader.headers.items())
    return reader.status, fields, reader.take(), reader.complete, reader.keep_alive


@pytest.mark.parametrize("wire", REQUESTS.values(), ids=REQUESTS)
def test_a_request_is_the_same_cut_at_every_place_and_at_any_two(wire: bytes) -> None:
    whole = requests_of([wire])
    for at in range(1, len(wire)):
        assert requests_of([wire[:at], wire[at:]]) == whole
    assert requests_of([bytes([byte]) for byte in wire]) == whole
    step = max(1, len(wire) // 25)
    for first, second in itertools.combinations(range(1, len(wire), step), 2):
        assert requests_of([wire[:first], wire[first:second], wire[second:]]) == whole


@pytest.mark.parametrize("wire", RESPONSES.values(), ids=RESPONSES)
def test_a_response_is_the_same_cut_at_every_place_and_at_any_two(wire: bytes) -> None:
    whole = response_of([wire])
    for at in range(1, len(wire)):
        assert response_of([wire[:at], wire[at:]]) == whole
    assert response_of([bytes([byte]) for byte in wire]) == whole
    step = max(1, len(wire) // 25)
    for first, second in itertools.combinations(range(1, len(wire), step), 2):
        assert response_of([wire[:first], wire[first:second], wire[second:]]) == whole


@given(st.sampled_from(sorted(REQUESTS)), st.lists(st.integers(0, 999)))
def test_a_request_is_the_same_in_any_parts(name: str, points: list[int]) -> None:
    wire = REQUESTS[name]
    assert requests_of(cut(wire, points)) == requests_of([wire])


@given(st.sampled_from(sorted(RESPONSES)), st.lists(st.integers(0, 999)))
def test_a_response_is_the_same_in_any_parts(name: str, points: list[int]) -> None:
    wire = RESPONSES[name]
    assert response_of(cut(wire, points)) == response_of([wire])


@given(st.lists(st.sampled_from(sorted(REQUESTS)), max_size=5), st.lists(st.integers(0, 4_999)))
def test_requests_behind_one_another_are_those_alone(names: list[str], points: list[int]) -> None:
    names = [name for name in names if requests_of([REQUESTS[name]])[-1][-1]]
    wire = b"".join(REQUESTS[name] for name in names)
    alone = [request for name in names for request in requests_of([REQUESTS[name]])]
    assert requests_of(cut(wire, points)) == alone


@pytest.mark.parametrize("wire", REQUESTS.values(), ids=REQUESTS)
def test_the_grammar_finds_the_same_requests(wire: bytes) -> None:
    reading = strict_http.requests(wire)
    assert reading.end in ("clean", "closed")
    assert reading.at == len(wire)
    assert len(reading.messages) == len(requests_of([wire]))


@pytest.mark.parametrize("wire", RESPONSES.values(), ids=RESPONSES)
def test_the_grammar_finds_the_same_response(wire: bytes) -> None:
    reading = strict_http.response(wire)
    (message,) = reading.messages
    status, _, body, complete, _ = response_of([wire])
    assert (int(message.start[1]), message.body) == (status, body)
    assert complete is not reading.to_the_end
