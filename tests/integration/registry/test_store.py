"""The store on a real repository, beside Git itself."""

import os
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steadyhand.registry.git.lock import writing
from steadyhand.registry.git.store import INDEX, LOCK, GitStore, open_registry
from steadyhand.registry.paths import PathRefused
from steadyhand.registry.ports import (
    Author,
    Change,
    Expected,
    PathMissing,
    StoreConflict,
    StoreUnavailable,
)

ALICE = Author("alice")


def git(folder: Path, *arguments: str) -> str:
    """Run Git as somebody who has never heard of us."""
    environment = os.environ | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "bob",
        "GIT_AUTHOR_EMAIL": "bob@example.invalid",
        "GIT_COMMITTER_NAME": "bob",
        "GIT_COMMITTER_EMAIL": "bob@example.invalid",
    }
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def put(store: GitStore, path: str, content: str, message: str = "") -> str:
    """Put one file."""
    return store.commit(
        [Change(path, content.encode())], message=message or f"put {path}", author=ALICE
    )


def test_an_empty_registry_has_no_head_and_no_files(store: GitStore) -> None:
    assert store.head() == ""
    assert store.list("") == []
    assert store.history("prompts/a.md") == []
    with pytest.raises(PathMissing):
        store.get("prompts/a.md")


def test_what_was_put_can_be_got_listed_and_told(store: GitStore) -> None:
    first = put(store, "prompts/a.md", "one", "Write a\n\nwith a body")
    second = put(store, "prompts/a.md", "two")
    put(store, "prompts/b/c.md", "three")
    assert store.get("prompts/a.md").content == b"two"
    assert store.get("prompts/a.md", at=first).content == b"one"
    assert store.list("prompts/") == ["prompts/a.md", "prompts/b/c.md"]
    assert store.list("prompts/b") == ["prompts/b/c.md"]
    assert store.list("nothing/here") == []
    newest, oldest = store.history("prompts/a.md")
    assert (newest.number, newest.commit, newest.author) == (2, second, "alice")
    assert (oldest.number, oldest.subject, oldest.time_s) == (1, "Write a", 1_700_000_000)
    assert oldest.blob == store.get("prompts/a.md", at=first).blob


def test_one_commit_changes_several_paths_and_removes(store: GitStore) -> None:
    put(store, "a/x", "1")
    put(store, "b", "file")
    store.commit(
        [Change("a/x", None), Change("b", None), Change("b/inside", b"2"), Change("c/d/e", b"3")],
        message="move",
        author=ALICE,
    )
    assert store.list("") == ["b/inside", "c/d/e"]
    assert store.history("a/x")[0].blob == ""


def test_what_changes_nothing_makes_no_commit(store: GitStore) -> None:
    made = put(store, "a", "1")
    assert put(store, "a", "1") == made
    assert len(store.history("a")) == 1


def test_a_commit_rests_on_what_was_expected(store: GitStore) -> None:
    put(store, "a", "1")
    seen = store.get("a").blob
    store.commit([Change("a", b"2")], message="m", author=ALICE, expected=[Expected("a", seen)])
    with pytest.raises(StoreConflict):
        store.commit([Change("a", b"3")], message="m", author=ALICE, expected=[Expected("a", seen)])
    with pytest.raises(StoreConflict):
        store.commit([Change("a", b"3")], message="m", author=ALICE, expected=[Expected("a", "")])
    assert store.get("a").content == b"2"


@pytest.mark.parametrize(
    "path",
    ["", "/a", "a//b", "a/../b", "..", ".git/config", "a/.hidden", "a\nb", "a\0", "x" * 600, "ä"],
)
def test_a_path_that_could_harm_is_refused(store: GitStore, path: str) -> None:
    with pytest.raises(PathRefused):
        store.commit([Change(path, b"x")], message="m", author=ALICE)
    assert store.head() == ""


def test_git_reads_it_and_its_pushes_are_seen(store: GitStore, tmp_path: Path) -> None:
    put(store, "prompts/a.md", "one\n", "First words")
    git(tmp_path, "clone", "-q", str(store.path), "clone")
    clone = tmp_path / "clone"
    assert (clone / "prompts" / "a.md").read_text() == "one\n"
    (clone / "prompts" / "a.md").write_text("two\n")
    git(clone, "commit", "-qam", "Second words")
    git(clone, "push", "-q", "origin", "HEAD:main")
    assert store.get("prompts/a.md").content == b"two\n"
    assert [v.author for v in store.history("prompts/a.md")] == ["bob", "alice"]
    git(clone, "revert", "--no-edit", "HEAD")
    git(clone, "push", "-q", "origin", "HEAD:main")
    assert store.get("prompts/a.md").content == b"one\n"
    assert "First words" in git(clone, "log", "--format=%s")
    assert git(store.path, "fsck", "--strict") == ""


