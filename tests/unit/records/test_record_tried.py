"""Which attempts asked somebody: those with a role; the others say what was planned around."""

import msgspec

from steadyhand.records.record import tried
from tests.support.records import ATTEMPT, record

FIRST = msgspec.structs.replace(ATTEMPT, role="first")
AROUND = msgspec.structs.replace(ATTEMPT, reason="open")
CACHE = msgspec.structs.replace(ATTEMPT, rung="cache", provider="", model="")


def test_beside_a_decision_what_has_no_role_was_not_asked() -> None:
    made = record(attempts=(AROUND, FIRST, CACHE), decision=b"any")
    assert tried(made) == (FIRST, CACHE)


def test_records_of_older_versions_have_no_roles() -> None:
    assert tried(record(attempts=(AROUND, ATTEMPT))) == (AROUND, ATTEMPT)
