"""The environments of a registry and what each asks for. Pure.

They stand in ``environments.toml`` at the registry's root, under version like everything else:
``[environments.production] from = "staging"``. Without the file there are two, staging and
production.
"""

import tomllib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from steadyhand.core.errors import InvalidRequest, NotFound
from steadyhand.registry.channel import DEV

FILE: Final = "environments.toml"


class EnvironmentsInvalid(InvalidRequest):
    """``environments.toml`` has a mistake; nothing is moved until it is mended."""

    code, status = "environments_invalid", 409


class EnvironmentMissing(NotFound):
    """The registry knows no such environment."""

    code = "environment_missing"


class Environment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one environment asks for.

    Attributes:
        origin: Where a release must be stable, or have been, before it comes here; empty for
            nowhere. ``from`` in the file.
        approvals: Least number of people other than the author who approved it for here.
        protected: Whether only operators move its channels; authors may move the others.
        bake_s: Seconds for which a release must have been stable before a roll-back may go to it.
        rollout: How candidates are tried here; see ``steadyhand.rollouts.model.Policy``.
    """

    origin: str = msgspec.field(name="from", default="")
    approvals: int = 0
    protected: bool = False
    bake_s: int = 0
    rollout: dict[str, Any] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    environments: dict[str, Environment]


DEFAULTS: Final[Mapping[str, Environment]] = {
    "staging": Environment(),
    "production": Environment(origin="staging", approvals=1, protected=True),
}


def decode(content: bytes) -> Mapping[str, Environment]:
    """Return name → environment.

    Raises:
        EnvironmentsInvalid: The file is not TOML, or says something that makes no sense.
    """
    try:
        found = msgspec.convert(tomllib.loads(content.decode()), _File).environments
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise EnvironmentsInvalid(f"{FILE}: {error}", hint="mend it by a commit") from error
    for name, one in found.items():
        if name == DEV:
            raise EnvironmentsInvalid(
                f"{FILE}: {DEV} is fed by the workspace", hint=f"remove [environments.{DEV}]"
            )
        if one.origin and one.origin not in found:
            raise EnvironmentsInvalid(f"{FILE}: {name} comes from {one.origin}, which is not there")
        if one.approvals < 0 or one.bake_s < 0:
            raise EnvironmentsInvalid(f"{FILE}: a number of {name} is below 0")
    return found


def environment(known: Mapping[str, Environment], name: str) -> Environment:
    """Return the environment called ``name``.

    Raises:
        EnvironmentMissing: There is none.
    """
    if name not in known:
        of_dev = name == DEV
        raise EnvironmentMissing(
            f"there is no environment {name[:63]!r}",
            hint="the workspace feeds dev: change its files"
            if of_dev
            else f"known are {', '.join(sorted(known))}",
        )
    return known[name]


def loosened(before: Mapping[str, Environment], after: Mapping[str, Environment]) -> list[str]:
    """Return what ``after`` asks for less than ``before``, in words; empty if nothing.

    An environment that is gone is none: nothing can be moved in it any more.
    """
    found = []
    for name, was in before.items():
        now = after.get(name)
        if now is None:
            continue
        if now.approvals < was.approvals:
            found.append(f"{name} needs {now.approvals} approvals instead of {was.approvals}")
        if was.protected and not now.protected:
            found.append(f"{name} is not protected any more")
        if was.origin and now.origin != was.origin:
            found.append(f"{name} comes from {now.origin or 'anywhere'} instead of {was.origin}")
        if now.bake_s < was.bake_s:
            found.append(f"{name} bakes {now.bake_s} s instead of {was.bake_s}")
    return found
