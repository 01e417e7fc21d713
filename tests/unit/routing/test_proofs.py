"""What a process knows of its rungs: learned of traffic, of drills, and of other processes."""

from itertools import cycle
from typing import Any

import msgspec
import pytest

from steadyhand.routing.drilling import Proof, RungId, Terms
from steadyhand.routing.model import DeploymentId
from steadyhand.routing.proofs import ProofBook, Row, Turned, newest
from tests.support.records import ATTEMPT, record

TERMS = Terms(interval_s=100, window_s=250)
FIRST = RungId("support", 0, "live", "acme", "acme-small")
SECOND = RungId("support", 1, "live", "acme", "acme-large")
CACHE = RungId("support", 2, "cache")
FLOOR = RungId("support", 3, "template")
ALL = (FIRST, SECOND, CACHE, FLOOR)
WALL_US = 1_800_000_000_000_000


def closed(_: DeploymentId) -> str:
    return "closed"


def book(terms: Terms = TERMS, *, now_s: float = 0.0) -> ProofBook:
    draws = cycle([0.0, 0.25, 0.5, 0.75])
    made = ProofBook(terms, lambda: next(draws))
    made.serve(ALL, (), now_s)
    made.judge(now_s, closed)
    return made


def candidate(rung: RungId) -> tuple[str, int, DeploymentId | None]:
    deployment = DeploymentId(rung.provider, rung.model, rung.region) if rung.provider else None
    return rung.route, rung.rung, deployment


def fail(known: ProofBook, rung: RungId, at_s: float) -> None:
    for number in range(2):
        known.drilled(rung, False, "auth_failed", at_s + number)


def test_traffic_proves_the_rungs_that_answered_and_no_other() -> None:
    known = book()
    known.learn(record(), 10)  # by acme-small
    known.learn(record(outcome="answered", rung="cache", provider="", attempts=()), 11)
    known.learn(record(outcome="floor", rung="template", provider="", attempts=()), 12)
    failed = msgspec.structs.replace(ATTEMPT, model="acme-large", reason="rate_limited")
    known.learn(record(outcome="failed", rung="error", attempts=(failed,)), 13)
    assert {rung: proof.proven_s for rung, proof in known.proofs.items() if proof.by} == {
        FIRST: 10, CACHE: 11, FLOOR: 12,
    }  # fmt: skip


@pytest.mark.parametrize("changes", [{"wire": "drill"}, {"route": ""}, {"route": "other"}])
def test_what_is_no_request_of_the_route_proves_nothing(changes: dict[str, Any]) -> None:
    known = book()
    known.learn(record(**changes), 10)
    assert not any(proof.by for proof in known.proofs.values())


def test_traffic_is_noted_once_a_second_but_at_once_after_a_failure() -> None:
    known = book()
    for at_s in (10, 10.5, 11.0):
        known.learn(record(), at_s)
    assert known.proofs[FIRST].proven_s == 11.0
    known.drilled(FIRST, False, "auth_failed", 11.1)
    known.learn(record(), 11.2)
    assert (known.proofs[FIRST].proven_s, known.proofs[FIRST].failures) == (11.2, 0)


def test_traffic_right_after_a_drill_that_went_well_says_nothing_new() -> None:
    known = book()
    known.learn(record(), 9.5)
    known.drilled(FIRST, True, "ok", 10)
    known.learn(record(), 10.5)
    assert (known.proofs[FIRST].proven_s, known.proofs[FIRST].by) == (10, "drill")
    known.learn(record(), 11.6)
    assert (known.proofs[FIRST].proven_s, known.proofs[FIRST].by) == (11.6, "traffic")


def test_a_rung_that_fails_its_drills_is_planned_around_until_one_succeeds() -> None:
    known = book()
    assert known.is_proven(*candidate(SECOND))
    known.drilled(SECOND, False, "auth_failed", 60)
    assert known.judge(60, closed) == []  # once may be chance
    known.drilled(SECOND, False, "auth_failed", 70)
    assert known.judge(70, closed) == [Turned(SECOND, "failed", "auth_failed")]
    assert not known.is_proven(*candidate(SECOND))
    assert known.is_proven(*candidate(FIRST))
    assert known.is_proven("support", 9, DeploymentId("stranger", "m"))
    assert known.judge(71, closed) == []  # said once
    known.drilled(SECOND, True, "ok", 80)
    assert known.judge(80, closed) == [Turned(SECOND, "proven", "")]
    assert known.is_proven(*candidate(SECOND))


