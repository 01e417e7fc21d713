"""What may become of a channel, and what it becomes. Pure.

Each function gets all that is known and returns the next :class:`Channel`, or a :class:`Refusal`
with a named reason. Nothing here reads the registry or the clock.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from msgspec.structs import replace

from steadyhand.registry.bundle import short
from steadyhand.registry.channel import WHOLE, Channel
from steadyhand.registry.environments import Environment

Reason = Literal[
    "revoked",
    "not_in_origin",
    "needs_approval",
    "already_stable",
    "no_stable",
    "no_candidate",
    "weight_out_of_range",
    "no_baked_predecessor",
    "never_baked",
]


class Refusal(NamedTuple):
    """Why a channel does not move.

    Attributes:
        reason: By name, for machines.
        message: For people.
        hint: What can be done.
    """

    reason: Reason
    message: str
    hint: str


class Situation(NamedTuple):
    """All that a decision about one channel rests on.

    Attributes:
        name: Of the environment.
        environment: What it asks for.
        past: Every value that the channel has had, newest first; the first one is in force.
        approved_by: Who approved the release in question for here, its author left out.
        in_origin: Digests that are or were stable in the environment it comes from.
        revoked: Digests that are refused.
        now_us: Wall clock, microseconds since 1970.
    """

    name: str
    environment: Environment
    past: Sequence[Channel]
    approved_by: frozenset[str]
    in_origin: frozenset[str]
    revoked: frozenset[str]
    now_us: int


def admitted(situation: Situation, digest: str) -> Refusal | None:
    """Return why ``digest`` may not be served in this environment at all, ``None`` if it may."""
    asked = situation.environment
    if digest in situation.revoked:
        return Refusal(
            "revoked",
            f"release {short(digest)} is revoked",
            "change what was wrong and release that; or: steadyhand release waive",
        )
    if asked.origin and digest not in situation.in_origin:
        return Refusal(
            "not_in_origin",
            f"release {short(digest)} was never stable in {asked.origin}",
            f"promote it there first: steadyhand channel promote --to {asked.origin}",
        )
    missing = asked.approvals - len(situation.approved_by)
    if missing > 0:
        return Refusal(
            "needs_approval",
            f"release {short(digest)} needs {missing} more approval(s) for {situation.name}",
            "somebody other than its author runs: steadyhand release approve",
        )
    return None


def promoted(
    situation: Situation, channel: Channel, digest: str, by: str, watched: str = ""
) -> Channel | Refusal:
    """Make ``digest`` the stable release; a candidate is given up with it.

    One that is stable already stays so, and nothing changes: a pipeline may say so again.
    ``watched`` is the salt under which a first release is watched.
    """
    refusal = admitted(situation, digest)
    if refusal is not None:
        return refusal
    if channel.stable == digest and not channel.candidate and channel.salt == watched:
        return channel
    if channel.stable == digest:
        return replace(channel, candidate="", weight=0, salt=watched, by=by)
    return Channel(
        channel.environment,
        channel.route,
        stable=digest,
        since_us=situation.now_us,
        by=by,
        salt=watched,
        namespace=channel.salt if channel.candidate == digest else "",
    )


def tried(
    situation: Situation, channel: Channel, digest: str, weight: int, salt: str, by: str
) -> Channel | Refusal:
    """Give ``digest`` a part of the traffic beside the stable release.

    Args:
        situation: All that is known.
        channel: In force.
        digest: Of the candidate.
        weight: In basis points.
        salt: Used if the candidate is a new one; a candidate that grows keeps its own, so that
            nobody changes sides.
        by: Who wants it.
    """
    if not channel.stable:
        return Refusal(
            "no_stable",
            "there is no stable release to compare a candidate with",
            "promote one first",
        )
    if channel.stable == digest:
        return Refusal(
            "already_stable", f"release {short(digest)} is the stable one", "try another"
        )
    if not 0 < weight <= WHOLE:
        return Refusal(
            "weight_out_of_range", f"{weight / 100:g} % is no part of the traffic", "0.01 to 100"
        )
    kept = channel.salt if channel.candidate == digest else salt
    return admitted(situation, digest) or replace(
        channel, candidate=digest, weight=weight, salt=kept, by=by
    )


def given_up(channel: Channel, by: str) -> Channel | Refusal:
    """End the trial of the candidate: everybody gets the stable release."""
    if not channel.candidate:
        return Refusal("no_candidate", "no candidate is being tried here", "nothing to do")
    return replace(channel, candidate="", weight=0, salt="", by=by)


def rolled_back(situation: Situation, channel: Channel, by: str, to: str = "") -> Channel | Refusal:
    """Point to the last release that had completed its bake, or to ``to`` if that one had.

    Approvals were given when it came here first, and are not asked for again.
    """
    if not channel.stable:
        return Refusal("no_stable", "nothing has been released here", "nothing to do")
    good = baked(situation, channel.stable)
    if to and to not in good:
        return Refusal(
            "never_baked",
            f"release {short(to)} has not completed a bake here, or is revoked",
            "steadyhand channel history shows what was stable, and for how long",
        )
    if not good:
        return Refusal(
            "no_baked_predecessor",
            "no earlier release has completed its bake here",
            "steadyhand release revoke takes this one out of service: the floor speaks then",
        )
    return Channel(
        channel.environment,
        channel.route,
        stable=to or good[0],
        since_us=situation.now_us,
        by=by,
        namespace=namespace_of(situation, to or good[0]),
    )


def namespace_of(situation: Situation, digest: str) -> str:
    """Return where the answers of a release were kept when it was stable last."""
    return next((value.namespace for value in situation.past if value.stable == digest), "")


def baked(situation: Situation, current: str) -> list[str]:
    """Return the digests that a roll-back may go to, the most recent first.

    A release has completed its bake if it was stable for ``bake_s`` without a break.
    """
    found: list[str] = []
    until_us = situation.now_us
    for value in situation.past:
        lasted_s = (until_us - value.since_us) / 1e6
        is_good = lasted_s >= situation.environment.bake_s
        if (
            value.stable
            and value.stable != current
            and value.stable not in situation.revoked
            and value.stable not in found
            and is_good
        ):
            found.append(value.stable)
        if value.stable:
            until_us = min(until_us, value.since_us)
    return found