def test_a_merge_is_one_version(store: GitStore, tmp_path: Path) -> None:
    put(store, "a", "1")
    git(tmp_path, "clone", "-q", str(store.path), "clone")
    clone = tmp_path / "clone"
    git(clone, "checkout", "-qb", "side")
    for number in (2, 3):
        (clone / "a").write_text(f"{number}")
        git(clone, "commit", "-qam", f"side {number}")
    git(clone, "checkout", "-q", "main")
    git(clone, "merge", "-q", "--no-ff", "-m", "Merge the side", "side")
    git(clone, "push", "-q", "origin", "main")
    assert [version.subject for version in store.history("a")] == ["Merge the side", "put a"]


@pytest.mark.parametrize("damage", ["gone", "torn", "foreign"])
def test_the_index_is_made_again(store: GitStore, damage: str) -> None:
    for number in range(5):
        put(store, "a", str(number))
    store.close()
    index = store.path / INDEX
    for file in store.path.glob(f"{INDEX}-*"):
        file.unlink()
    if damage == "gone":
        index.unlink()
    else:
        index.write_bytes(index.read_bytes()[:300] if damage == "torn" else b"no database" * 50)
    again = open_registry(store.path, clock=lambda: 0.0)
    assert [version.number for version in again.history("a")] == [5, 4, 3, 2, 1]
    assert again.rebuild_index() == (5, 5)
    again.close()


def test_a_rewritten_branch_is_indexed_anew(store: GitStore) -> None:
    first = put(store, "a", "1")
    put(store, "a", "2")
    store.history("a")
    git(store.path, "update-ref", "refs/heads/main", first)
    assert len(store.history("a")) == 1
    put(store, "a", "3")
    assert [version.number for version in store.history("a")] == [2, 1]


def test_a_missing_object_is_said_and_nothing_moves(store: GitStore) -> None:
    head = put(store, "a/b", "1")
    tree = git(store.path, "rev-parse", "HEAD:a").strip()
    (store.path / "objects" / tree[:2] / tree[2:]).unlink()
    again = open_registry(store.path, clock=lambda: 0.0)
    with pytest.raises(StoreUnavailable, match="doctor"):
        again.commit([Change("a/c", b"2")], message="m", author=ALICE)
    assert again.head() == head
    again.close()


def test_readers_do_not_wait_for_a_writer_that_waits(store: GitStore) -> None:
    put(store, "a", "1")
    with writing(store.path / LOCK):
        writer = threading.Thread(target=put, args=(store, "a", "2"))
        writer.start()
        assert store.get("a").content == b"1"
        assert store.history("a")[0].number == 1
        assert writer.is_alive()
    writer.join()
    assert store.get("a").content == b"2"


@pytest.mark.parametrize("at", ["0" * 40, "no id", "../..", "a"])
def test_an_unknown_commit_is_not_found(store: GitStore, at: str) -> None:
    put(store, "a", "1")
    with pytest.raises(PathMissing):
        store.get("a", at=at)


def test_threads_lose_nothing(store: GitStore) -> None:
    def write(number: int) -> None:
        for turn in range(5):
            put(store, f"t{number}/{turn}", "x")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.list("")) == 20
    assert git(store.path, "rev-list", "--count", "main").strip() == "20"


def test_packing_keeps_every_object(store: GitStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steadyhand.registry.git.packing.MOST_LOOSE", 0)
    for number in range(100):
        put(store, f"a/{number % 7}", str(number))
    assert list((store.path / "objects" / "pack").glob("*.pack"))
    assert git(store.path, "fsck", "--strict") == ""
    other = open_registry(store.path, clock=lambda: 0.0)
    assert other.get("a/5").content == b"96"
    assert sum(len(other.history(f"a/{key}", limit=1_000)) for key in range(7)) == 100
    other.close()


NAMES = st.sampled_from(["a", "b", "a/x", "a/y", "b/x/y", "c/d"])


@settings(max_examples=20)
@given(st.lists(st.tuples(NAMES, st.one_of(st.none(), st.binary(max_size=4))), max_size=12))
def test_it_is_a_dict_with_a_memory(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, bytes | None]]
) -> None:
    store = open_registry(tmp_path_factory.mktemp("r") / "r.git", clock=lambda: 0.0)
    model: dict[str, bytes] = {}
    versions: dict[str, int] = {}
    for path, content in steps:
        before = dict(model)
        if content is None:
            model.pop(path, None)
        else:
            for other in list(model):  # a file takes the place of a folder, and a folder of a file
                if other.startswith(f"{path}/") or path.startswith(f"{other}/"):
                    del model[other]
            model[path] = content
        for name in before.keys() | model.keys():
            if before.get(name) != model.get(name):
                versions[name] = versions.get(name, 0) + 1
        store.commit([Change(path, content)], message="m", author=ALICE)
    assert {path: store.get(path).content for path in store.list("")} == model
    assert {path: len(store.history(path)) for path in versions} == versions
    store.close()
