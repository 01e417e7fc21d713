"""From the registry to a snapshot: what is served, what is kept, what is dropped at once."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from steadyhand.app.publish import publish
from steadyhand.app.releases import FLOOR, compiled
from steadyhand.app.state import State
from steadyhand.registry import bundle
from steadyhand.registry.git.store import GitStore, open_registry
from steadyhand.registry.ports import Author, Change
from steadyhand.registry.service import RegistryService
from steadyhand.settings.load import load
from steadyhand.settings.model import Settings
from steadyhand.settings.release import collect
from steadyhand.settings.scaffold import write_workspace
from steadyhand.snapshot import sign, store
from steadyhand.snapshot.model import Lane, Snapshot
from tests.integration.registry.test_service import ALICE, BOB, OLIVE


@dataclass
class House:
    """A workspace with a registry, published whenever asked."""

    root: Path
    registry: GitStore
    service: RegistryService

    @property
    def settings(self) -> Settings:
        """The workspace as it is now."""
        return load(self.root, {}, {})

    def release(self, note: str = "") -> str:
        """Bring what the workspace says to production."""
        if note:
            prompt = self.root / "prompts" / "support.md"
            prompt.write_text(f"{prompt.read_text()}\n- {note}\n")
        digest = self.service.create("support", collect(self.settings, "support"), ALICE).digest
        self.service.promote(digest, "staging", ALICE)
        self.service.approve(digest, "production", BOB)
        self.service.promote(digest, "production", OLIVE)
        return digest

    def publish(self) -> Snapshot:
        """Publish and return what is in force."""
        publish(self.settings)
        state = State(self.settings)
        return store.load(state.snapshots, sign.open_key(state.snapshot_key)).snapshot

    def refused(self) -> list[dict[str, str]]:
        """Return what could not be put in force."""
        found: list[dict[str, str]] = msgspec.json.decode(
            State(self.settings).releases_refused.read_bytes()
        )
        return found


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return the demo with an empty registry."""
    write_workspace(tmp_path / "demo")
    state = State(load(tmp_path / "demo", {}, {}))
    state.prepare()
    ticks = iter(range(1_700_000_000, 1_800_000_000))
    opened = open_registry(state.registry, clock=lambda: float(next(ticks)))
    clock = iter(range(1_700_000_000, 1_800_000_000))
    return House(tmp_path / "demo", opened, RegistryService(opened, lambda: float(next(clock))))


def test_without_releases_there_are_no_lanes(house: House) -> None:
    found = house.publish()
    assert (found.lanes, found.releases) == ({}, {})


def test_a_released_route_is_what_was_released(house: House) -> None:
    digest = house.release()
    found = house.publish()
    assert found.lanes == {
        "production": {"support": Lane(digest)},
        "staging": {"support": Lane(digest)},
    }
    released = found.releases[digest]
    assert released.route.prompt == found.routes["support"].prompt
    name = f"support@{bundle.short(digest)}"
    assert found.collections[name] == found.collections["support"]
    assert msgspec.json.decode(released.route.rungs[-1].settings)["collection"] == name
    house.release("Be brief.")
    assert house.publish().digest != found.digest
    assert house.refused() == []


def test_a_release_that_is_held_is_not_compiled_again(house: House) -> None:
    digest = house.release()
    before = house.publish()
    again = compiled(house.registry, house.settings.providers, before)
    assert again.releases[digest] is before.releases[digest]
    assert again.collections == {}
    assert again.shelved.keys() == {f"support@{bundle.short(digest)}"}
    other = dict(house.settings.providers)
    other["more"] = other["simulated"]
    assert compiled(house.registry, other, before).releases[digest] == before.releases[digest]


def test_a_candidate_stands_beside_the_stable_release(house: House) -> None:
    first = house.release()
    prompt = house.root / "prompts" / "support.md"
    prompt.write_text(prompt.read_text() + "\n- More.\n")
    second = house.service.create("support", collect(house.settings, "support"), ALICE).digest
    house.service.promote(second, "staging", ALICE)
    house.service.approve(second, "production", BOB)
    channel = house.service.try_candidate(second, "production", 500, OLIVE)
    lane = house.publish().lanes["production"]["support"]
    assert lane == Lane(first, second, 500, channel.salt)
    house.service.revoke(second, "bad", OLIVE)
    assert house.publish().lanes["production"]["support"] == Lane(first)


def test_a_revoked_first_release_leaves_only_the_floor(house: House) -> None:
    digest = house.release()
    house.publish()
    house.service.revoke(digest, "bad", OLIVE)
    found = house.publish()
    assert found.lanes["production"]["support"] == Lane(digest + FLOOR)
    assert found.releases.keys() == {digest + FLOOR}
    assert found.releases[digest + FLOOR].route.rungs == ()
    assert found.releases[digest + FLOOR].digest == digest


def damage(house: House, digest: str) -> None:
    """Change a file of a release behind the service's back."""
    path = f"{bundle.folder('support', digest)}/files/routes/support.toml"
    house.registry.commit([Change(path, b"x")], message="m", author=Author("mallory"))


def test_a_damaged_release_leaves_its_lane_as_it_was(house: House) -> None:
    first = house.release()
    before = house.publish()
    second = house.release("Be brief.")
    damage(house, second)
    after = house.publish()
    assert after.lanes == before.lanes
    assert after.releases == before.releases
    assert after.collections == before.collections
    assert {one["reason"] for one in house.refused()} == {"release_damaged"}
    house.service.revoke(first, "bad", OLIVE)  # the one that is still served
    assert house.publish().lanes["production"]["support"] == Lane(first + FLOOR)


def test_a_damaged_first_release_makes_no_lane(house: House) -> None:
    damage(house, house.release())
    assert house.publish().lanes == {}
    assert len(house.refused()) == 2


def test_a_release_for_another_installation_leaves_its_lane_as_it_was(house: House) -> None:
    house.release()
    before = house.publish()
    route = house.root / "routes" / "support.toml"
    main = house.root / "steadyhand.toml"
    main.write_text(main.read_text() + '\n[providers.other]\nkind = "simulated"\n')
    route.write_text(route.read_text().replace('"simulated"', '"other"', 1))
    house.release()
    main.write_text(main.read_text().replace('\n[providers.other]\nkind = "simulated"\n', ""))
    route.write_text(route.read_text().replace('"other"', '"simulated"', 1))
    assert house.publish().lanes == before.lanes
    assert "other" in house.refused()[0]["message"]


def test_a_registry_that_cannot_be_read_leaves_everything_as_it_was(house: House) -> None:
    house.release()
    before = house.publish()
    head = house.registry.head()
    house.registry.close()
    (house.registry.path / "objects" / head[:2] / head[2:]).unlink()
    after = house.publish()
    assert (after.lanes, after.releases) == (before.lanes, before.releases)
    assert after.collections == before.collections
    assert house.refused()[0]["reason"] == "registry_unavailable"


def test_a_word_that_cannot_be_read_leaves_everything_as_it_was(house: House) -> None:
    house.release()
    before = house.publish()
    path = f"revocations/{'0' * 64}.json"
    house.registry.commit([Change(path, b"{")], message="m", author=Author("mallory"))
    assert house.publish().lanes == before.lanes
    assert house.refused()[0]["reason"] == "registry_word_damaged"
