"""Certificates and incidents: anyone can make the verdict again, nobody change it unseen."""

import msgspec
import pytest
from msgspec.structs import replace

from steadyhand.rollouts import certificate as certificates
from steadyhand.rollouts.assessment import assess
from steadyhand.rollouts.certificate import (
    Certificate,
    CertificateDamaged,
    Look,
    Sealed,
    certificate,
    decode,
    same,
    verify,
)
from steadyhand.rollouts.counts import Window
from steadyhand.rollouts.incident import incident
from steadyhand.rollouts.model import Policy, Rollout, Verdict, Work
from tests.unit.rollouts.test_assessment import NOW_S, SITUATION, counts, step

AT_US = int(NOW_S * 1e6)
ROLLOUT = Rollout(
    "ro_1",
    "support",
    "production",
    "sha256:" + "2" * 64,
    "sha256:" + "1" * 64,
    Policy(),
    AT_US - 100_000_000,
    "olive",
    salt="s",
    phase="rolling_back",
    verdict=Verdict("roll_back", "worse_than_control", "it is worse"),
    reason="worse_than_control",
    work=Work(verdict_us=AT_US),
)


def look(second: int, mine: int, theirs: int) -> Look:
    found = counts(step(mine=100 + second, theirs=300, bad=(mine, theirs)))
    situation = replace(SITUATION, now_s=NOW_S + second)
    return Look(AT_US + second * 1_000_000, found, situation, assess(found, Policy(), situation))


LOOKS = [look(0, 1, 3), look(2, 10, 5), look(4, 30, 6)]


def failing(found: Certificate) -> set[str]:
    return {check.name for check in verify(found) if not check.holds}


def sealed(found: Certificate) -> Certificate:
    text = msgspec.json.encode(found).decode()
    again, _ = decode(msgspec.json.encode(Sealed(text, "signature")))
    return again


def test_a_certificate_is_verified_from_its_counts_alone() -> None:
    found = sealed(certificate(ROLLOUT, LOOKS))
    assert failing(found) == set()
    assert found.probabilities == {"500": 0.25}
    verdict = next(check for check in verify(found) if check.name == "verdict")
    assert verdict.message.startswith("roll_back: worse_than_control")


def test_what_was_changed_is_found() -> None:
    found = sealed(certificate(ROLLOUT, LOOKS))
    other = replace(LOOKS[-1], counts=counts(step(mine=104, theirs=300, bad=(3, 9))))
    assert failing(replace(found, looks=[*LOOKS[:-1], other])) == {"path", "verdict"}
    louder = replace(LOOKS[-1].assessment, worse_all=99.0)
    assert failing(replace(found, looks=[replace(LOOKS[-1], assessment=louder)])) == {"path"}
    assert failing(replace(found, reason="slo_breached")) == {"verdict"}
    assert failing(replace(found, looks=LOOKS[::-1])) == {"order", "verdict"}
    forgetful = replace(LOOKS[0], at_us=LOOKS[-1].at_us)
    assert "order" in failing(replace(found, looks=[LOOKS[-1], forgetful]))
    assert failing(replace(found, looks=[])) == {"verdict"}
    assert failing(replace(found, probabilities={"500": 0.5})) == {"probabilities"}
    assert failing(replace(found, policy=Policy(alpha=0.02))) == {"path"}
    assert failing(replace(found, policy=Policy(alpha=1e-12))) == {"path", "verdict"}
    code = replace(found.code, rule="0" * 64)
    assert failing(replace(found, code=code)) == {"code"}


def test_one_that_a_person_ordered_says_who() -> None:
    found = certificate(replace(ROLLOUT, by="olive", reason="forced"), [])
    assert failing(found) == set()
    assert any("olive ordered it" in check.message for check in verify(found))


def test_a_long_path_keeps_its_ends() -> None:
    path = [replace(LOOKS[0], at_us=AT_US + number) for number in range(1_000)]
    found = certificate(ROLLOUT, [*path, LOOKS[-1]])
    assert len(found.looks) == certificates.MOST_LOOKS
    assert (found.looks[0].at_us, found.looks[-1]) == (AT_US, LOOKS[-1])


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff", b'{"certificate":"{}","signature":""}'])
def test_what_is_no_certificate_is_refused(text: bytes) -> None:
    with pytest.raises(CertificateDamaged, match="no certificate"):
        decode(text)


def test_assessments_are_the_same_or_not() -> None:
    one = LOOKS[0].assessment
    assert same(one, replace(one, above=one.above + 1e-12))
    assert not same(one, replace(one, above=one.above + 1e-3))
    assert not same(one, replace(one, no_worse=one.no_worse | {"slow": 9.0}))
    assert not same(one, replace(one, verdict=Verdict("hold", "no_data")))


def test_the_report_says_what_happened_when_and_to_whom() -> None:
    work = Work(
        verdict_us=AT_US,
        drained_us=AT_US + 10_000,
        commit="abcdef0123456789",
        synced_us=AT_US + 90_000,
        verified_us=AT_US + 1_100_000,
        last_served_us=AT_US + 400_000,
    )
    found = incident(replace(ROLLOUT, work=work), LOOKS)
    assert found.id == "incident-ro_1"
    assert (found.opened_us, found.closed_us) == (AT_US, AT_US + 1_100_000)
    for part in (
        "# support in production: release 2222222222222222 was taken back",
        "it is worse.",
        "verdict: worse_than_control",
        "commit abcdef0123 was carried out",
        "From the verdict to the last request on the candidate: 0.40 s.",
        "| candidate | 104 | 30 |",
        "| control | 300 | 6 |",
        "E-value against the candidate:",
        "- [ ] Say why",
    ):
        assert part in found.report


def test_an_incident_says_what_a_person_has_to_do() -> None:
    forced = replace(ROLLOUT, by="olive", reason="forced", verdict=Verdict("roll_back", "forced"))
    found = incident(forced, [], "Mend it.")
    assert found.needs == "Mend it."
    assert "- [ ] Mend it." in found.report
    assert "Ordered by olive: forced." in found.report
    assert "Nothing was counted" in found.report
    assert found.closed_us == 0


def test_windows_are_kept_as_they_were() -> None:
    assert LOOKS[0].counts.control_long == Window(450, 10)
