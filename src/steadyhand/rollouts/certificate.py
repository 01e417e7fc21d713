"""The certificate of a roll-back: all that the verdict was made of, for anyone to make again.

It holds the counts, the probabilities by which units were assigned, the path of the e-values, the
policy and the version of the rule. Whoever has it needs neither the database nor us to come to the
same verdict: :func:`verify` does so, offline, from the counts alone. Pure.
"""

import inspect
from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from math import isclose
from typing import Final

import msgspec

from steadyhand import __version__
from steadyhand.core.errors import InvalidRequest
from steadyhand.rollouts import assessment, counts, evidence, sequential
from steadyhand.rollouts.assessment import Assessment, Situation, assess
from steadyhand.rollouts.counts import Counts, Step
from steadyhand.rollouts.model import Policy, Rollout

SCHEMA: Final = 1
MOST_LOOKS: Final = 200
"""Of a path; the others are left out evenly."""


class CertificateDamaged(InvalidRequest):
    """What was given is no certificate."""

    code = "certificate_damaged"


class Look(msgspec.Struct, frozen=True):
    """One look at the evidence.

    Attributes:
        at_us: When, microseconds since 1970.
        counts: What was known.
        situation: And beside it.
        assessment: What was made of it.
    """

    at_us: int
    counts: Counts
    situation: Situation
    assessment: Assessment


class Code(msgspec.Struct, frozen=True):
    """What decided.

    Attributes:
        version: Of the product.
        rule: SHA-256 in hex of the sources of the rule.
    """

    version: str
    rule: str


class Certificate(msgspec.Struct, frozen=True):
    """Why a release was taken back.

    Attributes:
        schema: Of this form.
        rollout: Id.
        route: Which route's.
        environment: Where.
        candidate: Digest that was taken back.
        stable: Digest that it was compared with; empty for a first release.
        salt: Of the draw: who was assigned where can be computed from it.
        opened_us: When the rollout began, microseconds since 1970.
        forced_by: Principal who ordered it; empty for evidence alone.
        reason: Of the verdict, or what they said.
        policy: In force.
        probabilities: Weight in basis points → probability that a bad event of a compared slice
            falls to a candidate which is no worse.
        looks: The path; the last one decided.
        code: What decided.
    """

    schema: int
    rollout: str
    route: str
    environment: str
    candidate: str
    stable: str
    salt: str
    opened_us: int
    forced_by: str
    reason: str
    policy: Policy
    probabilities: dict[str, float]
    looks: list[Look]
    code: Code


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        name: Of it.
        holds: Whether it is as it must be.
        message: What was found.
    """

    name: str
    holds: bool
    message: str


class Sealed(msgspec.Struct, frozen=True):
    """A certificate as it is kept.

    Attributes:
        certificate: As JSON, byte for byte what was signed.
        signature: Over it, in OpenSSH's form.
    """

    certificate: str
    signature: str


def rule_digest() -> str:
    """Return SHA-256 in hex of the sources that decide."""
    digest = sha256()
    for module in (sequential, counts, evidence, assessment):
        digest.update(inspect.getsource(module).encode())
    return digest.hexdigest()


def certificate(rollout: Rollout, looks: Sequence[Look]) -> Certificate:
    """Return the certificate of a roll-back."""
    seen = {step.weight: step.controls for look in looks for step in look.counts.steps}
    return Certificate(
        SCHEMA,
        rollout.id,
        rollout.route,
        rollout.environment,
        rollout.candidate,
        rollout.stable,
        rollout.salt,
        rollout.opened_us,
        rollout.by,
        rollout.reason,
        rollout.policy,
        {str(weight): sequential.share(count, 1.0) for weight, count in seen.items() if count},
        _thinned(looks),
        Code(__version__, rule_digest()),
    )


def decode(text: bytes | str) -> tuple[Certificate, Sealed]:
    """Return what was kept.

    Raises:
        CertificateDamaged: It is none.
    """
    try:
        sealed = msgspec.json.decode(text, type=Sealed)
        return msgspec.json.decode(sealed.certificate, type=Certificate), sealed
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CertificateDamaged(
            f"this is no certificate of a roll-back: {error}",
            hint="git notes --ref=rollouts show COMMIT, in a clone of the registry, writes one",
        ) from error


def verify(found: Certificate) -> list[Check]:
    """Make the verdict again from the counts; return what was looked at."""
    checks = [_same_rule(found), _grows(found.looks), _probabilities(found)]
    different = [
        number
        for number, look in enumerate(found.looks)
        if not same(assess(look.counts, found.policy, look.situation), look.assessment)
    ]
    told = f"all {len(found.looks)} looks give the same again"
    if different:
        told = f"{len(different)} looks do not, the first is number {different[0]}"
    checks.append(Check("path", not different, told))
    if found.forced_by:
        checks.append(Check("verdict", holds=True, message=f"{found.forced_by} ordered it"))
    elif not found.looks:
        checks.append(Check("verdict", holds=False, message="there is no look that decided"))
    else:
        last = assess(found.looks[-1].counts, found.policy, found.looks[-1].situation).verdict
        is_so = last.decision == "roll_back" and last.reason == found.reason
        checks.append(Check("verdict", is_so, f"{last.decision}: {last.reason}: {last.message}"))
    return checks


def same(one: Assessment, other: Assessment) -> bool:
    """Tell whether two assessments say the same; e-values may differ in the last digits."""
    mine, theirs = one.verdict, other.verdict
    if (mine.decision, mine.reason) != (theirs.decision, theirs.reason):
        return False
    pairs = [
        (one.worse_all, other.worse_all),
        (one.above, other.above),
        (one.skewed, other.skewed),
        (one.rolls_back_at, other.rolls_back_at),
        (one.promotes_at, other.promotes_at),
        *((one.worse[name], other.worse.get(name, 0.0)) for name in one.worse),
        *((one.no_worse[name], other.no_worse.get(name, 0.0)) for name in one.no_worse),
    ]
    return all(isclose(left, right, rel_tol=1e-9, abs_tol=1e-9) for left, right in pairs)


def _thinned(looks: Sequence[Look]) -> list[Look]:
    if len(looks) <= MOST_LOOKS:
        return list(looks)
    step = len(looks) / (MOST_LOOKS - 1)
    return [*(looks[int(place * step)] for place in range(MOST_LOOKS - 1)), looks[-1]]


def _same_rule(found: Certificate) -> Check:
    mine = rule_digest()
    if found.code.rule == mine:
        return Check("code", holds=True, message=f"the rule of {found.code.version}, as here")
    told = f"made by the rule of {found.code.version}, which is not the one here ({__version__})"
    return Check("code", holds=False, message=told)


def _grows(looks: Sequence[Look]) -> Check:
    for before, after in pairwise(looks):
        is_later = before.at_us <= after.at_us
        if not is_later or sum(map(_asked, before.counts.steps)) > sum(
            map(_asked, after.counts.steps)
        ):
            return Check("order", holds=False, message=f"the look at {after.at_us} knows less")
    return Check("order", holds=True, message="each look knows at least what the one before did")


def _asked(step: Step) -> int:
    return sum(step.requests)


def _probabilities(found: Certificate) -> Check:
    wrong = [
        step.weight
        for look in found.looks
        for step in look.counts.steps
        if step.controls
        and not isclose(
            found.probabilities.get(str(step.weight), 0.0), sequential.share(step.controls, 1.0)
        )
    ]
    told = "units were assigned by the probabilities that the e-values are made with"
    if wrong:
        told = f"at weight {wrong[0]} another probability is stated than the e-values use"
    return Check("probabilities", not wrong, told)
