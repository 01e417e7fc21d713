"""Commits that somebody else made: may each have been made? The rules are the service's own.

A commit is read as one operation, by the paths that it changes. That operation is carried out again
by :class:`~steadyhand.registry.service.RegistryService`, on the state before the commit and as the
person who signed it; nothing is written. What comes out must be what the commit holds, times and
salts aside. So there is one set of rules, whichever way a change comes in.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from steadyhand.core.errors import SteadyhandError
from steadyhand.registry import approvals, bundle, channel, environments
from steadyhand.registry.approvals import Approval, Revocation
from steadyhand.registry.before import Before
from steadyhand.registry.channel import Channel
from steadyhand.registry.ports import PathMissing
from steadyhand.registry.service import RegistryService
from steadyhand.registry.signatures import Signer, Signers, signer_of
from steadyhand.registry.state import decoded
from steadyhand.registry.writer import ReleaseRefused
from steadyhand.tenancy.principals import Principal

_LATE_S: Final = 300
_EARLY_S: Final = 3_600
"""How far a time in a file may be from its commit's."""

_TIMES: Final = ("since_us", "time_us")


class PushRefused(SteadyhandError):
    """A pushed commit breaks a rule of the registry; the branch stays where it is."""

    code, status = "push_refused", 409


class Pushed(NamedTuple):
    """A commit to be judged.

    Attributes:
        id: Its object id.
        parents: Ids of its parents.
        author: Name of its author.
        time_s: When it was committed, seconds since 1970.
        payload: What its signature is over.
        signature: Armored, or empty.
        changes: Path → content after it; ``None`` where it removes a file.
        subject: First line of its message.
    """

    id: str
    parents: tuple[str, ...]
    author: str
    time_s: int
    payload: bytes
    signature: bytes
    changes: Mapping[str, bytes | None]
    subject: str = ""


def judge(commit: Pushed, before: Before, signers: Signers) -> Signer:
    """Return who made ``commit``, which may be.

    Raises:
        PushRefused: A rule forbids it; the message begins with the rule's name.
        SignatureRefused: It is not signed by somebody who may.
        SteadyhandError: The operation's own refusals.
    """
    if len(commit.parents) > 1:
        raise PushRefused(
            "not_linear: a merge says nothing of its own", hint="rebase, and merge fast-forward"
        )
    signer = signer_of(commit.payload, commit.signature, signers)
    if signer.is_server:  # a control plane has judged it, by the same rules
        return signer
    if commit.author != signer.name:
        raise PushRefused(
            f"not_the_author: {signer.name} signed what {commit.author[:63]!r} is the author of",
            hint=f"git -c user.name={signer.name} commit -S",
        )
    by = Principal(signer.name, "ssh", signer.roles)
    service = RegistryService(before, lambda: float(commit.time_s))
    _operation(commit, before)(service, by)
    _compare(commit, before)
    return signer


_Operation = Callable[[RegistryService, Principal], object]


def _operation(commit: Pushed, before: Before) -> _Operation:
    """Return the operation that ``commit`` is, told by its paths."""
    tops = {path.split("/", 1)[0] for path in commit.changes}
    content = commit.changes.get(environments.FILE)
    if tops == {environments.FILE} and content is not None:
        return lambda service, by: service.set_environments(content, by)
    if tops == {bundle.FOLDER}:
        return _release(commit)
    if tops == {approvals.APPROVALS} and len(commit.changes) == 1:
        return _approval(commit)
    if tops == {channel.FOLDER} and len(commit.changes) == 1:
        return _move(commit, before)
    if approvals.REVOCATIONS in tops and tops <= {approvals.REVOCATIONS, channel.FOLDER}:
        return _revocation(commit, before)
    raise PushRefused(
        f"one_operation: the commit changes {', '.join(sorted(tops))[:200] or 'nothing'}",
        hint="one release, approval, move or revocation in each commit",
    )


def _release(commit: Pushed) -> _Operation:
    found: dict[str, bytes] = {}
    routes = set()
    for path, content in commit.changes.items():
        parts = path.split("/", 4)
        if content is None or len(parts) < 4:
            raise PushRefused("immutable: a release is put whole, and never changed")
        routes.add((parts[1], parts[2]))
        if parts[3] == "files" and len(parts) == 5:
            found[parts[4]] = content
    if len(routes) != 1:
        raise PushRefused("one_operation: the commit puts several releases")
    [(route, _)] = routes
    return lambda service, by: service.create(route, found, by)


def _approval(commit: Pushed) -> _Operation:
    [(path, content)] = commit.changes.items()
    if content is None:
        raise PushRefused("immutable: an approval is not taken back; revoke the release")
    said = decoded(content, Approval, path)
    return lambda service, by: service.approve(said.digest, said.environment, by, said.note)


