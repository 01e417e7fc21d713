"""Each letter of the failover benchmark, for real bytes; a cut passed off as whole is a lie."""

import json

import pytest

from benchmarks.failover.reading import events, read_error, read_stream, read_whole
from benchmarks.failover.scoring import ALLOWANCE_US, Expected, Response, Score, score

TEXT = "Steady hands answer."
KNOWN = [Expected(content=TEXT)]
PREPARED = ["This was prepared."]


def chunk(
    content: str | None = None, *, finish: str | None = None, id_: str = "chatcmpl-1"
) -> bytes:
    delta = {} if content is None else {"content": content}
    value = {
        "id": id_,
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return b"data: " + json.dumps(value).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
ERROR = b'data: {"error":{"message":"cut","type":"stream_truncated"}}\n\n'
BEGUN = chunk("Steady ") + chunk("hands")
REST = chunk(" answer.")
WHOLE = BEGUN + REST + chunk(finish="stop") + DONE


def completion(content: str | None = TEXT, finish: str | None = "stop", **message: object) -> bytes:
    said = {"role": "assistant", "content": content, **message}
    value = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": said, "finish_reason": finish}],
    }
    return json.dumps(value).encode()


def response(
    body: bytes,
    *,
    status: int = 200,
    is_whole: bool = True,
    first_us: int = 1000,
    ended_us: int = 2000,
    gave_up: bool = False,
    spoke: str = "",
) -> Response:
    return Response(
        status=status,
        body=body,
        arrivals=[(first_us, len(body))],
        is_whole=is_whole,
        ended_us=ended_us,
        gave_up=gave_up,
        spoke=spoke,
    )


def judged(found: Response, *, stream: bool, answers: list[Expected] | None = None) -> Score:
    return score(found, answers or KNOWN, PREPARED, stream=stream)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (WHOLE, "A"),
        (WHOLE.replace(b"\n", b"\r\n"), "A"),
        (b": comment\n\n" + WHOLE, "A"),
        (BEGUN + ERROR, "E"),
        (BEGUN + ERROR + DONE, "E"),
        (ERROR, "E"),
        # Marks of a whole answer on one that is not.
        (BEGUN + chunk(finish="stop") + DONE, "X"),
        (BEGUN + DONE, "X"),
        (BEGUN + chunk(finish="stop"), "X"),
        # Nothing says that something is missing: the reader's loop just ends.
        (BEGUN, "X"),
        (b"", "X"),
        (DONE, "X"),
        (chunk(finish="stop") + DONE, "X"),
        # All of it is there, but not in the documented form.
        (BEGUN + REST + DONE, "B"),
        (BEGUN + REST + chunk(finish="stop"), "B"),
        (WHOLE.replace(b"chatcmpl-1", b"chatcmpl-2", 1), "B"),
        (WHOLE + WHOLE, "B"),
        # A client's parser fails.
        (b"data: {half\n\n" + WHOLE, "B"),
        (b"<html>Please log in</html>", "B"),
        (WHOLE.replace(b"hands", b"\xff\xfe"), "B"),
        (WHOLE[:-1], "B"),
        # Another finish reason than the model's own.
        (BEGUN + REST + chunk(finish="length") + DONE, "X"),
    ],
)
def test_streams(body: bytes, kind: str) -> None:
    assert judged(response(body), stream=True).kind == kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (completion(), "A"),
        (completion("Steady hands"), "X"),
        (completion(""), "X"),
        (completion(None), "X"),
        (completion(finish=None), "B"),
        (completion("Steady hands", finish=None), "X"),
        (b'{"error":{"message":"down","type":"server_error"}}', "B"),
        (b"<html>Please log in</html>", "B"),
        (b"", "B"),
        (completion()[:-10], "B"),
        (completion().replace(b"chat.completion", b"text_completion"), "B"),
        (completion().replace(b"Steady", b"\xff"), "B"),
        (b'{"id":"x","object":"chat.completion","created":1,"model":"m","choices":[]}', "B"),
        (b"[]", "B"),
    ],
)
def test_whole_answers(body: bytes, kind: str) -> None:
    assert judged(response(body), stream=False).kind == kind


@pytest.mark.parametrize("stream", [True, False])
def test_an_error_status_is_an_honest_error_and_valid_if_it_has_the_shape(*, stream: bool) -> None:
    shaped = judged(response(b'{"error":{"message":"down"}}', status=503), stream=stream)
    assert (shaped.kind, shaped.is_valid) == ("E", True)
    bare = judged(response(b'{"status":"failure"}', status=500), stream=stream)
    assert (bare.kind, bare.is_valid) == ("E", False)
    cut = judged(response(b'{"err', status=503, is_whole=False), stream=stream)
    assert cut.kind == "B"


@pytest.mark.parametrize("stream", [True, False])
def test_a_lost_connection_is_broken_and_no_lie(*, stream: bool) -> None:
    assert judged(response(BEGUN, is_whole=False), stream=stream).kind == "B"
    assert judged(response(b"", status=0, is_whole=False), stream=stream).kind == "B"


