"""A registry whose remote has the last word: what is pushed there is taken over, if it may be."""

import shutil
from pathlib import Path

import pytest

from steadyhand.app.registry import Registry
from steadyhand.registry import bundle, state
from steadyhand.registry.git.remote import RemoteDiverged, RemoteRefused
from steadyhand.registry.ports import StoreUnavailable
from steadyhand.settings.load import load
from steadyhand.tenancy.principals import Principal
from steadyhand.tenancy.settings import PrincipalSettings
from tests.support.git_http import PASSWORD, git_over_http
from tests.support.registry_team import ROLES, Team
from tests.support.workspaces import FILES, write

ALICE = Principal("alice", "token", frozenset({"author"}))
OLIVE = Principal("olive", "token", frozenset({"operator", "author"}))
FILES_OF_A_RELEASE = {"prompts/ask.md": b"Be kind."}


class House:
    """A workspace whose registry follows a team's server."""

    def __init__(self, team: Team, folder: Path, remote: str = "") -> None:
        address = remote or f'remote = "{team.server}"'
        main = f"{FILES['steadyhand.toml']}[registry]\n{address}\n"
        write(folder, {"steadyhand.toml": main})
        self.team = team
        self.changes: list[str] = []
        self.outcomes: list[str] = []
        settings = load(folder, {}, {})
        settings.state_dir.mkdir()
        shutil.copy(team.folder / "registry_ed25519", settings.state_dir)
        principals = {
            name: PrincipalSettings(
                hash=f"sha256:{number:064x}", roles=roles, ssh_keys=(team.public_key(name),)
            )
            for number, (name, roles) in enumerate(ROLES.items())
        }
        self.path = settings.state_dir / "registry.git"
        self.registry = Registry(
            settings,
            lambda: principals,
            lambda story: self.changes.append(story.action),
            lambda outcome, _: self.outcomes.append(outcome),
        )

    def release(self) -> str:
        """Make a release here."""
        return self.registry.service().create("ask", FILES_OF_A_RELEASE, ALICE).digest

    def stable(self) -> dict[str, str]:
        """Return environment → digest."""
        channels = state.channels(self.registry.service().store)
        return {one.environment: one.stable for one in channels}


@pytest.fixture
def team(tmp_path: Path) -> Team:
    """Return a server with nothing on it."""
    return Team(tmp_path / "team")


@pytest.fixture
def house(team: Team, tmp_path: Path) -> House:
    """Return an installation that follows it."""
    return House(team, tmp_path / "house")


def test_what_is_done_here_is_there_at_once(house: House) -> None:
    digest = house.release()
    house.registry.service().promote(digest, "staging", ALICE)
    assert house.team.head() == house.registry.service().store.head()
    assert house.changes == ["release", "promote"]


def test_the_hook_of_the_server_lets_a_control_plane_in(house: House) -> None:
    house.team.guard()
    house.release()
    assert house.team.head() == house.registry.service().store.head()


def test_what_is_pushed_there_is_taken_over(house: House) -> None:
    digest = house.release()
    clone = house.team.clone("alice")
    house.team.steadyhand(
        "channel", "promote", "ask", digest[7:20], "--to", "staging", "--clone", str(clone)
    )
    house.team.push(clone)
    assert house.stable() == {}
    house.registry.sync()
    assert house.stable() == {"staging": digest}
    assert (house.outcomes, house.registry.remote.outcome) == (["ok"], "ok")
    assert house.registry.remote.synced_s > 0


def test_what_breaks_a_rule_is_not_taken_over_and_said(house: House) -> None:
    digest = house.release()
    before = house.registry.service().store.head()
    clone = house.team.clone("mallory")
    house.team.steadyhand(
        "channel", "promote", "ask", digest[7:20], "--to", "staging",
        "--clone", str(clone), "--as", "alice",
    )  # fmt: skip
    house.team.push(clone)
    house.registry.sync()
    assert house.registry.service().store.head() == before
    assert house.stable() == {}
    assert house.registry.remote.outcome == "refused"
    assert "a key that may not sign here" in house.registry.remote.message
    with pytest.raises(Exception, match="a key that may not sign here"):
        house.registry.service().promote(digest, "staging", ALICE)
    house.team.git(clone, "push", "-q", "--force", "origin", f"{before}:main")
    house.registry.sync()
    assert house.registry.remote.outcome == "ok"