def test_an_open_breaker_takes_the_judgement_over() -> None:
    known = book()
    fail(known, SECOND, 60)
    known.judge(61, lambda deployment: "open" if deployment.model == "acme-large" else "closed")
    assert known.verdicts[SECOND] == "left_to_breaker"
    assert known.is_proven(*candidate(SECOND))
    assert known.next_due(10_000) != SECOND


def test_a_route_that_is_not_drilled_is_never_planned_around() -> None:
    known = book()
    known.serve(ALL, {"support"}, 0)
    known.judge(10_000, closed)
    assert set(known.verdicts.values()) == {"not_drilled"}
    assert known.next_due(10_000) is None
    assert [row.due_us for row in known.rows(10_000, WALL_US)] == [0] * 4


def test_a_new_snapshot_keeps_what_is_known_of_rungs_that_stay() -> None:
    known = book()
    known.learn(record(), 10)
    known.serve((FIRST, RungId("other", 0, "error")), (), 500)
    assert known.proofs[FIRST].proven_s == 10
    assert known.proofs[RungId("other", 0, "error")].since_s == 500
    known.drilled(SECOND, False, "auth_failed", 501)  # was under way when the snapshot came
    assert set(known.proofs) == {FIRST, RungId("other", 0, "error")}


def test_the_next_drill_is_of_what_traffic_did_not_prove() -> None:
    known = book()
    known.learn(record(), 99)
    assert known.next_due(49) is None
    assert known.next_due(99.5) == SECOND
    known.drilled(SECOND, None, "not_asked", 100)
    assert known.next_due(100.5) == CACHE
    assert known.proofs[SECOND].failures == 0


def test_others_learn_what_one_has_seen_whatever_their_clocks() -> None:
    seer, other = book(), book(now_s=7_000)
    seer.learn(record(), 40)
    fail(seer, SECOND, 60)
    rows = seer.rows(100, WALL_US)
    other.take(rows, 7_100, WALL_US + 10_000_000)  # read ten seconds later
    assert other.proofs[FIRST].proven_s == pytest.approx(7_100 - 70)
    assert other.proofs[SECOND].failures == 2
    other.judge(7_100, closed)
    assert not other.is_proven(*candidate(SECOND))
    before = dict(other.proofs)
    other.take(rows, 7_100, WALL_US + 10_000_000)
    assert other.proofs == before


def test_what_comes_from_the_future_is_not_believed() -> None:
    known = book(now_s=50)
    rows = [
        Row(FIRST, WALL_US + 1, WALL_US + 1, "traffic"),
        Row(SECOND, 0, 0, "", WALL_US + 1, 5, "auth_failed"),
        Row(RungId("gone", 0, "live"), 1, 1, "drill"),
    ]
    known.take(rows, 60, WALL_US)
    assert known.proofs[FIRST] == Proof(50, 0.0)
    assert known.proofs[SECOND].since_s == 50
    assert known.proofs[SECOND].failures == 0
    assert len(known.proofs) == 4


def test_rows_carry_what_people_ask() -> None:
    known = book()
    known.learn(record(), 40)
    first, second, *_ = known.rows(100, WALL_US)
    assert first == Row(
        FIRST,
        WALL_US - 100_000_000,
        WALL_US - 60_000_000,
        "traffic",
        due_us=WALL_US - 60_000_000 + 75_000_000,
    )
    assert (second.proven_us, second.by, second.tried_us) == (0, "", 0)
    assert msgspec.json.decode(msgspec.json.encode(first), type=Row) == first


def test_of_several_processes_the_one_speaks_that_saw_the_rung_last() -> None:
    old, new = Row(FIRST, 1, 5, "traffic"), Row(FIRST, 1, 3, "traffic", 6, 1, "auth_failed")
    assert newest([[old], [new]]) == newest([[new], [old]]) == {FIRST: new}


def test_a_stored_rung_that_fails_its_drills_is_planned_around_and_a_floor_never() -> None:
    known = book()
    fail(known, CACHE, 60)
    fail(known, FLOOR, 60)
    assert [turned.rung for turned in known.judge(61, closed)] == [CACHE, FLOOR]
    assert not known.is_proven(*candidate(CACHE))
    assert known.is_proven(*candidate(FLOOR))
