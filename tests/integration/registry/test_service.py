"""The operations of the registry on a real repository."""

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from typing_extensions import override

from steadyhand.registry import state
from steadyhand.registry.bundle import short
from steadyhand.registry.channel import Channel, NameRefused
from steadyhand.registry.environments import EnvironmentMissing, EnvironmentsInvalid
from steadyhand.registry.git.store import GitStore, open_registry
from steadyhand.registry.ports import Author, Change
from steadyhand.registry.reading import ReleaseMissing
from steadyhand.registry.service import RegistryService
from steadyhand.registry.stories import Story, trailers
from steadyhand.registry.writer import ReleaseRefused, RoleMissing
from steadyhand.tenancy.principals import Principal


def person(name: str, *roles: str) -> Principal:
    """Return a principal."""
    return Principal(name, "token", frozenset(roles))


ALICE = person("alice", "author")
BOB = person("bob", "approver")
OLIVE = person("olive", "operator")
EVERYTHING = person("root", "author", "approver", "operator")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """Return the clock of the service."""
    return Clock()


@pytest.fixture
def service(store: GitStore, clock: Clock) -> RegistryService:
    """Return the operations on an empty registry."""
    return RegistryService(store, clock)


def release(service: RegistryService, text: str, by: Principal = ALICE) -> str:
    """Put a release of the route ``support``."""
    return service.create("support", {"prompts/support.md": text.encode()}, by).digest


def live(service: RegistryService, text: str) -> str:
    """Bring a release to production the whole way."""
    digest = release(service, text)
    service.promote(digest, "staging", ALICE)
    service.approve(digest, "production", BOB)
    service.promote(digest, "production", OLIVE)
    return digest


def in_force(service: RegistryService, where: str) -> Channel:
    """Return the channel of the route in an environment."""
    return state.past(service.store, where, "support")[0][1]


def refused(reason: str, call: Callable[[], object]) -> None:
    """Assert that ``call`` is refused by the rule ``reason``."""
    with pytest.raises(ReleaseRefused) as caught:
        call()
    assert caught.value.message.startswith(f"{reason}: ")
    assert caught.value.hint


def test_the_whole_way_of_a_release(service: RegistryService) -> None:
    first = live(service, "one")
    second = release(service, "two")
    refused("not_in_origin", lambda: service.promote(second, "production", OLIVE))
    service.promote(second, "staging", ALICE)
    refused("needs_approval", lambda: service.promote(second, "production", OLIVE))
    service.approve(second, "production", BOB, "looks good")
    with pytest.raises(RoleMissing):
        service.promote(second, "production", ALICE)
    assert service.promote(short(second), "production", OLIVE).stable == second
    back = service.roll_back("support", "production", OLIVE)
    assert back.stable == first
    assert in_force(service, "staging").stable == first  # it is revoked wherever it turns up
    refused("revoked", lambda: service.promote(second, "staging", ALICE))
    refused("revoked", lambda: release(service, "two"))
    assert release(service, "three") != second


def test_the_author_cannot_approve_and_a_word_counts_once(service: RegistryService) -> None:
    digest = release(service, "one", by=EVERYTHING)
    refused("own_release", lambda: service.approve(digest, "production", EVERYTHING))
    service.promote(digest, "staging", EVERYTHING)
    refused("needs_approval", lambda: service.promote(digest, "production", EVERYTHING))
    service.approve(digest, "staging", BOB)  # for elsewhere
    refused("needs_approval", lambda: service.promote(digest, "production", EVERYTHING))
    service.approve(digest, "production", BOB)
    service.promote(digest, "production", EVERYTHING)


def test_the_same_files_again_make_no_release_and_no_commit(service: RegistryService) -> None:
    told: list[Story] = []
    service = RegistryService(service.store, Clock(), lambda story, _: told.append(story))
    assert release(service, "one") == release(service, "one", by=EVERYTHING)
    assert [story.action for story in told] == ["release"]


def test_what_is_stable_already_may_be_promoted_again_and_nothing_changes(
    service: RegistryService,
) -> None:
    digest = live(service, "one")
    head = service.store.head()
    assert service.promote(digest, "production", EVERYTHING).by == "olive"
    assert service.store.head() == head
    second = live(service, "two")
    third = release(service, "three")
    service.promote(third, "staging", ALICE)
    service.approve(third, "production", BOB)
    service.try_candidate(third, "production", 500, OLIVE)
    kept = service.promote(second, "production", OLIVE)  # it ends the trial
    assert (kept.stable, kept.candidate) == (second, "")


