"""Proofs of a route's rungs over all processes: the latest time, and proven only if all say so."""

from steadyhand.routing.api import proofs_of
from steadyhand.telemetry.status import RungStatus, Status


def rung(position: int, model: str, proven_us: int, reason: str = "") -> RungStatus:
    return RungStatus(
        "support", position, "live", "far", model, "", proven_us, "drill", not reason, reason
    )


def test_each_candidate_of_each_rung_of_the_route() -> None:
    other = RungStatus("other", 0, "live", "far", "m", proven_us=99)
    statuses = {
        0: Status(0, rungs=(rung(0, "b", 5), rung(0, "a", 5), rung(1, "c", 0, "gave_up"), other)),
        1: Status(1, rungs=(rung(0, "a", 8), rung(0, "b", 3, "late"))),
    }
    found = proofs_of(statuses, "support")
    assert [(proof.model, proof.proven_at_us, proof.is_proven) for proof in found[0]] == [
        ("a", 8, True),
        ("b", 5, False),
    ]
    assert [proof.reason for proof in found[0]] == ["", "late"]
    assert [(proof.proven_at_us, proof.reason) for proof in found[1]] == [(None, "gave_up")]
    assert proofs_of({}, "support") == {}
