"""What a look into 10,000 answers costs: time, memory, and the event loop's patience.

``python -m benchmarks.knowledge.latency`` prints JSON. The answers are pieces of the manual's
sections; the questions are those of ``questions.jsonl.gz``, asked 200 times a second on an event
loop beside a ticker. SQLite's FTS5 is asked the same, as what was not chosen.
"""

import asyncio
import gzip
import json
import re
import resource
import sqlite3
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, thread_time, time_ns

import msgspec

from benchmarks.knowledge.corpus import MANUAL
from benchmarks.knowledge.questions import read
from steadyhand.knowledge.library import Library, Reading
from steadyhand.knowledge.model import Entry, subject
from steadyhand.knowledge.shelf import SUFFIX, shelve
from steadyhand.knowledge.words import terms

ENTRIES = 10_000
EACH_SILENT = 4
"""One of so many is a subject without an answer."""
RATE = 200
SECONDS = 20
THRESHOLD = 0.95
TICK_S = 0.001
PIECE_WORDS = 60


def answers() -> list[Entry]:
    """Return 10,000 entries: a section's title and where it was cut are what it is asked by."""
    packed = files("steadyhand.settings").joinpath(MANUAL).read_bytes()
    entries = []
    for line in gzip.decompress(packed).splitlines():
        section = json.loads(line)
        said = section["text"].split()
        for at in range(0, len(said), PIECE_WORDS):
            piece = said[at : at + 2 * PIECE_WORDS]
            asked = (f"What is {section['title']}?", section["title"], " ".join(piece[:8]))
            entries.append(Entry(f"{section['_id']}~{at}", asked, " ".join(piece), "manual"))
    step = len(entries) / ENTRIES
    chosen = [entries[int(number * step)] for number in range(ENTRIES)]
    spoken = [entry for number, entry in enumerate(chosen) if number % EACH_SILENT]
    silent = chosen[::EACH_SILENT]
    return [*spoken, *(subject(n, entry.questions[0]) for n, entry in enumerate(silent, start=1))]


def quantiles(times_s: Sequence[float]) -> dict[str, float]:
    """Return the usual ones in milliseconds."""
    ordered = sorted(times_s)
    shares = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
    last = len(ordered) - 1
    return {name: round(1_000 * ordered[int(share * last)], 3) for name, share in shares.items()}


async def open_loop(ask: Callable[[str], object], questions: Sequence[str]) -> dict[str, object]:
    """Ask at fixed times; a question's latency counts from when it was due."""
    late: list[float] = []
    stalls: list[float] = []
    running = True

    async def tick() -> None:
        while running:
            began = perf_counter()
            await asyncio.sleep(TICK_S)
            stalls.append(perf_counter() - began - TICK_S)

    ticker = asyncio.create_task(tick())
    began = perf_counter()
    for number in range(RATE * SECONDS):
        due = began + number / RATE
        await asyncio.sleep(max(0.0, due - perf_counter()))
        ask(questions[number % len(questions)])
        late.append(perf_counter() - due)
    running = False
    await ticker
    return {"from_due_ms": quantiles(late), "ticker_late_ms": quantiles(stalls)}


def cpu(ask: Callable[[str], object], questions: Sequence[str]) -> dict[str, float]:
    """Return processor time of each question."""
    taken = []
    for question in questions:
        began = thread_time()
        ask(question)
        taken.append(thread_time() - began)
    return quantiles(taken)


def full_text_search(entries: Sequence[Entry]) -> tuple[Callable[[str], object], int]:
    """Return the same search by FTS5: a word of the question in any field, best eight by BM25."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE e USING fts5(questions, answer, tokenize='porter')")
    rows = ((" ".join(entry.questions), entry.answer) for entry in entries)
    database.executemany("INSERT INTO e VALUES (?, ?)", rows)
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    query = "SELECT rowid, bm25(e, 3, 1) FROM e WHERE e MATCH ? ORDER BY 2 LIMIT 8"

    def ask(question: str) -> object:
        said = [re.sub(r"\W", "", term) for term in terms(question)]
        match = " OR ".join(f'"{term}"' for term in said if term)
        return database.execute(query, (match,)).fetchall() if match else []

    return ask, pages * 4096


def rss_mb() -> float:
    """Return what the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def asker(reading: Reading) -> Callable[[str], object]:
    """Return what asks as a request does: from messages."""

    def ask(question: str) -> object:
        message = msgspec.Raw(msgspec.json.encode({"role": "user", "content": question}))
        return reading.ask("c", [message], "text", "acme", "", THRESHOLD)

    return ask


def main() -> None:
    """Print everything as one JSON object."""
    questions = [asked.text for asked in read() if asked.half == "judge"]
    entries = answers()
    with TemporaryDirectory() as name:
        folder = Path(name)
        began = perf_counter()
        digest = shelve(entries, folder)
        compiled_s = perf_counter() - began
        size = (folder / f"{digest}{SUFFIX}").stat().st_size
        before_mb = rss_mb()
        library = Library(folder, lambda: time_ns() // 1000)
        began = perf_counter()
        library.load({"c": digest})
        loaded_s = perf_counter() - began
        after_mb = rss_mb()
        ask = asker(library.open({"c": digest}, 0))
        found = {
            "entries": len(entries),
            "compile_s": round(compiled_s, 2),
            "file_mb": round(size / 1e6, 1),
            "load_s": round(loaded_s, 3),
            "memory_mb": round(after_mb - before_mb, 1),
            "own_cpu_ms": cpu(ask, questions),
            "own_open_loop": asyncio.run(open_loop(ask, questions)),
        }
    fts, fts_bytes = full_text_search(entries)
    found["fts5_cpu_ms"] = cpu(fts, questions)
    found["fts5_mb"] = round(fts_bytes / 1e6, 1)
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
