import pytest

from steadyhand.http.messages import Request
from steadyhand.http.refusal import Refusal
from steadyhand.http.request import BETWEEN, RequestReader
from tests.support import strict_http
from tests.support.smuggling import AFTER, LIMITS, Suspect, suspects

SUSPECTS = suspects()
STRICTER_THAN_THE_GRAMMAR = {
    "absolute-of-another-scheme",
    "absolute-with-user",
    "absolute-without-authority",
    "after-close-in-a-trailer",
    "asterisk-on-get",
    "authority-on-connect",
    "authority-on-get",
    "chunk-extension-empty",
    "chunk-extension-open-quote",
    "chunk-extension-space",
    "chunk-size-over-the-limit",
    "chunk-size-overflows-64-bits",
    "content-length-of-1500-digits",
    "content-length-overflows-64-bits",
    "fragment",
    "fragment-in-query",
    "host-with-bad-port",
    "host-with-open-bracket",
    "method-in-small-letters",
    "method-unknown",
    "relative",
    "transfer-encoding-trailing-tab",
}
"""What one could read in one way only, and we refuse all the same."""


def outcome(*parts: bytes) -> tuple[list[Request], int]:
    seen: list[Request] = []
    reader = RequestReader(LIMITS, "peer", lambda request, *_: seen.append(request))
    try:
        for part in parts:
            reader.feed(part, 1.0)
    except Refusal as refusal:
        return seen, refusal.status
    assert reader.phase == BETWEEN
    return seen, 0


def test_the_corpus_is_there() -> None:
    assert len(SUSPECTS) > 200
    assert len({suspect.name for suspect in SUSPECTS}) == len(SUSPECTS)


@pytest.mark.parametrize("suspect", SUSPECTS, ids=lambda suspect: suspect.name)
def test_a_suspect_is_refused_or_read_in_the_one_way(suspect: Suspect) -> None:
    seen, refused = outcome(suspect.wire + AFTER)
    assert refused == suspect.refused
    answered = seen if refused else seen[:-1]
    assert len(answered) == suspect.answers
    assert [request.path for request in answered if request.path == b"/after"] == []
    if not refused:
        assert (seen[-1].path, seen[-1].body) == (b"/after", b"")


@pytest.mark.parametrize("suspect", SUSPECTS, ids=lambda suspect: suspect.name)
def test_no_way_of_cutting_a_suspect_changes_the_verdict(suspect: Suspect) -> None:
    wire = suspect.wire + AFTER
    if len(wire) > 1_000:
        wire_ways = [(wire[:at], wire[at:]) for at in range(0, len(wire), 97)]
    else:
        wire_ways = [(wire[:at], wire[at:]) for at in range(len(wire))]
    for way in wire_ways:
        assert len(outcome(*way)[0]) == suspect.answers + (not suspect.refused)
        assert outcome(*way)[1] == suspect.refused
    assert outcome(*(bytes([byte]) for byte in wire))[1] == suspect.refused


@pytest.mark.parametrize("suspect", SUSPECTS, ids=lambda suspect: suspect.name)
def test_the_grammar_agrees(suspect: Suspect) -> None:
    reading = strict_http.requests(suspect.wire + AFTER)
    if suspect.name in STRICTER_THAN_THE_GRAMMAR:
        assert reading.end in ("clean", "unfinished")
    elif suspect.refused:
        assert reading.end in ("closed", "error")
        assert len(reading.messages) == suspect.answers
    else:
        assert reading.end == "clean"
        assert len(reading.messages) == suspect.answers + 1
