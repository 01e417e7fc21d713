"""Decide on what the registry says now, and commit it only if that is still so."""

import time
from collections.abc import Callable, Mapping, Sequence
from random import uniform
from typing import Final, TypeVar

from msgspec.structs import replace

from steadyhand.core.errors import SteadyhandError
from steadyhand.registry import approvals, bundle, environments, state
from steadyhand.registry.channel import Channel, channel_path, encode
from steadyhand.registry.environments import Environment, environment
from steadyhand.registry.ports import (
    Author,
    Change,
    Expected,
    PathMissing,
    Store,
    StoreConflict,
    Version,
)
from steadyhand.registry.reading import Listed, ReleaseMissing
from steadyhand.registry.stories import Story, message
from steadyhand.registry.transitions import Refusal, Situation, baked, namespace_of
from steadyhand.tenancy.principals import Principal
from steadyhand.tenancy.settings import Role

_TRIES: Final = 20
_PAUSE_S: Final = 0.02
Result = TypeVar("Result")


class ReleaseRefused(SteadyhandError):
    """A rule of the registry forbids it; the message begins with the rule's name."""

    code, status = "release_refused", 409


class RoleMissing(SteadyhandError):
    """The principal is known, but has not the role that this takes."""

    code, status = "role_missing", 403


class Writer:
    """Commits to one registry. See :class:`steadyhand.registry.service.RegistryService`."""

    def __init__(
        self, store: Store, clock: Callable[[], float], told: Callable[[Story, str], None]
    ) -> None:
        """Take the parts; ``told`` hears of each commit once it is durable."""
        self._store = store
        self._clock = clock
        self._told = told

    def again(self, once: Callable[[], Result]) -> Result:
        """Decide again when what a decision rested on has changed, a few times."""
        for _ in range(_TRIES - 1):
            try:
                return once()
            except StoreConflict:
                time.sleep(uniform(0.0, _PAUSE_S))  # noqa: S311 - jitter, no secret
        return once()

    def situation(
        self, known: Mapping[str, Environment], where: str, route: str, digest: str
    ) -> tuple[Situation, list[Expected]]:
        """Return what a decision rests on, and what must not change before it is committed."""
        path = channel_path(where, route)
        rests = [path, environments.FILE, *([approvals.revocation_path(digest)] if digest else [])]
        # First what must not change, then what is decided on: never the other way round.
        expected = [Expected(one, self.blob(one)) for one in rests]
        asked = environment(known, where)
        values = [value for _, value in state.past(self._store, where, route)]
        origin = state.past(self._store, asked.origin, route) if asked.origin else []
        author, said = "", []
        if digest:
            author = author_of(self._store, Listed(route, bundle.short(digest))).author
            said = state.said_for(self._store, digest, where)
        situation = Situation(
            name=where,
            environment=asked,
            past=values,
            approved_by=approvals.counting(said, digest, where, author),
            in_origin=frozenset(value.stable for _, value in origin),
            revoked=state.refused(self._store),
            now_us=self.now_us(),
        )
        return situation, expected

    def others_back(
        self, known: Mapping[str, Environment], but: str, digest: str, by: Principal
    ) -> tuple[list[Change], list[Expected]]:
        """Return what takes ``digest`` out of every other channel."""
        changes, expected = [], []
        for found in state.channels(self._store):
            if found.environment == but or found.environment not in known:
                continue
            if digest not in (found.stable, found.candidate):
                continue
            situation, rests = self.situation(known, found.environment, found.route, "")
            next_ = replace(found, candidate="", weight=0, salt="", by=by.name)
            if found.stable == digest:
                good = baked(situation, digest)
                if not good:
                    continue  # nothing to go back to: gateways drop it, and the floor speaks
                kept_in = namespace_of(situation, good[0])
                next_ = replace(next_, stable=good[0], since_us=situation.now_us, namespace=kept_in)
            changes.append(Change(channel_path(found.environment, found.route), encode(next_)))
            expected += rests
        return changes, expected

    def commit(
        self, changes: Sequence[Change], story: Story, expected: Sequence[Expected] = ()
    ) -> None:
        """Make one commit of what a story tells, and tell it; nothing if nothing changes.

        Raises:
            StoreConflict: What it rests on has changed.
        """
        before = self._store.head()
        made = self._store.commit(
            changes, message=message(story), author=Author(story.principal), expected=expected
        )
        if made != before:
            self._told(story, made)

    def now_us(self) -> int:
        """Return the wall clock, microseconds since 1970."""
        return int(self._clock() * 1e6)

    def blob(self, path: str) -> str:
        """Return the object id of what ``path`` holds now; empty for nothing."""
        try:
            return self._store.get(path).blob
        except PathMissing:
            return ""


def author_of(store: Store, one: Listed) -> Version:
    """Return the first version of a release: who put it, and when.

    Raises:
        ReleaseMissing: There is none.
    """
    path = f"{bundle.FOLDER}/{one.route}/{one.short}/{bundle.MANIFEST}"
    versions = store.history(path, limit=1_000)
    if not versions:
        raise ReleaseMissing(f"there is no release {one.short} of {one.route}")
    return versions[-1]


def allowed(decided: Channel | Refusal) -> Channel:
    """Return what was decided.

    Raises:
        ReleaseRefused: It was refused.
    """
    if isinstance(decided, Refusal):
        raise ReleaseRefused(f"{decided.reason}: {decided.message}", hint=decided.hint)
    return decided


def needs(by: Principal, *roles: Role) -> None:
    """Check that ``by`` has one of ``roles``.

    Raises:
        RoleMissing: They have none of them.
    """
    if not any(by.may(role) for role in roles):
        raise RoleMissing(
            f"{by.name} has not the role {' or '.join(roles)}",
            hint="roles stand in principals.toml of the workspace",
        )
