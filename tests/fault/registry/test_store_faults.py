"""The store while processes die, disks fill up and many write."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from steadyhand.registry.git.branch import MOVING
from steadyhand.registry.git.lock import writing
from steadyhand.registry.git.store import LOCK, GitStore, open_registry
from steadyhand.registry.ports import Author, Change, StoreUnavailable

WRITER = """
import sys
from pathlib import Path
from steadyhand.registry.git.store import open_registry
from steadyhand.registry.ports import Author, Change
store = open_registry(Path(sys.argv[1]), clock=lambda: 1.7e9)
name, count = sys.argv[2], int(sys.argv[3])
for number in range(count):
    store.commit([Change(f"w/{name}", f"{number}".encode())], message=f"{name} {number}",
                 author=Author(name))
    print(number, flush=True)
"""


def start(path: Path, name: str, count: int) -> "subprocess.Popen[str]":
    """Start a process that writes ``count`` versions of one path."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def fsck(path: Path) -> None:
    """Have Git look at every object."""
    subprocess.run(["git", "-C", str(path), "fsck", "--strict"], check=True, capture_output=True)


@pytest.fixture
def store(tmp_path: Path) -> GitStore:
    """Return an empty registry."""
    return open_registry(tmp_path / "registry.git", clock=lambda: 1.7e9)


def test_eight_writers_lose_no_update_and_make_no_version_twice(store: GitStore) -> None:
    writers = [start(store.path, f"p{number}", 12) for number in range(8)]
    for writer in writers:
        _, errors = writer.communicate(timeout=240)
        assert writer.returncode == 0, errors
    for number in range(8):
        versions = store.history(f"w/p{number}")
        assert [version.number for version in versions] == list(range(12, 0, -1))
        assert store.get(f"w/p{number}").content == b"11"
    fsck(store.path)


def test_a_writer_killed_anywhere_leaves_a_whole_repository(store: GitStore) -> None:
    last = 0
    for turn in range(6):
        writer = start(store.path, "victim", 10_000)
        assert writer.stdout is not None
        for _ in range(2 + turn):
            last = int(writer.stdout.readline())
        time.sleep(0.003 * turn)
        writer.send_signal(signal.SIGKILL)
        rest = writer.communicate()[0].split()
        last = int(rest[-1]) if rest else last
        held = int(store.get("w/victim").content)
        assert held >= last
    store.commit([Change("after", b"1")], message="after", author=Author("a"))
    assert store.rebuild_index()[0] == len(store.history("w/victim", limit=10_000)) + 1
    fsck(store.path)


def test_a_writer_killed_while_the_branch_moves_stops_nobody(store: GitStore) -> None:
    store.commit([Change("a", b"1")], message="m", author=Author("a"))
    (store.path / "refs" / "heads" / "main.lock").touch()  # as libgit2 leaves it
    (store.path / MOVING).touch()
    store.commit([Change("a", b"2")], message="m", author=Author("a"))
    assert store.get("a").content == b"2"
    assert not (store.path / MOVING).exists()


def test_a_disk_that_fills_up_in_the_middle_of_a_put(store: GitStore) -> None:
    store.commit([Change("a", b"1")], message="m", author=Author("a"))
    head = store.head()
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from steadyhand.registry.git.store import open_registry\n"
        "from steadyhand.registry.ports import Author, Change, StoreUnavailable\n"
        "store = open_registry(Path(sys.argv[1]), clock=lambda: 1.7e9)\n"
        "store.get('a')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    change = Change('b', bytes(range(256)) * 4000)\n"
        "    store.commit([change], message='m', author=Author('a'))\n"
        "except StoreUnavailable as error:\n"
        "    print('refused', error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(store.path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("refused the registry could not commit"), done
    assert store.head() == head
    assert store.list("") == ["a"]
    store.commit([Change("b", b"2")], message="m", author=Author("a"))
    fsck(store.path)


def test_a_lock_that_somebody_keeps_is_named(store: GitStore) -> None:
    with (
        writing(store.path / LOCK),
        pytest.raises(StoreUnavailable, match="another writer"),
        writing(store.path / LOCK, patience_s=0.05),
    ):
        pass


def test_a_dead_holder_leaves_no_lock(store: GitStore) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from steadyhand.registry.git.lock import writing\n"
        "with writing(Path(sys.argv[1])):\n    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(store.path / LOCK)], check=False)
    assert (store.path / LOCK).exists()
    store.commit([Change("a", b"1")], message="m", author=Author("a"))


def test_a_branch_locked_by_gits_own_lock_file_is_said(store: GitStore) -> None:
    store.commit([Change("a", b"1")], message="m", author=Author("a"))
    (store.path / "refs" / "heads" / "main.lock").touch()
    with pytest.raises(StoreUnavailable, match="doctor"):
        store.commit([Change("a", b"2")], message="m", author=Author("a"))
    assert store.get("a").content == b"1"
    (store.path / "refs" / "heads" / "main.lock").unlink()
    store.commit([Change("a", b"2")], message="m", author=Author("a"))


def test_no_folder_to_write_in_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable):
        open_registry(tmp_path / "file" / "registry.git", clock=lambda: 0.0)
