"""What the whole handler takes of a healthy request: sockets apart, from its body to its record.

``python -m benchmarks.handling`` prints a table of this tree; each folder that is named after it is
another tree, a worktree of another commit for instance, and becomes a column:

    git worktree add /tmp/before COMMIT && python -m benchmarks.handling /tmp/before

A provider in memory answers in the next turn of the loop. Stages, climb, planner, health, proofs
and the record's encoding are the real ones. Times are CPU time (``process_time``), the least of
many short rounds, and the trees take turns: what else the machine does only ever adds. Beside them
stands what depends on no machine: bytecodes that the interpreter carries out for a request, and
calls upstream.
"""

import argparse
import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from time import monotonic, process_time
from types import FrameType, ModuleType
from typing import Any

import msgspec
import uvloop

ROUNDS = 60
REQUESTS = 400
WARM_UP = 2_000
TRACED = 50
CASES = {
    "one": "one live rung",
    "two": "two live rungs",
    "three": "three live rungs",
    "stored": "a live rung before a stored one",
    "stream": "one live rung, a stream",
    "stream_two": "two live rungs, a stream",
    "traced": "one live rung, with traces on",
    "joined": "the same, in a trace that the client began",
    "undrawn": "one live rung of a sampled route, not drawn",
    "sampled": "the same, drawn",
    "stream_sampled": "the same, a stream",
}
"""What is measured; a tree that cannot do one says nothing of it."""
TRACEPARENT = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Played:
    """An upstream reply that is there at once; reads take a turn of the loop, as sockets do."""

    status = 200

    def __init__(self, body: bytes, kind: bytes) -> None:
        self.headers = {b"content-type": kind}
        self._body = body

    async def read(self) -> bytes:
        """Return what is left."""
        await turn()
        body, self._body = self._body, b""
        return body

    async def read_all(self, max_bytes: int) -> bytes:
        """Return the whole body."""
        del max_bytes
        return await self.read()

    def give_up_at(self, at_s: float) -> None:
        """Never late."""

    def close(self) -> None:
        """Nothing is open."""


class Sink:
    """A client's end that keeps nothing."""

    def __init__(self) -> None:
        self.started = False
        self.bytes_sent = 0

    def send(self, status: int, headers: object, body: bytes) -> None:
        """Count a whole answer."""
        del status, headers
        self.bytes_sent += len(body)

    def start(self, status: int, headers: object) -> None:
        """Note that an answer begins."""
        del status, headers
        self.started = True

    def write(self, data: bytes) -> None:
        """Count bytes of an answer."""
        self.bytes_sent += len(data)

    async def drain(self) -> None:
        """Never full."""

    def end(self) -> None:
        """Nothing is left."""


class Provider:
    """Answers every call well, and counts them."""

    def __init__(self, body: bytes, events: bytes) -> None:
        self.calls = 0
        self._body, self._events = body, events

    async def open(self, call: Any, limits: object) -> Played:
        """Answer ``call``."""
        del limits
        self.calls += 1
        if call.stream:
            return Played(self._events, b"text/event-stream")
        return Played(self._body, b"application/json")

    async def close(self) -> None:
        """Nothing is open."""


class Empty:
    """A stored rung that has no answer, in memory or elsewhere."""

    kind = "knowledge"
    has_slow_tiers = False

    def __init__(self, cost: object) -> None:
        self.cost = cost

    def peek(self, question: object) -> None:
        """Find nothing."""

    def keep(self, question: object, answer: object) -> None:
        """Keep nothing."""


