"""A registry on a Git server: the shipped hook lets in what the control plane would, no more."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from steadyhand.registry import bundle, state
from steadyhand.registry.channel import Channel, encode
from tests.support.registry_team import Refused, Team
from tests.support.workspaces import write

NOW_US = 1_000_000


@pytest.fixture
def team(tmp_path: Path) -> Team:
    """Return a server with the hook, and nothing on it."""
    found = Team(tmp_path / "team")
    found.guard()
    write(tmp_path / "team" / "work")
    return found


def released(team: Team, text: str = "Be kind.") -> str:
    """Have Alice release the route ``ask`` and push it; return the digest's first digits."""
    work = team.folder / "work"
    write(work, {"prompts/ask.md": f'+++\ndescription = "d"\nowner = "us"\n+++\n{text}\n'})
    clone = team.clone("alice")
    team.steadyhand("release", "create", "ask", "--workspace", str(work), "--clone", str(clone))
    team.push(clone)
    return sorted(path.name for path in (clone / "releases" / "ask").iterdir())[-1]


def does(team: Team, name: str, *arguments: str) -> None:
    """Have somebody give an order in a clone of theirs, and push it."""
    clone = team.clone(name)
    team.steadyhand(*arguments, "--clone", str(clone))
    team.push(clone)


def test_from_release_to_roll_back_by_pushes_alone(team: Team) -> None:
    first = released(team)
    does(team, "alice", "channel", "promote", "ask", first, "--to", "staging")
    does(team, "bob", "release", "approve", first, "--for", "production")
    does(team, "olive", "channel", "promote", "ask", first, "--to", "production")
    second = second_of(team, first)
    does(team, "alice", "channel", "promote", "ask", second, "--to", "staging")
    does(team, "bob", "release", "approve", second, "--for", "production")
    does(
        team, "olive", "channel", "candidate", "ask", second, "--in", "production", "--percent", "5"
    )
    does(
        team,
        "olive",
        "channel",
        "candidate",
        "ask",
        second,
        "--in",
        "production",
        "--percent",
        "25",
    )
    does(team, "olive", "channel", "give-up", "ask", "--in", "production")
    does(team, "olive", "channel", "promote", "ask", second, "--to", "production")
    does(team, "olive", "channel", "rollback", "ask", "--in", "production", "-m", "too brief")
    store = team.store()
    try:
        served = {one.environment: bundle.short(one.stable) for one in state.channels(store)}
        assert served == {"staging": first, "production": first}
        [revoked] = state.refused(store)
        assert bundle.short(revoked) == second
    finally:
        store.close()
    log = team.git(team.server, "log", "--format=%an: %s", "main")
    assert log.splitlines()[0] == f"olive: Roll ask in production back to {first}"
    checked = team.git(
        team.server,
        "-c",
        f"gpg.ssh.allowedSignersFile={team.server / 'allowed_signers'}",
        "log",
        "--format=%G?",
        "main",
    )
    assert set(checked.split()) == {"G"}, "Git checks every signature with the same file"


def second_of(team: Team, first: str) -> str:
    """Release something else; return its digits."""
    work = team.folder / "work"
    write(work, {"prompts/ask.md": '+++\ndescription = "d"\nowner = "us"\n+++\nBe brief.\n'})
    clone = team.clone("alice")
    team.steadyhand("release", "create", "ask", "--workspace", str(work), "--clone", str(clone))
    team.push(clone)
    names = {path.name for path in (clone / "releases" / "ask").iterdir()} - {first}
    return names.pop()


def refused(team: Team, clone: Path, *options: str) -> str:
    """Push, which must be refused and change nothing; return why."""
    before = team.head()
    with pytest.raises(Refused) as caught:
        team.push(clone, *options)
    assert team.head() == before
    return str(caught.value)


def test_nobody_approves_their_own_release(team: Team) -> None:
    first = released(team)
    clone = team.clone("alice")
    approval: dict[str, object] = {"digest": digest_of(clone, first), "environment": "production"}
    approval |= {"principal": "alice", "time_us": now_us(team, clone), "note": ""}
    team.write(clone, f"approvals/{first}/production/alice.json", json.dumps(approval))
    team.commit(clone)
    assert "alice has not the role approver" in refused(team, clone)


def digest_of(clone: Path, short: str) -> str:
    """Return the whole digest of a release in a clone."""
    manifest = (clone / "releases" / "ask" / short / "bundle.json").read_bytes()
    return bundle.digest_of(bundle.decode(manifest, short))


def now_us(team: Team, clone: Path) -> int:
    """Return the time of the last commit."""
    return int(team.git(clone, "log", "-1", "--format=%ct")) * NOW_US


def test_a_move_without_approval_is_refused(team: Team) -> None:
    first = released(team)
    does(team, "alice", "channel", "promote", "ask", first, "--to", "staging")
    clone = team.clone("olive")
    moved = Channel(
        "production", "ask", digest_of(clone, first), since_us=now_us(team, clone), by="olive"
    )
    team.write(clone, "channels/production/ask.json", encode(moved).decode())
    team.commit(clone)
    assert "needs_approval" in refused(team, clone)


