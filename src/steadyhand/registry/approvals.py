"""Approvals, revocations and waivers: what people said about a digest. Pure."""

from collections.abc import Iterable
from typing import Final

import msgspec

from steadyhand.registry.bundle import checked_digest, short
from steadyhand.registry.channel import checked_name

APPROVALS: Final = "approvals"
REVOCATIONS: Final = "revocations"


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One person's word that a release may go to an environment.

    Attributes:
        digest: Of the release.
        environment: For which.
        principal: Who says so.
        time_us: When, microseconds since 1970.
        note: What they want to be read with it.
    """

    digest: str
    environment: str
    principal: str
    time_us: int
    note: str = ""


class Revocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A digest that is refused wherever it turns up.

    Attributes:
        digest: Of the release.
        reason: Why.
        by: Who revoked it.
        time_us: When, microseconds since 1970.
        waiver: Why it may be served again; empty for no waiver.
        waiver_by: Who asked for that.
        waived_by: Who agreed, somebody else; empty as long as nobody has.
    """

    digest: str
    reason: str
    by: str
    time_us: int
    waiver: str = ""
    waiver_by: str = ""
    waived_by: str = ""

    @property
    def holds(self) -> bool:
        """Whether the digest is refused: no second person has waived it."""
        return not (self.waiver_by and self.waived_by and self.waiver_by != self.waived_by)


def approval_path(digest: str, environment: str, principal: str) -> str:
    """Return the file of an approval."""
    below = f"{APPROVALS}/{short(checked_digest(digest))}/{checked_name(environment)}"
    return f"{below}/{checked_name(principal)}.json"


def revocation_path(digest: str) -> str:
    """Return the file of a revocation; the whole digest, so that it names no other release."""
    return f"{REVOCATIONS}/{checked_digest(digest).removeprefix('sha256:')}.json"


def encode(said: Approval | Revocation) -> bytes:
    """Return the file's content."""
    return msgspec.json.format(msgspec.json.encode(said, order="sorted"), indent=1) + b"\n"


def counting(
    approvals: Iterable[Approval], digest: str, environment: str, author: str
) -> frozenset[str]:
    """Return who approved ``digest`` for ``environment``; the author's own word does not count."""
    return frozenset(
        one.principal
        for one in approvals
        if (one.digest, one.environment) == (digest, environment) and one.principal != author
    )
