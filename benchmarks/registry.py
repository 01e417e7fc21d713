"""What the registry's store takes: 10,000 prompts, 100,000 commits.

``python -m benchmarks.registry [--gate] [--save NAME] [--commits N]``. The repository is made by
``git fast-import`` in a temporary folder on the disk of ``$TMPDIR``: 10,000 prompts of 900 bytes in
50 folders, then one commit for each new version of one of them, drawn with a Zipf-like skew, so
that the most changed prompt has thousands of versions. Then each operation is timed as its callers
meet it: ``put`` is durable on return. ``writers`` is eight processes that put at once; it is judged
by what is there afterwards, not by time. Medians and 99th percentiles of wall time.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import describe
from benchmarks.tables import markdown
from steadyhand.registry.git.store import INDEX, GitStore, open_registry
from steadyhand.registry.ports import Author, Change

PROMPTS: Final = 10_000
FOLDERS: Final = 50
COMMITS: Final = 100_000
WRITERS: Final = 8
PUTS: Final = 50
RESULTS: Final = Path(__file__).resolve().parent / "results"
LIMITS: Final = {
    "get ms": 2.0,
    "put ms": 20.0,
    "history ms": 20.0,
    "start s": 1.0,
    "rebuild s": 60.0,
}
"""Of the 99th percentile, where there are several."""

WRITER: Final = """
import sys
from pathlib import Path
from steadyhand.registry.git.store import open_registry
from steadyhand.registry.ports import Author, Change
store = open_registry(Path(sys.argv[1]), clock=lambda: 1.7e9)
for number in range(int(sys.argv[3])):
    store.commit([Change(f"writers/{sys.argv[2]}", f"{number}".encode())],
                 message=f"{sys.argv[2]} {number}", author=Author("w" + sys.argv[2]))
"""


def path_of(number: int) -> str:
    """Return the path of a prompt."""
    return f"prompts/f{number % FOLDERS}/p{number}.md"


def text_of(number: int, version: int) -> bytes:
    """Return a prompt of 900 bytes."""
    return f"prompt {number} version {version}\n".encode().ljust(900, b".")


def make(folder: Path, commits: int) -> None:
    """Make the repository by one stream."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    command = ["git", "-C", str(folder), "fast-import", "--quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        draw = random.Random(7)
        for version in range(commits):
            numbers = range(PROMPTS) if not version else [int(PROMPTS * draw.random() ** 3)]
            when = f"bench <b@example.invalid> {1_600_000_000 + version} +0000"
            message = f"version {version}".encode()
            head = f"commit refs/heads/main\ncommitter {when}\ndata {len(message)}\n".encode()
            process.stdin.write(head + message + b"\n")
            for number in numbers:
                text = text_of(number, version)
                process.stdin.write(
                    f"M 100644 inline {path_of(number)}\ndata {len(text)}\n".encode()
                )
                process.stdin.write(text + b"\n")
    if process.returncode:
        raise RuntimeError("git fast-import failed")


def timed(work: Callable[[int], object], count: int) -> list[float]:
    """Return the milliseconds of each call."""
    found = []
    for number in range(count):
        began_s = time.perf_counter()
        work(number)
        found.append((time.perf_counter() - began_s) * 1e3)
    return found


def measure(folder: Path, commits: int) -> dict[str, Any]:
    """Return every number."""
    store = open_registry(folder, clock=time.time)
    began_s = time.perf_counter()
    indexed = store.rebuild_index()
    rebuild_s = time.perf_counter() - began_s
    if indexed != (commits, PROMPTS + commits - 1):
        raise RuntimeError(f"the index has {indexed}")
    store.close()
    began_s = time.perf_counter()
    store = open_registry(folder, clock=time.time)
    store.history(path_of(0))
    start_s = time.perf_counter() - began_s
    draw = random.Random(11)
    samples = {
        "get": timed(lambda _: store.get(path_of(draw.randrange(PROMPTS))), 2_000),
        "history": timed(lambda n: store.history(path_of(n)), 1_000),
        "put": timed(lambda n: put(store, n), 1_000),
        "get after": timed(lambda _: store.get(path_of(draw.randrange(PROMPTS))), 2_000),
    }
    versions = len(store.history(path_of(0), limit=1_000_000))
    store.close()
    lost = write_at_once(folder)
    return {
        "rebuild s": rebuild_s,
        "start s": start_s,
        "lost or twice": lost,
        "versions of the most changed": versions,
        "index MB": (folder / INDEX).stat().st_size / 1e6,
        "repository MB": sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6,
        **{
            f"{name} ms": {
                "p50": statistics.median(values),
                "p99": statistics.quantiles(values, n=100)[98],
                "most": max(values),
            }
            for name, values in samples.items()
        },
    }


def put(store: GitStore, number: int) -> None:
    """Put a new version of a prompt."""
    change = Change(path_of(number * 7 % PROMPTS), text_of(number, -number))
    store.commit([change], message=f"put {number}", author=Author("bench"))


def write_at_once(folder: Path) -> int:
    """Have eight processes put; return how many versions are missing or there twice."""
    command = [sys.executable, "-c", WRITER, str(folder)]
    writers = [subprocess.Popen([*command, str(number), str(PUTS)]) for number in range(WRITERS)]
    for writer in writers:
        if writer.wait(600):
            raise RuntimeError("a writer failed")
    store = open_registry(folder, clock=time.time)
    wrong = 0
    for number in range(WRITERS):
        found = [v.number for v in store.history(f"writers/{number}", limit=10_000)]
        wrong += found != list(range(PUTS, 0, -1))
    store.close()
    return wrong


def past(found: dict[str, Any]) -> list[str]:
    """Return which limits are past."""
    lines = []
    for name, limit in LIMITS.items():
        value = found[name]["p99"] if isinstance(found[name], dict) else found[name]
        if value > limit:
            lines.append(f"{name}: {value:.2f}, at most {limit}")
    return lines + (["an update was lost or made twice"] if found["lost or twice"] else [])


def table(found: dict[str, Any]) -> str:
    """Return the numbers as Markdown."""
    rows = []
    for name, value in found.items():
        limit = LIMITS.get(name)
        goal = f"{limit:g}" if limit is not None else "–"
        if isinstance(value, dict):
            rows.append([name, *(f"{value[key]:.2f}" for key in ("p50", "p99", "most")), goal])
        else:
            rows.append([name, f"{value:,.2f}", "", "", goal])
    return markdown([["", "median", "p99", "most", "at most"], *rows])


def main() -> int:
    """Run, and say whether a limit is past."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gate", action="store_true")
    parser.add_argument("--save", default="")
    parser.add_argument("--commits", type=int, default=COMMITS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="steadyhand-registry-") as folder:
        path = Path(folder) / "registry.git"
        began_s = time.perf_counter()
        make(path, given.commits)
        print(f"made in {time.perf_counter() - began_s:.0f} s", file=sys.stderr)
        found = measure(path, given.commits)
    print(table(found))
    if given.save:
        kept = {"machine": describe(), "commits": given.commits, "prompts": PROMPTS, **found}
        (RESULTS / f"{given.save}.json").write_text(json.dumps(kept, indent=1) + "\n")
    wrong = past(found)
    for line in wrong:
        print(f"past the limit: {line}", file=sys.stderr)
    return int(bool(wrong) and given.gate)


if __name__ == "__main__":
    sys.exit(main())
