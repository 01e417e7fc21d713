"""Of the entries of a request one counts, however they are cut into runs."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from steadyhand.records.entry import Entry
from steadyhand.records.resolution import INTENT, Resolution, resolve
from tests.support.records import record


def entry(sequence: int, supersedes: int = 0, outcome: str = "answered") -> Entry:
    return Entry(sequence, record(sequence, supersedes=supersedes, outcome=outcome), b"")


def test_plain_records_pass() -> None:
    entries = [entry(1), entry(2)]
    assert resolve(entries) == Resolution(entries, [], [], 0)
    assert resolve([]) == Resolution([], [], [], 0)


def test_an_intent_waits() -> None:
    intent = entry(1, outcome=INTENT)
    assert resolve([intent, entry(2)]) == Resolution([entry(2)], [intent], [], 0)


def test_a_chain_leaves_its_last_link() -> None:
    chain = [entry(1, outcome=INTENT), entry(2, 1), entry(3), entry(4, 2, "truncated")]
    assert resolve(chain) == Resolution([chain[2], chain[3]], [], [], 2)
    assert resolve(chain[1:]) == Resolution([chain[2], chain[3]], [], [1], 1)
    assert resolve(chain[3:]) == Resolution([chain[3]], [], [2], 0)


@st.composite
def logs(draw: st.DrawFn) -> list[Entry]:
    """Return a log of requests, each with an intent or none and up to two corrections."""
    last: dict[int, int] = {}
    entries = []
    for sequence in range(1, draw(st.integers(1, 30))):
        request = draw(st.integers(0, 6))
        first = request not in last
        outcome = INTENT if first and draw(st.booleans()) else "answered"
        entries.append(entry(sequence, last.get(request, 0), outcome))
        last[request] = sequence
    return entries


@given(logs(), st.lists(st.integers(1, 30)))
def test_cut_anywhere_what_is_left_in_the_end_is_the_same(
    entries: list[Entry], cuts: list[int]
) -> None:
    edges = sorted({0, len(entries), *(cut for cut in cuts if cut < len(entries))})
    kept: dict[int, Entry] = {}
    waiting: dict[int, Entry] = {}
    superseded = 0
    for start, end in itertools.pairwise(edges):
        found = resolve(entries[start:end])
        superseded += found.superseded
        for sequence in found.gone:
            superseded += sequence in kept or sequence in waiting
            kept.pop(sequence, None)
            waiting.pop(sequence, None)
        kept |= {each.sequence: each for each in found.records}
        waiting |= {each.sequence: each for each in found.intents}
    replaced = {each.record.supersedes for each in entries}
    assert sorted([*kept, *waiting]) == [
        each.sequence for each in entries if each.sequence not in replaced
    ]
    assert superseded == len(entries) - len(kept) - len(waiting)
    assert all(each.record.outcome == INTENT for each in waiting.values())