def test_a_candidate_grows_with_its_salt_and_ends(service: RegistryService) -> None:
    first = live(service, "one")
    second = release(service, "two")
    service.promote(second, "staging", ALICE)
    refused("needs_approval", lambda: service.try_candidate(second, "production", 500, OLIVE))
    service.approve(second, "production", BOB)
    refused("weight_out_of_range", lambda: service.try_candidate(second, "production", 0, OLIVE))
    at5 = service.try_candidate(second, "production", 500, OLIVE)
    at25 = service.try_candidate(second, "production", 2_500, OLIVE)
    assert (at5.stable, at5.candidate, at5.weight) == (first, second, 500)
    assert (at25.weight, at25.salt, at25.since_us) == (2_500, at5.salt, at5.since_us)
    assert service.give_up("support", "production", OLIVE).candidate == ""
    refused("no_candidate", lambda: service.give_up("support", "production", OLIVE))
    assert service.try_candidate(second, "production", 500, OLIVE).salt != at5.salt
    refused("already_stable", lambda: service.try_candidate(first, "production", 500, OLIVE))


def test_a_roll_back_goes_only_to_what_has_baked(service: RegistryService, clock: Clock) -> None:
    service.store.commit(
        [Change("environments.toml", b"[environments.production]\nbake_s = 60\n")],
        message="m",
        author=Author("olive"),
    )
    digests = []
    for text, lasts_s in (("one", 100), ("two", 10), ("three", 10)):
        digests.append(release(service, text))
        service.promote(digests[-1], "production", ALICE)
        clock.now_s += lasts_s
    refused("never_baked", lambda: service.roll_back("support", "production", OLIVE, to=digests[1]))
    assert service.roll_back("support", "production", OLIVE).stable == digests[0]


def test_a_first_release_has_nothing_to_go_back_to(service: RegistryService) -> None:
    refused("no_stable", lambda: service.roll_back("support", "production", OLIVE))
    digest = live(service, "one")
    refused("no_baked_predecessor", lambda: service.roll_back("support", "production", OLIVE))
    assert service.revoke(digest, "harmful", OLIVE).holds
    assert state.refused(service.store) == {digest}
    assert in_force(service, "production").stable == digest  # the compiler drops it


def test_a_revocation_is_waived_by_two_people(service: RegistryService) -> None:
    digest = live(service, "one")
    refused("not_revoked", lambda: service.waive(digest, "why", OLIVE))
    service.revoke(digest, "harmful", OLIVE)
    assert service.waive(short(digest), "it was the provider", OLIVE).holds
    refused("own_waiver", lambda: service.waive(digest, "", person("olive", "approver")))
    assert not service.waive(digest, "", BOB).holds
    assert state.refused(service.store) == frozenset()
    service.revoke(digest, "again", OLIVE)
    assert state.refused(service.store) == {digest}


@pytest.mark.parametrize("name", ["../x", "A", "", "a/b", "a\nb", "x" * 64])
def test_hostile_names_change_nothing(service: RegistryService, name: str) -> None:
    with pytest.raises(NameRefused):
        service.create(name, {"a": b"1"}, ALICE)
    with pytest.raises((NameRefused, EnvironmentMissing)):
        service.roll_back(name, "production", OLIVE)
    digest = release(service, "one")
    head = service.store.head()
    with pytest.raises((NameRefused, EnvironmentMissing)):
        service.promote(digest, name, OLIVE)
    with pytest.raises(ReleaseMissing):
        service.promote(name, "staging", OLIVE)
    assert service.store.head() == head


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"environments = 3",
        b"[environments.dev]",
        b'[environments.a]\nfrom = "nowhere"',
        b"[environments.a]\napprovals = -1",
        b"[environments.a]\nunknown = 1",
    ],
)
def test_a_mistake_in_the_environments_moves_nothing(
    service: RegistryService, content: bytes
) -> None:
    digest = release(service, "one")
    service.store.commit([Change("environments.toml", content)], message="m", author=Author("x"))
    with pytest.raises(EnvironmentsInvalid):
        service.promote(digest, "a", OLIVE)


