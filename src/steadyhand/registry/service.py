"""Everything that writes the registry: releases, approvals, channels, revocations.

One method an operation, one commit a method. Each reads the state, has
:mod:`steadyhand.registry.transitions` decide, and commits only if what it read is still so; when it
is not, it reads and decides again. Calls block on the disk: give them a thread.
"""

import secrets
from collections.abc import Callable, Mapping

from steadyhand.registry import approvals, bundle, reading, state
from steadyhand.registry.approvals import Approval, Revocation
from steadyhand.registry.channel import Channel, channel_path, checked_name, encode
from steadyhand.registry.environments import FILE, Environment, decode, environment, loosened
from steadyhand.registry.ports import Change, Expected, Store
from steadyhand.registry.reading import Release
from steadyhand.registry.stories import Story
from steadyhand.registry.transitions import (
    Refusal,
    Situation,
    given_up,
    promoted,
    rolled_back,
    tried,
)
from steadyhand.registry.withdrawal import Withdrawal
from steadyhand.registry.writer import ReleaseRefused, Writer, allowed, author_of, needs
from steadyhand.tenancy.principals import BOOTSTRAP, Principal
from steadyhand.tenancy.settings import Role


class RegistryService:
    """The operations on one registry."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        told: Callable[[Story, str], None] = lambda story, commit: None,
    ) -> None:
        """Take the parts.

        Args:
            store: Of the registry.
            clock: Wall clock, seconds since 1970.
            told: Is told of each commit that was made, after it is durable.
        """
        self.store = store
        self._writer = Writer(store, clock, told)
        self._withdrawal = Withdrawal(store, self._writer)

    def create(
        self, route: str, files: Mapping[str, bytes], by: Principal, note: str = ""
    ) -> Release:
        """Put a release into the registry and return it; the same files again change nothing.

        Raises:
            ReleaseRefused: Its digest is revoked.
            ReleaseTooBig, PathRefused, RoleMissing, StoreUnavailable: As they say.
        """
        needs(by, "author")
        manifest = bundle.manifest_of(checked_name(route), files)
        digest = bundle.digest_of(manifest)
        story = Story(
            "release", f"Release {route} {bundle.short(digest)}", by.name, digest, route, note=note
        )

        def once() -> Release:
            if digest in state.refused(self.store):
                raise ReleaseRefused(
                    f"revoked: release {bundle.short(digest)} is revoked",
                    hint="change what was wrong; or: steadyhand release waive",
                )
            self._writer.commit(bundle.changes(manifest, files), story)
            return Release(digest, manifest, dict(files))

        return self._writer.again(once)

    def approve(self, digest: str, where: str, by: Principal, note: str = "") -> Approval:
        """Say that a release may go to an environment.

        Raises:
            ReleaseRefused: By its own author.
            ReleaseMissing, EnvironmentMissing, RoleMissing: As they say.
        """
        needs(by, "approver")
        one = reading.find(self.store, digest)
        whole, _ = reading.manifest(self.store, one)
        environment(state.known_environments(self.store), where)
        if author_of(self.store, one).author == by.name:
            raise ReleaseRefused(
                f"own_release: {by.name} put release {one.short} and cannot approve it",
                hint="somebody else with the role approver does",
            )
        said = Approval(whole, where, by.name, self._writer.now_us(), note)
        path = approvals.approval_path(whole, where, by.name)
        story = Story(
            "approve",
            f"Approve {one.route} {one.short} for {where}",
            by.name,
            whole,
            one.route,
            where,
            note,
        )
        change = Change(path, approvals.encode(said))
        self._writer.again(lambda: self._writer.commit((change,), story))
        return said

    def promote(
        self, digest: str, where: str, by: Principal, note: str = "", watched: str = ""
    ) -> Channel:
        """Make a release the stable one of an environment.

        ``watched`` is the salt under which a first release is watched; empty for none.

        Raises:
            ReleaseRefused: By a rule, which is named.
        """
        one = reading.find(self.store, digest)
        whole = reading.read(self.store, one).digest  # every file is there and right

        def decide(situation: Situation, channel: Channel) -> Channel | Refusal:
            return promoted(situation, channel, whole, by.name, watched)

        story = Story(
            "promote",
            f"Promote {one.route} {one.short} to {where}",
            by.name,
            whole,
            one.route,
            where,
            note,
        )
        return self._move(one.route, where, whole, by, decide, story)

    def try_candidate(
        self, digest: str, where: str, weight: int, by: Principal, note: str = ""
    ) -> Channel:
        """Give a release a part of an environment's traffic, in basis points.

        Raises:
            ReleaseRefused: By a rule, which is named.
        """
        one = reading.find(self.store, digest)
        whole = reading.read(self.store, one).digest
        salt = secrets.token_hex(8)

        def decide(situation: Situation, channel: Channel) -> Channel | Refusal:
            return tried(situation, channel, whole, weight, salt, by.name)

        share = f"{weight / 100:g} %"
        story = Story(
            "try",
            f"Try {one.route} {one.short} in {where} at {share}",
            by.name,
            whole,
            one.route,
            where,
            note,
        )
        return self._move(one.route, where, whole, by, decide, story)

    def give_up(self, route: str, where: str, by: Principal, note: str = "") -> Channel:
        """End the trial of the candidate.

        Raises:
            ReleaseRefused: None is being tried.
        """

        def decide(_: Situation, channel: Channel) -> Channel | Refusal:
            return given_up(channel, by.name)

        story = Story(
            "give-up",
            f"Give up the candidate of {route} in {where}",
            by.name,
            "",
            route,
            where,
            note,
        )
        return self._move(route, where, "", by, decide, story)

    def roll_back(
        self, route: str, where: str, by: Principal, to: str = "", note: str = ""
    ) -> Channel:
        """Point back to a release that had completed its bake, and revoke the one that is left.

        Both in one commit. Other environments that serve the revoked release go back as well, where
        they have something to go back to.

        Raises:
            ReleaseRefused: There is nothing to go back to.
        """
        needs(by, "operator")
        target = reading.manifest(self.store, reading.find(self.store, to, route))[0] if to else ""

        def once() -> Channel:
            known = state.known_environments(self.store)
            situation, expected = self._writer.situation(known, where, route, target)
            current = situation.past[0] if situation.past else Channel(where, route)
            back = allowed(rolled_back(situation, current, by.name, target))
            reason = note or f"rolled back in {where}"
            changes = [Change(channel_path(where, route), encode(back))]
            changes.append(self._withdrawal.revoking(current.stable, reason, by))
            others, more = self._writer.others_back(known, where, current.stable, by)
            story = Story(
                "roll-back",
                f"Roll {route} in {where} back to {bundle.short(back.stable)}",
                by.name,
                back.stable,
                route,
                where,
                note,
            )
            self._writer.commit([*changes, *others], story, [*expected, *more])
            return back

        return self._writer.again(once)

    def set_environments(self, content: bytes, by: Principal, note: str = "") -> None:
        """Say what environments ask for. To ask for less takes the installation's own token.

        An operator alone could otherwise do away with the second person, and then without.

        Raises:
            ReleaseRefused: It asks for less, and not by the holder of the installation's token.
            EnvironmentsInvalid, RoleMissing: As they say.
        """
        needs(by, "operator")
        found = decode(content)

        def once() -> None:
            less = loosened(state.known_environments(self.store), found)
            if less and by.name != BOOTSTRAP.name:
                raise ReleaseRefused(
                    f"asks_for_less: {'; '.join(less)}",
                    hint="the holder of the installation's own token may do this",
                )
            story = Story("environments", "Change what environments ask for", by.name, "", "")
            expected = [Expected(FILE, self._writer.blob(FILE))]
            told = story._replace(note=note)
            self._writer.commit([Change(FILE, content)], told, expected)

        self._writer.again(once)

    def revoke(self, digest: str, reason: str, by: Principal) -> Revocation:
        """See :meth:`steadyhand.registry.withdrawal.Withdrawal.revoke`."""
        return self._withdrawal.revoke(digest, reason, by)

    def take_back(self, digest: str, where: str, by: Principal, reason: str) -> Revocation:
        """See :meth:`steadyhand.registry.withdrawal.Withdrawal.take_back`."""
        return self._withdrawal.take_back(digest, where, by, reason)

    def waive(self, digest: str, reason: str, by: Principal) -> Revocation:
        """See :meth:`steadyhand.registry.withdrawal.Withdrawal.waive`."""
        return self._withdrawal.waive(digest, reason, by)

    def _move(
        self,
        route: str,
        where: str,
        digest: str,
        by: Principal,
        decide: Callable[[Situation, Channel], Channel | Refusal],
        story: Story,
    ) -> Channel:
        def once() -> Channel:
            known = state.known_environments(self.store)
            needs(by, *(_movers(environment(known, where))))
            situation, expected = self._writer.situation(known, where, route, digest)
            current = situation.past[0] if situation.past else Channel(where, route)
            next_ = allowed(decide(situation, current))
            change = Change(channel_path(where, route), encode(next_))
            self._writer.commit([change], story, expected)
            return next_

        return self._writer.again(once)


def _movers(asked: Environment) -> tuple[Role, ...]:
    return ("operator",) if asked.protected else ("operator", "author")
