"""Health and proofs in words: what is unknown is said to be."""

import time

import pytest

from steadyhand.cli import health
from steadyhand.cli.output import Row

COST = {"p50_ms": 100.0, "p90_ms": 1500.0, "p99_ms": 2000.0, "samples": 7}


def one(process: int, state: str = "closed") -> dict[str, object]:
    return {
        "process": process,
        "state": state,
        "share": 0.5,
        "reason": "errors" if state == "open" else "",
        "since_us": int((time.time() - 90) * 1e6) if state == "open" else None,
        "in_flight": 3 if state == "open" else 0,
        "first_content": COST if state == "open" else None,
        "whole": None,
        "drift": 2.5 if state == "open" else None,
        "openings": {"errors": 4} if state == "open" else {},
        "kept_away": {},
    }


def both(*states: str) -> Row:
    parts = [one(process, state) for process, state in enumerate(states)]
    worst = next((part for part in parts if part["state"] == "open"), parts[0])
    return {**worst, "processes": parts}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "5s"), (119, "119s"), (130, "2m"), (7_300, "2h"), (200_000, "2d"), (-50, "0s")],
)
def test_how_long_ago_in_one_word(seconds: float, words: str) -> None:
    assert health.ago(int((time.time() - seconds) * 1e6)) == words


def test_processes_that_disagree_are_counted() -> None:
    assert health.state(both("closed", "closed")) == "closed"
    assert health.state(both("closed", "open")) == "open 1/2"
    assert (health.share(both("closed")), health.share(both("open"))) == ("50%", "-")
    assert health.why(both("open")) == "errors, 90s ago"
    assert (health.latency(both("open"), "p90_ms"), health.why(both("closed"))) == ("1,500", "-")


def test_unknown_is_a_word_of_its_own() -> None:
    assert health.state(None) == "unknown"
    assert (health.share(None), health.why(None), health.latency(None, "p50_ms")) == ("-",) * 3
    assert health.sentences(None) == ["health: unknown; no gateway process has asked it"]
    assert health.latency(both("closed"), "p50_ms") == "-"
    assert health.ago(None) == "-"


def test_each_process_has_its_sentence() -> None:
    assert health.sentences(both("closed", "open")) == [
        "gateway 0: closed; share 50%",
        "gateway 1: open; errors, 90s ago; 3 in flight; first content p50 100 p90 1,500 "
        "ms of 7; drift 2.5 x; opened: errors 4",
    ]


def test_proofs_in_words() -> None:
    lately = int((time.time() - 30) * 1e6)
    proven = {"proven_at_us": lately, "proven_by": "drill", "is_proven": True, "reason": ""}
    failed = {"proven_at_us": None, "proven_by": "", "is_proven": False, "reason": "gave_up"}
    assert health.proofs({"proofs": []}) == ""
    assert health.proofs({"proofs": [proven]}) == "proven 30s ago by drill"
    fresh = {**failed, "is_proven": True, "reason": ""}
    assert health.proofs({"proofs": [proven, fresh]}) == "not tried yet"
    assert health.proofs({"proofs": [proven, failed]}) == "not proven (gave_up)"
    assert health.proofs({"proofs": [{**failed, "reason": ""}]}) == "not proven"