def test_of_many_promotions_at_once_each_is_a_version(store: GitStore, clock: Clock) -> None:
    digests = [release(RegistryService(store, clock), f"{number}") for number in range(4)]

    def promote(digest: str) -> None:
        own = open_registry(store.path, clock=clock)
        RegistryService(own, clock).promote(digest, "staging", ALICE)
        own.close()

    threads = [threading.Thread(target=promote, args=(digest,)) for digest in digests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    values = [value.stable for _, value in state.past(store, "staging", "support")]
    assert sorted(values) == sorted(digests)


def test_plain_git_log_tells_the_story(service: RegistryService, store: GitStore) -> None:
    live(service, "one")
    live(service, "two")
    service.roll_back("support", "production", OLIVE, note="slow\nSteadyhand-Principal: mallory")
    text = subprocess.run(
        ["git", "-C", str(store.path), "log", "--format=%an: %s%n%b%x00", "main"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"GIT_CONFIG_GLOBAL": os.devnull},
    ).stdout
    stories = [one.strip() for one in text.split("\0") if one.strip()]
    assert len(stories) == 9
    assert stories[0].startswith("olive: Roll support in production back to ")
    assert stories[-1].startswith("alice: Release support ")
    said = trailers(stories[0])
    assert (said["action"], said["principal"], said["environment"]) == (
        "roll-back",
        "olive",
        "production",
    )


class Life(RuleBasedStateMachine):
    """No order of operations ever makes production serve what nobody else approved."""

    people = st.sampled_from([ALICE, BOB, OLIVE, EVERYTHING])
    texts = st.sampled_from(["one", "two", "three"])
    places = st.sampled_from(["staging", "production"])

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory(prefix="steadyhand-life-")
        self.store = open_registry(Path(self.folder.name) / "r.git", clock=Clock())
        self.clock = Clock()
        self.service = RegistryService(self.store, self.clock)
        self.authors: dict[str, str] = {}
        self.seen: Channel | None = None

    def attempt(self, call: Callable[[], object]) -> object:
        """Do it, unless a rule forbids it."""
        self.clock.now_s += 1
        try:
            return call()
        except (ReleaseRefused, RoleMissing):
            return None

    @rule(text=texts, by=people)
    def create(self, text: str, by: Principal) -> None:
        """Put a release."""
        made = self.attempt(lambda: release(self.service, text, by))
        if isinstance(made, str):
            self.authors.setdefault(made, by.name)

    @rule(data=st.data(), where=places, by=people)
    def approve(self, data: st.DataObject, where: str, by: Principal) -> None:
        """Approve one."""
        if self.authors:
            digest = data.draw(st.sampled_from(sorted(self.authors)))
            self.attempt(lambda: self.service.approve(digest, where, by))

    @rule(data=st.data(), where=places, by=people)
    def promote(self, data: st.DataObject, where: str, by: Principal) -> None:
        """Promote one."""
        if self.authors:
            digest = data.draw(st.sampled_from(sorted(self.authors)))
            self.attempt(lambda: self.service.promote(digest, where, by))

    @rule(data=st.data(), where=places, by=people)
    def try_one(self, data: st.DataObject, where: str, by: Principal) -> None:
        """Try a candidate."""
        if self.authors:
            digest = data.draw(st.sampled_from(sorted(self.authors)))
            self.attempt(lambda: self.service.try_candidate(digest, where, 500, by))

    @rule(where=places, by=people)
    def roll_back(self, where: str, by: Principal) -> None:
        """Roll a channel back."""
        self.attempt(lambda: self.service.roll_back("support", where, by))

    @rule(data=st.data(), by=people)
    def waive(self, data: st.DataObject, by: Principal) -> None:
        """Ask for a waiver, or agree to it."""
        if self.authors:
            digest = data.draw(st.sampled_from(sorted(self.authors)))
            self.attempt(lambda: self.service.waive(digest, "why", by))

    @invariant()
    def production_moves_only_to_what_somebody_else_approved(self) -> None:
        """Hold the promise."""
        for channel in state.channels(self.store):
            if channel.environment != "production" or channel == self.seen:
                continue
            self.seen = channel
            for digest in filter(None, (channel.stable, channel.candidate)):
                said = state.said_for(self.store, digest, "production")
                assert {one.principal for one in said} - {self.authors[digest]}
                assert digest not in state.refused(self.store)

    @override
    def teardown(self) -> None:
        """Close the files."""
        self.store.close()
        self.folder.cleanup()


Life.TestCase.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
TestLife = Life.TestCase