def test_of_two_who_change_at_once_one_decides_again(
    house: House, team: Team, tmp_path: Path
) -> None:
    digest = house.release()
    other = House(team, tmp_path / "other")
    other.registry.sync()
    house.registry.service().promote(digest, "staging", ALICE)
    second = other.registry.service().create("ask", {"prompts/ask.md": b"Be brief."}, OLIVE).digest
    assert other.stable() == {"staging": digest}, "it has taken over what came first"
    house.registry.sync()
    assert house.registry.service().store.head() == other.registry.service().store.head()
    assert house.registry.service().promote(second, "staging", ALICE).stable == second


def test_a_remote_that_is_gone_stops_changes_and_nothing_else(house: House) -> None:
    digest = house.release()
    house.registry.service().promote(digest, "staging", ALICE)
    away = house.team.server.rename(house.team.folder / "away")
    with pytest.raises(StoreUnavailable, match="cannot be pushed to"):
        house.registry.service().create("ask", {"prompts/ask.md": b"x"}, ALICE)
    house.registry.sync()
    assert house.registry.remote.outcome == "failed"
    assert house.stable() == {"staging": digest}
    away.rename(house.team.server)
    house.registry.sync()
    assert house.registry.remote.outcome == "ok"
    house.registry.service().create("ask", {"prompts/ask.md": b"x"}, ALICE)


def test_a_branch_that_was_rewritten_is_not_followed(house: House) -> None:
    house.release()
    first = house.team.head()
    house.registry.service().create("ask", {"prompts/ask.md": b"two"}, ALICE)
    before = house.registry.service().store.head()
    clone = house.team.clone("alice")
    house.team.git(clone, "reset", "-q", "--hard", first)
    house.team.steadyhand(
        "release", "create", "ask", "--from", str(house.path.parent.parent), "--clone", str(clone)
    )
    house.team.push(clone, "--force")
    house.registry.sync()
    assert house.registry.remote.outcome == "refused"
    assert "neither follows" in house.registry.remote.message
    assert house.registry.service().store.head() == before
    with pytest.raises(RemoteDiverged):
        house.registry.service().create("ask", {"prompts/ask.md": b"three"}, ALICE)


def test_an_empty_remote_gets_what_is_here(house: House) -> None:
    digest = house.release()
    shutil.rmtree(house.team.server)
    house.team.git(house.team.folder, "init", "-q", "--bare", "-b", "main", str(house.team.server))
    house.registry.sync()
    assert house.team.head() == house.registry.service().store.head()
    store = house.team.store()
    try:
        assert store.list(f"releases/ask/{bundle.short(digest)}/")
    finally:
        store.close()


def test_a_remote_that_says_no_leaves_everything_as_it_was(house: House) -> None:
    """libgit2 runs no hooks of a repository on the same disk, so Git refuses by a setting."""
    house.release()
    before = house.registry.service().store.head()
    lock = house.team.server / "refs" / "heads" / "main.lock"
    lock.touch()
    with pytest.raises((RemoteRefused, StoreUnavailable)):
        house.registry.service().create("ask", {"prompts/ask.md": b"x"}, ALICE)
    lock.unlink()
    assert house.registry.service().store.head() == before
    house.registry.service().create("ask", {"prompts/ask.md": b"x"}, ALICE)


def test_without_a_remote_nothing_is_followed(tmp_path: Path) -> None:
    settings = load(write(tmp_path), {}, {})
    settings.state_dir.mkdir()
    registry = Registry(settings, dict, lambda _: None, lambda _, __: None)
    assert not registry.follows
    assert registry.service().create("ask", FILES_OF_A_RELEASE, ALICE).digest


def test_a_server_over_http_is_followed_and_its_hook_has_a_say(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a host: smart HTTP, a token, real ``git receive-pack`` with the shipped hook."""
    team.guard()
    team.git(team.server, "config", "http.receivepack", "true")
    monkeypatch.setenv("REGISTRY_TOKEN", PASSWORD)
    with git_over_http(team.folder, team.environment) as address:
        remote = f'remote = "{address}/server.git"\nremote_token = "env:REGISTRY_TOKEN"'
        house = House(team, tmp_path / "house", remote)
        digest = house.release()
        assert team.head() == house.registry.service().store.head()
        clone = team.clone("alice")
        team.steadyhand(
            "channel", "promote", "ask", digest[7:20], "--to", "staging", "--clone", str(clone)
        )
        team.push(clone)
        house.registry.sync()
        assert house.stable() == {"staging": digest}
        (team.server / "allowed_signers").write_text("# nobody\n")
        with pytest.raises(RemoteRefused, match="hook"):
            house.registry.service().create("ask", {"prompts/ask.md": b"x"}, ALICE)
        assert team.head() == house.registry.service().store.head(), "nothing has changed"
        monkeypatch.setenv("REGISTRY_TOKEN", "wrong")
        house.registry.sync()
        assert house.registry.remote.outcome == "failed"