async def turn() -> None:
    """Come back in the next turn of the loop."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_soon(future.set_result, None)
    await future


def appending() -> Callable[[Any], object]:
    """Return what a gateway does with a record, as far as this tree knows it; no disk."""
    encode = msgspec.msgpack.Encoder().encode
    try:
        proofs = import_module("steadyhand.routing.proofs")
        drilling = import_module("steadyhand.routing.drilling")
    except ModuleNotFoundError:
        return encode
    book = proofs.ProofBook(drilling.Terms(), lambda: 0.5)
    names = [("first", "first-model"), ("second", "second-model"), ("third", "third-model")]
    rungs = [
        drilling.RungId("assistant", number, "live", *name) for number, name in enumerate(names)
    ]
    book.serve(rungs, (), monotonic())

    def append(record: Any) -> object:
        book.learn(record, monotonic())
        return encode(record)

    return append


class Found(msgspec.Struct):
    """What was measured of one case; each for one request.

    Attributes:
        cpu_us: CPU time.
        bytecodes: What the interpreter carried out.
        calls: Upstream calls.
    """

    cpu_us: float
    bytecodes: float
    calls: float


async def measure(case: str) -> Found:
    """Measure one case on the tree that is on the path."""
    gateways: ModuleType = import_module("tests.support.gateways")
    chats: ModuleType = import_module("tests.support.chats")
    made: list[Provider] = []

    def provider(scripts: object) -> Provider:
        del scripts
        made.append(Provider(chats.answer_body(), b"".join(chats.text_events("Hello", " there"))))
        return made[-1]

    gateways.ScriptedProvider = provider  # type: ignore[attr-defined]
    bench = gateways.gateway_bench(
        dict.fromkeys(names_of(case), ()), append=appending(), **extra(case)
    )
    stream = {"stream": True} if case.startswith("stream") else {}
    headers = {b"traceparent": TRACEPARENT} if case == "joined" else None
    asked = gateways.request(chats.chat_body(**stream), headers)
    handle = bench.gateway.handle

    async def ask(count: int) -> None:
        for _ in range(count):
            asked.received_s = monotonic()
            await handle(asked, Sink())

    await ask(WARM_UP)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # as gateways have it
    before = sum(one.calls for one in made)
    least_s = float("inf")
    for _ in range(ROUNDS):
        began_s = process_time()
        await ask(REQUESTS)
        least_s = min(least_s, process_time() - began_s)
    calls = sum(one.calls for one in made) - before
    bytecodes = await traced(ask)
    return Found(least_s / REQUESTS * 1e6, bytecodes, calls / (ROUNDS * REQUESTS))


async def traced(ask: Callable[[int], Coroutine[None, None, None]]) -> float:
    """Return how many bytecodes one request takes."""
    seen = 0

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal seen
        del arg
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        seen += event == "opcode"
        return trace

    sys.settrace(trace)
    try:
        await asyncio.ensure_future(ask(TRACED))
    finally:
        sys.settrace(None)
    return seen / TRACED


def names_of(case: str) -> tuple[str, ...]:
    """Return the names of the providers of ``case``, one live rung each."""
    count = 3 if case == "three" else 2 if case.endswith("two") else 1
    return ("first", "second", "third")[:count]


def extra(case: str) -> dict[str, Any]:
    """Return what else the bench of ``case`` is told."""
    if case in {"traced", "joined"}:
        tracing = import_module("steadyhand.gateway.tracing")
        return {"tracing": tracing.Tracing(is_on=True)}
    if case == "undrawn" or case.endswith("sampled"):
        return {"gear": sampling(1e-12 if case == "undrawn" else 1.0)}
    if case != "stored":
        return {}
    live = import_module("steadyhand.routing.rungs.live")
    situation = import_module("steadyhand.routing.planning.situation")
    settings = live.Settings(provider="first", model="first-model")
    stored = Empty(situation.Cost(20, 50, 100))
    return {"rungs": lambda ports: (live.build(settings, ports), stored)}


def sampling(probability: float) -> Any:
    """Return the gear of a gateway that samples answers; they are encoded, and go nowhere."""
    samples = import_module("steadyhand.gateway.climb.samples")
    sample = import_module("steadyhand.evals.grounding.sample")
    gear = import_module("steadyhand.gateway.climb.gear")
    terms = {"assistant": sample.Terms(probability, 60.0)}
    put = msgspec.msgpack.Encoder().encode
    return gear.Gear(samples=samples.Samples(terms, bytes(32), 98_304, put))


def ask_tree(tree: Path, case: str) -> Found | None:
    """Return what a process on ``tree`` has measured, ``None`` if it has no such rungs."""
    path = os.pathsep.join((str(tree), str(tree / "src")))
    command = [sys.executable, "-P", __file__, "--case", case]
    said = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, check=True
    ).stdout
    return msgspec.json.decode(said, type=Found) if said else None


def compare(trees: list[Path], passes: int, cases: list[str]) -> None:
    """Print a row for each case and a column for each tree."""
    print(f"| µs, bytecodes, calls | {' | '.join(tree.name for tree in trees)} |")
    print("|---" * (len(trees) + 1) + "|")
    for case in cases:
        best: list[Found | None] = [None] * len(trees)
        for _ in range(passes):
            for place, tree in enumerate(trees):
                found, held = ask_tree(tree, case), best[place]
                if held is None or (found is not None and found.cpu_us < held.cpu_us):
                    best[place] = found
        cells = [
            "" if one is None else f"{one.cpu_us:.1f}, {one.bytecodes:,.0f}, {one.calls:.3f}"
            for one in best
        ]
        print(f"| {CASES[case]} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Compare trees, or measure in the one that is on the path."""
    parser = argparse.ArgumentParser(description="CPU time of the whole handler, in memory.")
    parser.add_argument("trees", nargs="*", type=Path, help="worktrees of other commits")
    parser.add_argument("--passes", type=int, default=3, help="processes for each number")
    parser.add_argument("--only", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--case", choices=CASES, help="measure here, print JSON")
    chosen = parser.parse_args()
    if chosen.case:
        with suppress(ModuleNotFoundError, TypeError):  # this tree has no such rungs
            print(msgspec.json.encode(uvloop.run(measure(chosen.case))).decode())
        return
    own = Path(__file__).resolve().parents[1]
    compare([*(tree.resolve() for tree in chosen.trees), own], chosen.passes, chosen.only)


if __name__ == "__main__":
    main()
