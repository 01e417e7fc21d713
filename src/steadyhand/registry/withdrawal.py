"""Taking a release out of service for good, and the two people who may let it in again."""

from msgspec.structs import replace

from steadyhand.registry import approvals, bundle, reading, state
from steadyhand.registry.approvals import Revocation
from steadyhand.registry.ports import Change, Expected, Store
from steadyhand.registry.reading import Listed
from steadyhand.registry.stories import Story
from steadyhand.registry.writer import ReleaseRefused, Writer, needs
from steadyhand.tenancy.principals import Principal


class Withdrawal:
    """Revocations and waivers of one registry."""

    def __init__(self, store: Store, writer: Writer) -> None:
        """Take what is read, and who commits."""
        self._store = store
        self._writer = writer

    def revoking(self, digest: str, reason: str, by: Principal) -> Change:
        """Return what refuses ``digest`` from then on."""
        said = Revocation(digest, reason, by.name, self._writer.now_us())
        return Change(approvals.revocation_path(digest), approvals.encode(said))

    def revoke(self, digest: str, reason: str, by: Principal) -> Revocation:
        """Refuse a digest wherever it turns up; channels that serve it go back where they can.

        Raises:
            ReleaseMissing, RoleMissing: As they say.
        """
        one = reading.find(self._store, digest)
        return self._revoked_by(one, by, reason, "revoke", f"Revoke {one.route} {one.short}", "")

    def take_back(self, digest: str, where: str, by: Principal, reason: str) -> Revocation:
        """Do as :meth:`revoke`, and tell it as the end of a rollout in the environment ``where``.

        Raises:
            ReleaseMissing, RoleMissing: As they say.
        """
        one = reading.find(self._store, digest)
        subject = f"Roll {one.route} in {where} back from {one.short}"
        return self._revoked_by(one, by, reason, "roll-back", subject, where)

    def _revoked_by(
        self, one: Listed, by: Principal, reason: str, action: str, subject: str, where: str
    ) -> Revocation:
        needs(by, "operator")
        whole, _ = reading.manifest(self._store, one)
        story = Story(action, subject, by.name, whole, one.route, where, reason)

        def once() -> Revocation:
            known = state.known_environments(self._store)
            others, expected = self._writer.others_back(known, "", whole, by)
            change = self.revoking(whole, reason, by)
            self._writer.commit([change, *others], story, expected)
            return Revocation(whole, reason, by.name, self._writer.now_us())

        return self._writer.again(once)

    def waive(self, digest: str, reason: str, by: Principal) -> Revocation:
        """Ask for, or agree to, serving a revoked digest again; it takes two people.

        Raises:
            ReleaseRefused: It is not revoked, or the same person asks and agrees.
        """
        return self._writer.again(lambda: self._waive(digest, reason, by))

    def _waive(self, digest: str, reason: str, by: Principal) -> Revocation:
        whole = self._revoked(digest)
        found = state.revocations(self._store)[whole]
        blob = self._store.get(approvals.revocation_path(whole)).blob
        if not found.waiver_by or not found.holds:
            needs(by, "operator")
            next_ = replace(found, waiver=reason, waiver_by=by.name, waived_by="")
            action, subject = "ask-waiver", f"Ask to waive the revocation of {bundle.short(whole)}"
        else:
            needs(by, "approver")
            if by.name == found.waiver_by:
                raise ReleaseRefused(
                    f"own_waiver: {by.name} asked for it and cannot agree to it",
                    hint="somebody else with the role approver does",
                )
            next_ = replace(found, waived_by=by.name)
            action, subject = "waive", f"Waive the revocation of {bundle.short(whole)}"
        story = Story(action, subject, by.name, whole, "", note=reason)
        path = approvals.revocation_path(whole)
        self._writer.commit([Change(path, approvals.encode(next_))], story, [Expected(path, blob)])
        return next_

    def _revoked(self, digest: str) -> str:
        digits = digest.removeprefix("sha256:")
        found = [
            known
            for known in state.revocations(self._store)
            if len(digits) >= 4 and known.removeprefix("sha256:").startswith(digits)
        ]
        if len(found) != 1:
            raise ReleaseRefused(
                f"not_revoked: no one revoked release begins with {digits[:64]!r}",
                hint="steadyhand release list shows which are revoked",
            )
        return found[0]
