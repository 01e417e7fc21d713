"""What the console costs whoever opens it: bytes, first paint, memory, requests elsewhere.

``python -m benchmarks.console [--minutes N] [--passes N] [--gate] [--save NAME]``

A fresh demo is served on loopback and asked about five times a second. Each page is opened in a
context of its own, so that nothing is kept, and its first contentful paint is what Chromium
reports. For the memory the overview, which is new each second, stays open; the heap is read after
garbage was collected, ten times over the run, and a line through the second half says how fast it
grows. ``make console browser`` comes first.
"""

import argparse
import gzip
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import linear_regression, median
from tempfile import TemporaryDirectory

import httpx
from playwright.sync_api import Browser, Page, Request

from steadyhand import console
from tests.support.browser import chromium, log_in
from tests.support.programs import running

RESULTS = Path(__file__).parent / "results"
PAGES = ("/", "/requests", "/rollouts", "/break", "/login")
FIRST_KB = 230
OTHER_KB = 60
PAINT_MS = 800
GROWS_MB_H = 2.0
"""Growth an hour that is no growth: the noise of ten readings of some 10 MB."""
READINGS = 10


@dataclass(frozen=True)
class Opened:
    """One page.

    Attributes:
        path: Its address.
        paints_ms: First contentful paints, in order of size.
        kb: Compressed JavaScript and CSS that it loaded.
        foreign: Requests that went elsewhere.
    """

    path: str
    paints_ms: Sequence[float]
    kb: float
    foreign: int


@contextmanager
def demo(folder: Path) -> Iterator[tuple[str, str]]:
    """Serve a demo that is asked now and then; yield the control plane's address and its token."""
    root = folder / "demo"
    subprocess.run(
        [sys.executable, "-m", "steadyhand", "init", str(root)], check=True, capture_output=True
    )
    ports = ("--port", "0", "--control-port", "0")
    with running(folder, "serve", "serve", "--workspace", root, *ports) as program:
        control = int(program.says(r"control API +http://127\.0\.0\.1:(\d+)").group(1))
        port = int(program.says(r"AI API +http://127\.0\.0\.1:(\d+)").group(1))
        stop = threading.Event()
        key = (root / ".steadyhand" / "demo.key").read_text().strip()
        asking = threading.Thread(target=ask, args=(port, key, stop))
        asking.start()
        try:
            token = (root / ".steadyhand" / "control.token").read_text().strip()
            yield f"http://127.0.0.1:{control}", token
        finally:
            stop.set()
            asking.join()


def ask(port: int, key: str, stop: threading.Event) -> None:
    """Ask five times a second, every other time as a stream, until told to stop."""
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
        number = 0
        while not stop.wait(0.2):
            number += 1
            message = {"role": "user", "content": f"What does VACUUM do, {number}?"}
            body = {"model": "support", "messages": [message], "stream": number % 2 == 0}
            client.post("/v1/chat/completions", json=body).read()


def opened(browser: Browser, base: str, token: str, path: str, passes: int) -> Opened:
    """Open a page so often, each time as the first time."""
    paints, size, foreign = [], 0.0, 0
    for _ in range(passes):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        if path != "/login":
            log_in(context, base, token)
        page = context.new_page()
        seen: list[str] = []
        page.on("request", partial(note, seen))
        page.goto(base + path)
        page.wait_for_selector("h1")
        paints.append(paint_ms(page))
        names = {url.removeprefix(f"{base}/") for url in seen if "/assets/" in url}
        size = sum(packed(name) for name in names) / 1024
        foreign += sum(not url.startswith((base, "data:")) for url in seen)
        context.close()
    return Opened(path, sorted(paints), round(size, 1), foreign)


def note(seen: list[str], request: Request) -> None:
    """Keep what a page asked for."""
    seen.append(request.url)


def packed(name: str) -> int:
    """Return how many bytes a file has as gzip."""
    return len(gzip.compress((console.folder() / name).read_bytes(), 9))


def paint_ms(page: Page) -> float:
    """Return when the page first showed something, milliseconds after it was asked for."""
    asked = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
    for _ in range(100):
        found = float(page.evaluate(asked))
        if found:
            return round(found, 1)
        page.wait_for_timeout(20)
    raise SystemExit("the browser reported no first paint")


def heap_mb(browser: Browser, base: str, token: str, minutes: float) -> list[tuple[float, float]]:
    """Return minutes and megabytes of the overview's heap while it stays open."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    log_in(context, base, token)
    page = context.new_page()
    page.goto(base + "/")
    page.wait_for_selector("h1")
    session = context.new_cdp_session(page)
    began_s, read = time.monotonic(), []
    for number in range(READINGS + 1):
        due_s = began_s + minutes * 60 * number / READINGS
        while time.monotonic() < due_s:
            page.wait_for_timeout(1_000)  # lets the page live
        session.send("HeapProfiler.collectGarbage")
        used = session.send("Runtime.getHeapUsage")["usedSize"] / 1e6
        read.append((round((time.monotonic() - began_s) / 60, 1), round(used, 2)))
        sys.stderr.write(f"{read[-1][0]} min: {read[-1][1]} MB\n")
    context.close()
    return read


def main() -> None:
    """Open everything, print what it costs, keep it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30, help="of the overview's memory")
    parser.add_argument("--passes", type=int, default=9, help="of each page")
    parser.add_argument("--gate", action="store_true", help="fail if a goal is missed")
    parser.add_argument("--save", metavar="NAME")
    told = parser.parse_args()
    with TemporaryDirectory() as folder, demo(Path(folder)) as (base, token), chromium() as browser:
        time.sleep(5)  # something to show
        pages = [opened(browser, base, token, path, told.passes) for path in PAGES]
        heap = heap_mb(browser, base, token, told.minutes)
    later = heap[len(heap) // 2 :]
    slope = linear_regression(*zip(*later, strict=True)).slope * 60
    first = pages[0].kb
    sys.stdout.write("| page | first paint, median (most), ms | gzip KB | beyond the first |\n")
    sys.stdout.write("|---|---:|---:|---:|\n")
    for page in pages:
        beyond = "–" if page.path == "/" else f"{page.kb - first:+.1f}"
        sys.stdout.write(
            f"| `{page.path}` | {median(page.paints_ms):.0f} ({page.paints_ms[-1]:.0f}) | "
            f"{page.kb:.1f} | {beyond} |\n"
        )
    sys.stdout.write(
        f"\nrequests elsewhere: {sum(page.foreign for page in pages)}; heap of the overview "
        f"{heap[0][1]} MB, after {heap[-1][0]} min {heap[-1][1]} MB, "
        f"second half {slope:+.2f} MB/h\n"
    )
    if told.save:
        content = {"pages": [asdict(page) for page in pages], "heap_mb_by_minute": heap}
        (RESULTS / f"{told.save}.json").write_text(json.dumps(content, indent=1) + "\n")
    problems = [
        *(f"{page.path} paints late" for page in pages if median(page.paints_ms) > PAINT_MS),
        *(["the first page is heavy"] if first > FIRST_KB else []),
        *(f"{page.path} is heavy" for page in pages if page.kb - first > OTHER_KB),
        *(["something is loaded from elsewhere"] if any(page.foreign for page in pages) else []),
        *(["the heap grows"] if slope > GROWS_MB_H else []),
    ]
    if told.gate and problems:
        sys.exit("; ".join(problems))


if __name__ == "__main__":
    main()