def _move(commit: Pushed, before: Before) -> _Operation:
    [(path, content)] = commit.changes.items()
    now, was = _channels(path, content, before)
    if not now.candidate and was.candidate and now.stable == was.stable:
        return lambda service, by: service.give_up(now.route, now.environment, by)
    if now.candidate:
        return lambda service, by: service.try_candidate(
            now.candidate, now.environment, now.weight, by
        )
    return lambda service, by: service.promote(now.stable, now.environment, by)


def _channels(path: str, content: bytes | None, before: Before) -> tuple[Channel, Channel]:
    """Return a channel after a commit, and before it."""
    parts = path.removesuffix(".json").split("/")
    if content is None or len(parts) != 3:
        raise PushRefused(f"immutable: {path[:100]} is no channel that can be left so")
    _, environment, route = parts
    now = channel.decode(content, environment, route)
    try:
        return now, channel.decode(before.get(path).content, environment, route)
    except PathMissing:
        return now, Channel(environment, route)


def _revocation(commit: Pushed, before: Before) -> _Operation:
    words = [path for path in commit.changes if path.startswith(f"{approvals.REVOCATIONS}/")]
    if len(words) != 1 or commit.changes[words[0]] is None:
        raise PushRefused("one_operation: a commit revokes, or waives, one release")
    said = decoded(commit.changes[words[0]] or b"", Revocation, words[0])
    if words[0] in before.list(words[0]):
        if said.waived_by or said.waiver:
            return lambda service, by: service.waive(said.digest, said.waiver, by)
        raise PushRefused("immutable: a revocation is waived by two people, not changed")
    left = [
        _channels(path, text, before)
        for path, text in commit.changes.items()
        if text and path != words[0]
    ]
    for now, was in left:
        if was.stable == said.digest and now.stable != was.stable:
            return lambda service, by: _rolled_back(service, now, said, by, before)
    return lambda service, by: service.revoke(said.digest, said.reason, by)


def _rolled_back(
    service: RegistryService, now: Channel, said: Revocation, by: Principal, before: Before
) -> None:
    """Carry out a roll-back, or a revocation, whichever the commit is: they differ in little."""
    try:
        service.roll_back(now.route, now.environment, by, now.stable, said.reason)
    except ReleaseRefused:
        before.made = ()
        service.revoke(said.digest, said.reason, by)


def _compare(commit: Pushed, before: Before) -> None:
    """Check that the commit holds what the operation makes."""
    made = {change.path: change.content for change in before.made}
    for path in sorted(made.keys() | commit.changes.keys()):
        if path not in commit.changes or path not in made:
            which = "lacks" if path in made else "also changes"
            raise PushRefused(f"not_the_operation: the commit {which} {path[:150]}")
        if made[path] == commit.changes[path]:
            continue
        if path.startswith(f"{bundle.FOLDER}/"):
            raise PushRefused(f"not_the_operation: {path[:150]} is not what the release says")
        ours, theirs = _values(made[path]), _values(commit.changes[path])
        _check_times(path, ours, theirs, commit, before)
        if "salt" in ours and ours.get("candidate"):
            ours["salt"] = theirs.get("salt")
            if not 8 <= len(str(theirs.get("salt"))) <= 64:
                raise PushRefused(f"no_salt: the candidate in {path[:150]} has none")
        if ours != theirs:
            different = sorted(
                k for k in ours.keys() | theirs.keys() if ours.get(k) != theirs.get(k)
            )
            raise PushRefused(
                f"not_the_operation: {different[0][:60]} in {path[:150]} is not what it must be",
                hint=f"{ours.get(different[0])!r}"[:120],
            )


def _values(content: bytes | None) -> dict[str, Any]:
    try:
        return msgspec.json.decode(content or b"{}", type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _check_times(
    path: str, ours: dict[str, Any], theirs: dict[str, Any], commit: Pushed, before: Before
) -> None:
    """Take over their times if they are near the commit's, or those of a value put back."""
    for name in _TIMES:
        if name not in ours or ours[name] == theirs.get(name):
            continue
        said_s = theirs.get(name, 0) / 1e6 if isinstance(theirs.get(name), int) else 0.0
        is_near = commit.time_s - _EARLY_S <= said_s <= commit.time_s + _LATE_S
        if not is_near and not _was_before(path, theirs, before):
            raise PushRefused(
                f"wrong_time: {name} in {path[:150]} is not about when it was committed",
                hint=f"{commit.time_s * 1_000_000}",
            )
        ours[name] = theirs[name]


def _was_before(path: str, theirs: dict[str, Any], before: Before) -> bool:
    """Tell whether a channel gets a value back that it had, as ``git revert`` does it."""
    return any(
        version.blob and _values(before.get(path, version.commit).content) == theirs
        for version in before.history(path, limit=100)
    )
