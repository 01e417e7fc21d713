"""Channels: which release of a route an environment serves. Pure.

A channel is one small file, and moving it is one commit, so its history is the file's history.
"""

import re
from typing import Final

import msgspec

from steadyhand.core.errors import InvalidRequest
from steadyhand.registry.bundle import short

FOLDER: Final = "channels"
DEV: Final = "dev"
"""The environment that the workspace feeds; it has no pointers."""

WHOLE: Final = 10_000
"""All traffic, in basis points."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}\Z")


class NameRefused(InvalidRequest):
    """The name of a route or an environment has a form that none may have."""

    code = "registry_name_refused"


class ChannelDamaged(InvalidRequest):
    """A channel's file in the registry cannot be read; what was served before stays."""

    code, status = "channel_damaged", 409


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pointer.

    Attributes:
        environment: Where it holds.
        route: Which route it is of.
        stable: Digest of the release that answers; empty before the first.
        candidate: Digest of the release that is tried; empty for none.
        weight: Part of the traffic that the candidate gets, in basis points.
        salt: Mixed into the draw of who gets the candidate; new for each candidate. Beside no
            candidate it is that of a first release, which is watched.
        since_us: When the stable release became so, microseconds since 1970.
        by: Principal who moved it last.
        namespace: Of the kept answers of the stable release: the salt that it was tried under, so
            that it goes on with the cache that it has warmed.
    """

    environment: str
    route: str
    stable: str = ""
    candidate: str = ""
    weight: int = 0
    salt: str = ""
    since_us: int = 0
    by: str = ""
    namespace: str = ""


def checked_name(name: str) -> str:
    """Return ``name`` if a route or an environment may have it.

    Raises:
        NameRefused: It may not.
    """
    if _NAME.match(name) is None:
        raise NameRefused(
            f"{name[:63]!r} is no name",
            hint="lower-case letters, digits, '.', '_', '-'; at most 63; a letter or digit first",
        )
    return name


def channel_path(environment: str, route: str) -> str:
    """Return the file of a channel.

    Raises:
        NameRefused: A name that none may have.
    """
    return f"{FOLDER}/{checked_name(environment)}/{checked_name(route)}.json"


def encode(channel: Channel) -> bytes:
    """Return the file's content: a line for each key, so that ``git diff`` is read with ease."""
    return msgspec.json.format(msgspec.json.encode(channel, order="sorted"), indent=1) + b"\n"


def decode(content: bytes, environment: str, route: str) -> Channel:
    """Return the channel in a file that stands at the place of ``environment`` and ``route``.

    Raises:
        ChannelDamaged: It is no channel, or that of another place.
    """
    try:
        channel = msgspec.json.decode(content, type=Channel)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ChannelDamaged(
            f"the channel {environment}/{route} cannot be read: {error}",
            hint="git revert the commit that changed it, in a clone of the registry",
        ) from error
    if (channel.environment, channel.route) != (environment, route):
        raise ChannelDamaged(
            f"the file of {environment}/{route} is the channel "
            f"{channel.environment}/{channel.route}"
        )
    if not 0 <= channel.weight <= WHOLE:
        raise ChannelDamaged(f"the weight {channel.weight} of {environment}/{route} is not 0-10000")
    return channel


def describe(channel: Channel) -> str:
    """Return the channel in words, for messages."""
    tried = f", candidate {short(channel.candidate)} at {channel.weight / 100:g} %"
    return (short(channel.stable) or "nothing") + (tried if channel.candidate else "")