def test_no_end_is_a_hang() -> None:
    found = judged(response(BEGUN, is_whole=False, gave_up=True), stream=True)
    assert found.letter(stream=True) == "H"


def test_a_stream_is_in_time_if_it_begins_in_time_and_a_whole_answer_if_it_ends() -> None:
    first = judged(response(WHOLE, first_us=1_500_000, ended_us=20_000_000), stream=True)
    assert first.letter(stream=True) == "A"
    late = judged(response(WHOLE, first_us=1_600_000, ended_us=1_700_000), stream=True)
    assert late.letter(stream=True) == "L"
    assert late.letter(stream=True, stalled_us=80_000) == "A"
    body = completion()
    assert judged(response(body, ended_us=9_999_000), stream=False).letter(stream=False) == "A"
    past = judged(response(body, ended_us=10_000_001 + ALLOWANCE_US), stream=False)
    assert past.letter(stream=False) == "L"


def test_an_error_for_a_stream_has_the_time_of_its_first_content() -> None:
    body = b'{"error":{"message":"down"}}'
    found = judged(response(body, status=503, first_us=1, ended_us=4_000_000), stream=True)
    assert found.letter(stream=True) == "L"


def test_first_content_is_timed_by_the_piece_that_completes_its_event() -> None:
    head = chunk()
    body = head + WHOLE
    found = Response(200, body, [(100, len(head)), (700, len(body))], is_whole=True, ended_us=900)
    assert judged(found, stream=True).first_us == 700


def test_the_gateways_own_text_counts_only_under_its_header() -> None:
    body = completion(PREPARED[0])
    assert judged(response(body, spoke="template"), stream=False).kind == "F"
    assert judged(response(body), stream=False).kind == "X"


def test_an_answer_that_another_model_went_on_with_is_an_answer() -> None:
    resumed = BEGUN + chunk(TEXT) + chunk(finish="stop") + DONE
    assert judged(response(resumed), stream=True).kind == "A"
    other = chunk("Elsewhere ") + chunk(TEXT) + chunk(finish="stop") + DONE
    assert judged(response(other), stream=True).kind == "X"


def test_refusals_filters_and_tool_calls_are_answers_of_their_own() -> None:
    refused = [Expected(refusal="No.")]
    assert (
        judged(response(completion(None, refusal="No.")), stream=False, answers=refused).kind == "A"
    )
    assert judged(response(completion(None)), stream=False, answers=refused).kind == "X"
    filtered = [Expected(content="Steady", finish="content_filter")]
    marked = completion("Steady", finish="content_filter")
    assert judged(response(marked), stream=False, answers=filtered).kind == "A"
    assert judged(response(completion("Steady")), stream=False, answers=filtered).kind == "X"
    called = [Expected(calls=(("lookup", '{"q": 1}'),), finish="tool_calls")]
    call = {"id": "c", "type": "function", "function": {"name": "lookup", "arguments": '{"q":1}'}}
    body = completion(None, finish="tool_calls", tool_calls=[call])
    assert judged(response(body), stream=False, answers=called).kind == "A"
    call["function"] = {"name": "lookup", "arguments": '{"q"'}
    body = completion(None, finish="tool_calls", tool_calls=[call])
    assert judged(response(body), stream=False, answers=called).kind == "X"


def test_tool_calls_of_a_stream_are_put_together() -> None:
    def piece(delta: dict[str, object]) -> bytes:
        value = json.loads(chunk()[6:])
        value["choices"][0]["delta"] = {"tool_calls": [{"index": 0, **delta}]}
        return b"data: " + json.dumps(value).encode() + b"\n\n"

    body = (
        piece({"id": "c", "function": {"name": "lookup", "arguments": ""}})
        + piece({"function": {"arguments": '{"q"'}})
        + piece({"function": {"arguments": ":1}"}})
        + chunk(finish="tool_calls")
        + DONE
    )
    called = [Expected(calls=(("lookup", '{"q": 1}'),), finish="tool_calls")]
    assert judged(response(body), stream=True, answers=called).kind == "A"


def test_events_are_read_as_the_specification_says() -> None:
    found, problem = events(b": c\r\nevent: x\r\ndata: a\r\ndata:b\r\n\r\ndata\n\nid: 1\n\n")
    assert ([event.data for event in found], problem) == ([b"a\nb", b""], "")
    assert events(b"data: a\n")[1] == "ends within an event"
    assert "no field" in events(b"nonsense\n\n")[1]


def test_errors_are_read_in_openais_shape_only() -> None:
    assert read_error(b'{"error":{"message":"m"}}') == "m"
    assert read_error(b'{"error":"m"}') == read_error(b"<html>") == read_error(b"[]") == ""


def test_a_usage_without_choices_is_no_violation() -> None:
    usage = json.loads(chunk()[6:]) | {"choices": None, "usage": {"total_tokens": 3}}
    assert not read_stream(b"data: " + json.dumps(usage).encode() + b"\n\n" + WHOLE).problem
    usage["usage"] = None
    assert read_stream(b"data: " + json.dumps(usage).encode() + b"\n\n").problem
    assert read_whole(completion()).said.content == TEXT
