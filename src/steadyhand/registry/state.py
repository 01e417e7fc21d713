"""Read what the registry says of environments, channels, approvals and revocations."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from steadyhand.core.errors import InvalidRequest
from steadyhand.registry import approvals, bundle, channel, environments
from steadyhand.registry.approvals import Approval, Revocation
from steadyhand.registry.channel import Channel
from steadyhand.registry.environments import Environment
from steadyhand.registry.ports import PathMissing, Store, Version

Said = TypeVar("Said", Approval, Revocation)
MOST_PAST = 1_000
"""Values of a channel that are looked at."""


class WordDamaged(InvalidRequest):
    """An approval or a revocation in the registry cannot be read; it fails closed."""

    code, status = "registry_word_damaged", 409


def known_environments(store: Store, at: str = "") -> Mapping[str, Environment]:
    """Return name → environment.

    Raises:
        EnvironmentsInvalid: Their file has a mistake.
    """
    try:
        return environments.decode(store.get(environments.FILE, at).content)
    except PathMissing:
        return environments.DEFAULTS


def channels(store: Store, at: str = "") -> list[Channel]:
    """Return every channel, in order of their names.

    Raises:
        ChannelDamaged: One cannot be read.
    """
    found = []
    for path in store.list(f"{channel.FOLDER}/", at):
        _, environment, name = path.split("/", 2)
        found.append(
            channel.decode(store.get(path, at).content, environment, name.removesuffix(".json"))
        )
    return found


def past(store: Store, environment: str, route: str) -> list[tuple[Version, Channel]]:
    """Return the values that a channel has had, newest first; none if it was never set.

    Raises:
        ChannelDamaged: One cannot be read.
    """
    path = channel.channel_path(environment, route)
    return [
        (version, channel.decode(store.get(path, version.commit).content, environment, route))
        for version in store.history(path, limit=MOST_PAST)
        if version.blob
    ]


def said_for(store: Store, digest: str, environment: str = "") -> list[Approval]:
    """Return the approvals of a release, of one environment or of all.

    Raises:
        WordDamaged: One cannot be read.
    """
    below = f"{approvals.APPROVALS}/{bundle.short(digest)}/"
    found = [
        decoded(store.get(path).content, Approval, path)
        for path in store.list(f"{below}{environment}/" if environment else below)
        if path.endswith(".json")
    ]
    return [one for one in found if one.digest == digest]


def revocations(store: Store, at: str = "") -> dict[str, Revocation]:
    """Return digest → revocation, waived ones included.

    Raises:
        WordDamaged: One cannot be read: which digest it meant is not known, so nothing may move.
    """
    found = {}
    for path in store.list(f"{approvals.REVOCATIONS}/", at):
        one = decoded(store.get(path, at).content, Revocation, path)
        if approvals.revocation_path(one.digest) != path:
            raise WordDamaged(f"{path} revokes {one.digest[:80]}")
        found[one.digest] = one
    return found


def refused(store: Store, at: str = "") -> frozenset[str]:
    """Return the digests that are revoked and not waived."""
    return frozenset(key for key, one in revocations(store, at).items() if one.holds)


def decoded(content: bytes, kind: type[Said], path: str) -> Said:
    """Return what was said in a file.

    Raises:
        WordDamaged: It cannot be read.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WordDamaged(
            f"{path} cannot be read: {error}",
            hint="git revert the commit that changed it, in a clone of the registry",
        ) from error