def test_an_approval_in_somebody_elses_name_is_refused(team: Team) -> None:
    first = released(team)
    clone = team.clone("bob")
    approval: dict[str, object] = {"digest": digest_of(clone, first), "environment": "production"}
    approval |= {"principal": "olive", "time_us": now_us(team, clone), "note": ""}
    team.write(clone, f"approvals/{first}/production/olive.json", json.dumps(approval))
    team.commit(clone)
    assert "not_the_operation" in refused(team, clone)
    team.git(clone, "reset", "-q", "--hard", "origin/main")
    approval["principal"] = "bob"
    team.write(clone, f"approvals/{first}/production/bob.json", json.dumps(approval))
    team.commit(clone, "Approve", "--author", "olive <o@example.invalid>")
    assert "not_the_author" in refused(team, clone)


@pytest.mark.parametrize(
    ("name", "signed", "reason"),
    [("mallory", True, "a key that may not sign here"), ("alice", False, "no SSH signature")],
)
def test_strangers_and_unsigned_commits_are_refused(
    team: Team, name: str, signed: bool, reason: str
) -> None:
    first = released(team)
    clone = team.clone(name)
    moved = Channel(
        "staging", "ask", digest_of(clone, first), since_us=now_us(team, clone), by="alice"
    )
    team.write(clone, "channels/staging/ask.json", encode(moved).decode())
    team.git(clone, "-c", "user.name=alice", "commit", "-q", *(["-S"] if signed else []), "-m", "x")
    assert reason in refused(team, clone)


def test_a_release_is_never_changed_and_never_incomplete(team: Team) -> None:
    first = released(team)
    clone = team.clone("alice")
    team.write(clone, f"releases/ask/{first}/files/prompts/ask.md", "Be rude.")
    team.commit(clone)
    assert "push_refused" in refused(team, clone)
    team.git(clone, "reset", "-q", "--hard", "origin/main")
    team.git(clone, "rm", "-rq", f"releases/ask/{first}")
    team.commit(clone)
    assert "immutable" in refused(team, clone)


def test_history_is_neither_rewritten_nor_removed_nor_merged(team: Team) -> None:
    first = released(team)
    does(team, "alice", "channel", "promote", "ask", first, "--to", "staging")
    clone = team.clone("alice")
    team.git(clone, "reset", "-q", "--hard", "HEAD~1")
    assert "not_fast_forward" in refused(team, clone, "--force")
    with pytest.raises(Refused, match="not_removed"):
        team.git(clone, "push", "-q", "origin", ":main")
    team.git(clone, "checkout", "-q", "-b", "side", "HEAD")
    team.git(clone, "commit", "-q", "-S", "--allow-empty", "-m", "side")
    team.git(clone, "checkout", "-q", "-B", "main", "origin/main")
    team.git(clone, "merge", "-q", "-S", "-m", "merge", "side")
    assert "not_linear" in refused(team, clone)


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        ("README.md", "hello", "one_operation"),
        ("channels/staging/ask.json", "{", "channel_damaged"),
        ("approvals/0011/staging/alice.json", "[]", "registry_word_damaged"),
        ("environments.toml", "[environments.production]\napprovals = 0\n", "has not the role"),
    ],
)
def test_what_is_no_operation_is_refused(team: Team, path: str, content: str, reason: str) -> None:
    released(team)
    clone = team.clone("alice")
    team.write(clone, path, content)
    team.commit(clone)
    assert reason in refused(team, clone)


def test_links_and_programs_are_refused(team: Team) -> None:
    released(team)
    clone = team.clone("alice")
    (clone / "channels").mkdir()
    (clone / "channels" / "staging").symlink_to("../releases")
    team.git(clone, "add", "-A")
    team.commit(clone)
    assert "not_a_file" in refused(team, clone)


def test_operators_change_environments_and_nonsense_is_refused(team: Team) -> None:
    released(team)
    clone = team.clone("olive")
    team.write(clone, "environments.toml", "[environments.staging]\napprovals = -1\n")
    team.commit(clone)
    assert "environments_invalid" in refused(team, clone)
    team.git(clone, "reset", "-q", "--hard", "origin/main")
    text = '[environments.staging]\n[environments.production]\nfrom = "staging"\nprotected = true\n'
    team.write(clone, "environments.toml", f"{text}approvals = 2\n")
    team.commit(clone)
    team.push(clone)
    team.write(clone, "environments.toml", f"{text}approvals = 0\n")
    team.commit(clone)
    assert "asks_for_less" in refused(team, clone)
    team.git(clone, "reset", "-q", "--hard", "origin/main")
    team.git(clone, "rm", "-q", "environments.toml")
    team.commit(clone)
    assert "one_operation" in refused(team, clone)


