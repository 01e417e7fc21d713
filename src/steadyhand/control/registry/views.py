"""What the REST of the registry takes and shows."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from steadyhand.registry import bundle, diff, reading, state
from steadyhand.registry.approvals import Approval, Revocation
from steadyhand.registry.channel import Channel
from steadyhand.registry.ports import Store, Version
from steadyhand.registry.reading import Listed, Release
from steadyhand.registry.writer import author_of

DIGITS = "sha256:[0-9a-f]{64}|(sha256:)?[0-9a-f]{4,64}"
NAME = "[a-z0-9][a-z0-9._-]{0,62}"
MAX_NOTE = 2_000


class Wanted(BaseModel):
    """What every order may say."""

    model_config = ConfigDict(extra="forbid")
    note: str = Field(
        default="", max_length=MAX_NOTE, description="for people who read the history"
    )


class ReleaseRequest(Wanted):
    """A release to make."""

    route: str = Field(pattern=f"^{NAME}$")
    files: dict[str, str] | None = Field(
        default=None,
        description="path → content in base64; null takes the files of the running workspace",
    )


class ApprovalRequest(Wanted):
    """An approval to give."""

    environment: str = Field(pattern=f"^{NAME}$")


class EnvironmentsRequest(Wanted):
    """What environments shall ask for."""

    toml: str = Field(max_length=65_536, description="the whole of `environments.toml`")


class ReasonRequest(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=MAX_NOTE)


class MoveRequest(Wanted):
    """A release to promote."""

    digest: str = Field(pattern=f"^({DIGITS})$")


class CandidateRequest(MoveRequest):
    """A release to try beside the stable one."""

    weight_percent: float = Field(gt=0, le=100, description="part of the traffic")


class BackRequest(Wanted):
    """A roll-back."""

    to: str = Field(
        default="",
        pattern=f"^({DIGITS})?$",
        description="digest; empty for the last one that had completed its bake",
    )


class ApprovalView(BaseModel):
    """One approval."""

    environment: str
    principal: str
    time_us: int
    note: str


class RevocationView(BaseModel):
    """Why a release is refused."""

    reason: str
    by: str
    time_us: int
    holds: bool = Field(description="false once a second person has waived it")
    waiver: str
    waiver_by: str
    waived_by: str


class ReleaseView(BaseModel):
    """One release."""

    digest: str
    short: str
    route: str
    author: str
    created_s: int
    files: int
    prompt_tokens: int | None = Field(description="about; null in lists")
    serves: list[str] = Field(description="environments that it is stable in, `*` if as candidate")
    approvals: list[ApprovalView]
    revocation: RevocationView | None


class ReleaseList(BaseModel):
    """Releases, newest first."""

    items: list[ReleaseView]


class FilesView(BaseModel):
    """The files of a release, in base64."""

    digest: str
    files: dict[str, str]


class ChannelView(BaseModel):
    """One channel."""

    environment: str
    route: str
    stable: str
    candidate: str
    weight_percent: float
    since_us: int
    by: str
    commit: str = Field(description="that made it so")


class ChannelList(BaseModel):
    """Channels, by environment and route."""

    items: list[ChannelView]


class HistoryList(BaseModel):
    """The values of a channel, newest first."""

    items: list[ChannelView]
    markdown: str = Field(description="the same as a change log")


class DifferenceView(BaseModel):
    """What differs between two releases."""

    before: str
    after: str
    added: list[str]
    removed: list[str]
    values: list[dict[str, str]]
    texts: list[dict[str, Any]]
    prompt_tokens: int
    lines: list[str] = Field(description="the same for people")


class EnvironmentView(BaseModel):
    """What an environment asks for."""

    name: str
    origin: str
    approvals: int
    protected: bool
    bake_s: int


class RemoteView(BaseModel):
    """The repository that has the last word."""

    url: str
    outcome: str = Field(
        description="of the last look: `ok`, `refused` (what it has breaks a rule), `failed` (it "
        "cannot be reached), or empty before the first"
    )
    message: str = Field(description="what is wrong, or empty")
    synced_s: float = Field(description="when it was last the same, seconds since 1970; 0 never")


class RegistryView(BaseModel):
    """The registry."""

    head: str
    releases: int
    channels: int
    environments: list[EnvironmentView]
    refused: list[dict[str, Any]] = Field(description="what could not be put in force, and why")
    remote: RemoteView | None = Field(description="null if there is none")


def difference_view(before: Release, after: Release) -> DifferenceView:
    """Return what differs between two releases."""
    found = diff.difference(before.files, after.files)
    return DifferenceView(
        before=before.digest,
        after=after.digest,
        added=list(found.added),
        removed=list(found.removed),
        values=[value._asdict() for value in found.values],
        texts=[text._asdict() for text in found.texts],
        prompt_tokens=found.prompt_tokens,
        lines=diff.as_lines(found),
    )


class Seen(NamedTuple):
    """What several releases are looked up in, read once for one answer.

    Attributes:
        store: Of the registry.
        channels: All of them.
        revocations: By digest.
    """

    store: Store
    channels: Sequence[Channel]
    revocations: Mapping[str, Revocation]


def seen(store: Store) -> Seen:
    """Read what releases are looked up in."""
    return Seen(store, state.channels(store), state.revocations(store))


def whole(store: Store, found: Release) -> ReleaseView:
    """Return a release with what its files tell."""
    one = Listed(found.manifest.route, bundle.short(found.digest))
    shown = view_of(seen(store), one)
    return shown.model_copy(update={"prompt_tokens": diff.prompt_tokens(found.files)})


def view_of(known: Seen, one: Listed) -> ReleaseView:
    """Return a release as lists have it."""
    store = known.store
    digest, manifest = reading.manifest(store, one)
    made = author_of(store, one)
    revoked = known.revocations.get(digest)
    return ReleaseView(
        digest=digest,
        short=one.short,
        route=one.route,
        author=made.author,
        created_s=made.time_s,
        files=len(manifest.files),
        prompt_tokens=None,
        serves=[
            channel.environment + ("" if channel.stable == digest else "*")
            for channel in known.channels
            if digest in (channel.stable, channel.candidate)
        ],
        approvals=[approval(said) for said in state.said_for(store, digest)],
        revocation=None if revoked is None else revocation(revoked),
    )


def approval(said: Approval) -> ApprovalView:
    """Return one approval."""
    return ApprovalView(
        environment=said.environment,
        principal=said.principal,
        time_us=said.time_us,
        note=said.note,
    )


def revocation(said: Revocation) -> RevocationView:
    """Return why a release is refused."""
    return RevocationView(
        reason=said.reason,
        by=said.by,
        time_us=said.time_us,
        holds=said.holds,
        waiver=said.waiver,
        waiver_by=said.waiver_by,
        waived_by=said.waived_by,
    )


def channel_view(version: Version, channel: Channel) -> ChannelView:
    """Return one value of a channel."""
    return ChannelView(
        environment=channel.environment,
        route=channel.route,
        stable=channel.stable,
        candidate=channel.candidate,
        weight_percent=channel.weight / 100,
        since_us=channel.since_us,
        by=channel.by,
        commit=version.commit,
    )