def test_a_revert_of_a_move_is_a_move(team: Team) -> None:
    first = released(team)
    does(team, "alice", "channel", "promote", "ask", first, "--to", "staging")
    second = second_of(team, first)
    does(team, "alice", "channel", "promote", "ask", second, "--to", "staging")
    clone = team.clone("alice")
    team.git(clone, "revert", "--no-commit", "HEAD")
    team.commit(clone, "Revert")
    team.push(clone)
    store = team.store()
    try:
        assert bundle.short(state.channels(store)[0].stable) == first
    finally:
        store.close()


def test_times_far_from_the_commit_are_refused(team: Team) -> None:
    first = released(team)
    clone = team.clone("alice")
    moved = Channel("staging", "ask", digest_of(clone, first), since_us=1, by="alice")
    team.write(clone, "channels/staging/ask.json", encode(moved).decode())
    team.commit(clone)
    assert "wrong_time" in refused(team, clone)


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("2001-01-01T00:00:00Z", "before the one that it follows"),
        ("2099-01-01T00:00:00Z", "future"),
    ],
)
def test_commits_cannot_be_dated_as_it_suits(team: Team, when: str, reason: str) -> None:
    """How long a release was stable, and so where a roll-back may go, is told by these times."""
    first = released(team)
    clone = team.clone("alice")
    team.environment["GIT_COMMITTER_DATE"] = when
    moved = Channel("staging", "ask", digest_of(clone, first), by="alice")
    at_us = int(datetime.fromisoformat(when).timestamp()) * NOW_US
    moved = replace(moved, since_us=at_us)
    team.write(clone, "channels/staging/ask.json", encode(moved).decode())
    team.commit(clone)
    assert reason in refused(team, clone)


def test_a_manifest_in_another_spelling_is_refused(team: Team) -> None:
    released(team)
    clone = team.clone("alice")
    work = team.folder / "work"
    write(work, {"prompts/ask.md": '+++\ndescription = "d"\nowner = "us"\n+++\nMore.\n'})
    team.steadyhand("release", "create", "ask", "--workspace", str(work), "--clone", str(clone))
    made = team.git(clone, "show", "--name-only", "--format=", "HEAD").splitlines()
    manifest = next(path for path in made if path.endswith("bundle.json"))
    content = (clone / manifest).read_text()
    team.write(clone, manifest, content.replace(":", ": ", 1))
    team.commit(clone, "Spelt otherwise", "--amend")
    assert "not_the_operation" in refused(team, clone)


def test_waivers_take_two_people(team: Team) -> None:
    first = released(team)
    does(team, "olive", "release", "revoke", first, "-m", "wrong")
    does(team, "olive", "release", "waive", first, "-m", "it was the provider")
    clone = team.clone("olive")
    with pytest.raises(Refused, match="own_waiver"):
        team.steadyhand("release", "waive", first, "-m", "yes", "--clone", str(clone))
    does(team, "bob", "release", "waive", first, "-m", "yes")
    store = team.store()
    try:
        assert state.refused(store) == frozenset()
    finally:
        store.close()


def test_other_branches_are_free(team: Team) -> None:
    released(team)
    clone = team.clone("mallory")
    team.write(clone, "README.md", "an idea")
    team.git(clone, "commit", "-q", "-m", "idea")
    team.git(clone, "push", "-q", "origin", "HEAD:refs/heads/idea")


@pytest.fixture(params=["rsa", "ecdsa"])
def other_keys(request: pytest.FixtureRequest, tmp_path: Path) -> Team:
    """Return a team whose keys are of another kind."""
    found = Team(tmp_path / "team", kind=request.param)
    found.guard()
    write(tmp_path / "team" / "work")
    return found


def test_keys_of_other_kinds_sign_as_well(other_keys: Team) -> None:
    released(other_keys)


def test_the_hook_without_its_list_lets_nothing_in(team: Team) -> None:
    (team.server / "allowed_signers").write_text("alice nonsense\n")
    with pytest.raises(Refused, match="signers_invalid"):
        released(team)
    (team.server / "allowed_signers").unlink()
    with pytest.raises(Refused, match="cannot be read"):
        released(team)
    assert team.head() == ""


def test_a_clone_with_changes_or_without_a_registry_is_left_alone(team: Team) -> None:
    first = released(team)
    clone = team.clone("alice")
    (clone / "stray").write_text("x")
    order = ("channel", "promote", "ask", first, "--to", "staging", "--clone", str(clone))
    with pytest.raises(Refused, match="changes that are not committed"):
        team.steadyhand(*order)
    (clone / "stray").unlink()
    team.git(clone, "config", "user.signingkey", str(team.folder / "nobody.pub"))
    with pytest.raises(Refused, match="clone_unusable"):
        team.steadyhand(*order)
    with pytest.raises(Refused, match="clone_unusable"):
        team.steadyhand(*order[:-1], str(team.folder / "work"))
