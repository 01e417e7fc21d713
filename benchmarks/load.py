"""Load one address over HTTP/1.1 from one thread, for a bounded time, and say what came back.

``python -m benchmarks.load --url URL ...`` prints one line of JSON; all times in microseconds.

- *Closed loop* (default): each connection sends its next request when it has its answer. It tells
  how much a target can do.
- *Open loop* (``--rate``): requests are due at fixed times, whatever became of the earlier ones,
  and latency counts from the time a request was **due**. A target that stalls is charged for
  everything that had to wait, which a closed loop would never have sent.
- *Streams* (``--events``): each answer must have exactly so many events, and the delay of each is
  the time since :mod:`benchmarks.mock_upstream` stamped it.

A request is an error unless it came back whole, with status 200 and content. What had not come
back :data:`GRACE_S` after the end is unanswered: the target could not keep up.
"""

import argparse
import asyncio
import gc
import json
import resource
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from math import inf
from time import monotonic_ns
from typing import Any
from urllib.parse import urlsplit

import uvloop

from benchmarks.connections import OK, Connection, close_all
from benchmarks.prompts import chat_body, marker, numbers, request_head, split_at_number
from benchmarks.ticks import Ticks

GRACE_S = 2.0
"""How long requests may take to come back once the time is over."""

_GOLDEN = 0.618033988749895
"""Multiples of it, modulo 1, fall evenly: paced streams started so do not beat in step."""

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Plan:
    """One load.

    Attributes:
        url: Where to; loopback only.
        headers: Further header lines.
        connections: How many, all opened before the first request.
        rate: Requests per second of an open loop, or ``None``.
        events: Events of each stream, or ``None`` for plain answers.
        gap_us: Between two events of a stream.
        warm_s: Time at the beginning that is not counted.
        counted_s: Time that is.
        spread_s: Time over which the connections of a closed loop start.
        padding: Characters to add to the prompt.
        answer_chars: Length of a plain answer's text, or ``None`` for the mock's own.
        budget_s: Within it a good answer is whole, or a good stream has begun; later ones are
            late, and no error.
        may_refuse: Whether 503 is a refusal, counted by itself, and no error.
        questions: How many different ones there are, asked in turn; 0 for no two the same.
    """

    url: str
    headers: tuple[str, ...]
    connections: int
    rate: float | None
    events: int | None
    gap_us: int
    warm_s: float
    counted_s: float
    spread_s: float
    padding: int = 0
    answer_chars: int | None = None
    budget_s: float = inf
    may_refuse: bool = False
    questions: int = 0

    def request(self) -> bytes:
        """Return the request, with a place for its number."""
        parts = urlsplit(self.url)
        if self.events is not None:
            mark = marker(events=self.events, gap_us=self.gap_us)
        else:
            mark = "" if self.answer_chars is None else marker(chars=self.answer_chars)
        body = chat_body(mark, stream=self.events is not None, padding=self.padding)
        return request_head(parts.path, parts.netloc, self.headers, len(body)) + body


class Load:
    """The state of one run: who is idle, what is due, what was counted."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._before, self._after = split_at_number(plan.request())
        self._numbers = cycle(range(plan.questions)) if plan.questions else numbers()
        self._latencies_ns: list[int] = []
        self._first_events_ns: list[int] = []
        self._delays_ns: list[int] = []
        self._refusals_ns: list[int] = []
        self._status = (200, 503) if plan.may_refuse else OK
        self._total = self._counted = self._errors = self._reconnects = 0
        self._problem = ""
        self._begin_ns = self._count_from_ns = self._end_ns = 0
        self._idle: list[Connection] = []
        self._due: deque[int] = deque()
        self._busy = 0
        self._over = asyncio.Event()

    async def run(self) -> dict[str, Any]:
        """Do it and return the result."""
        plan = self._plan
        connections = [Connection(plan.url, self) for _ in range(plan.connections)]
        await asyncio.gather(*(connection.open() for connection in connections))
        cpu_s = time.process_time()
        self._begin_ns = monotonic_ns()
        self._count_from_ns = self._begin_ns + int(plan.warm_s * 1e9)
        self._end_ns = self._count_from_ns + int(plan.counted_s * 1e9)
        self._start(connections)
        await asyncio.sleep(plan.warm_s + plan.counted_s)
        await self._come_back()
        cpu_s = time.process_time() - cpu_s
        result = self._result(cpu_s, (monotonic_ns() - self._begin_ns) / 1e9)
        await close_all(connections)
        return result

    def _start(self, connections: list[Connection]) -> None:
        loop = asyncio.get_running_loop()
        if self._plan.rate is None:
            for place, connection in enumerate(connections):
                after_s = self._plan.spread_s * (place * _GOLDEN % 1)
                loop.call_later(after_s, self._begin, connection)
        else:
            self._idle = connections
            period_ns = int(1e9 / self._plan.rate)
            Ticks(loop, self._begin_ns, period_ns, self._end_ns, self._tick)

    def _begin(self, connection: Connection) -> None:
        self._send(connection, monotonic_ns())

    async def _come_back(self) -> None:
        """Wait for what is under way, but not long."""
        if self._busy or self._due:
            try:
                await asyncio.wait_for(self._over.wait(), GRACE_S)
            except TimeoutError:
                return

    def _tick(self, due_ns: int) -> None:
        if self._idle:
            self._send(self._idle.pop(), due_ns)
        else:
            self._due.append(due_ns)

    def _send(self, connection: Connection, due_ns: int) -> None:
        if not connection.is_open:
            return
        self._busy += 1
        request = b"%b%012d%b" % (self._before, next(self._numbers), self._after)
        connection.send(due_ns, request, self._plan.events, self._status)

    def finished(self, connection: Connection, now_ns: int, problem: str) -> None:
        """Count an answer, and give ``connection`` its next request."""
        self._total += 1
        self._busy -= 1
        if problem:
            self._errors += 1
            self._problem = self._problem or problem
        elif self._count_from_ns <= now_ns < self._end_ns:
            if connection.status == 200:
                self._counted += 1
                self._latencies_ns.append(now_ns - connection.due_ns)
            else:
                self._refusals_ns.append(now_ns - connection.due_ns)
        if connection.is_open:
            self.ready(connection, now_ns)

    def ready(self, connection: Connection, now_ns: int) -> None:
        """Give ``connection`` what is due."""
        if self._due:
            self._send(connection, self._due.popleft())
        elif now_ns >= self._end_ns:
            if not self._busy:
                self._over.set()
        elif self._plan.rate is None:
            self._send(connection, now_ns)
        else:
            self._idle.append(connection)

    def lost(self, connection: Connection, now_ns: int) -> bool:
        """Open again as long as there is time; connections are part of what is measured."""
        self._reconnects += 1
        if connection in self._idle:
            self._idle.remove(connection)
        return now_ns < self._end_ns

    def streamed(self, connection: Connection, now_ns: int, stamps: Sequence[bytes]) -> None:
        """Count events."""
        if self._count_from_ns <= now_ns < self._end_ns:
            if not connection.events:
                self._first_events_ns.append(now_ns - connection.due_ns)
            self._delays_ns += [now_ns - int(stamp) for stamp in stamps]

    def _good(self) -> int:
        budget_ns = self._plan.budget_s * 1e9
        judged = self._latencies_ns if self._plan.events is None else self._first_events_ns
        return sum(latency_ns <= budget_ns for latency_ns in judged)

    def _result(self, cpu_s: float, window_s: float) -> dict[str, Any]:
        return {
            "per_s": self._counted / self._plan.counted_s,
            "good_per_s": self._good() / self._plan.counted_s,
            "refused_per_s": len(self._refusals_ns) / self._plan.counted_s,
            "refused_us": spread(self._refusals_ns),
            "events_per_s": len(self._delays_ns) / self._plan.counted_s,
            "total": self._total,
            "errors": self._errors,
            "problem": self._problem,
            "unanswered": self._busy + len(self._due),
            "reconnects": self._reconnects,
            "latency_us": spread(self._latencies_ns),
            "first_event_us": spread(self._first_events_ns),
            "event_delay_us": spread(self._delays_ns),
            "cpu_s": cpu_s,
            "window_s": window_s,
        }


def raise_file_limit() -> None:
    """Allow as many connections as this user may have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def spread(values_ns: list[int]) -> dict[str, float]:
    """Return percentiles in microseconds; empty if there is nothing to tell."""
    if not values_ns:
        return {}
    ordered = sorted(values_ns)
    last = len(ordered) - 1
    at = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {name: ordered[round(share * last)] / 1e3 for name, share in at.items()}


def read_plan(arguments: Sequence[str] | None = None) -> Plan:
    """Return the plan that a command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("--url", required=True)
    parser.add_argument("--header", action="append", default=[], help="for example 'X-Key: v'")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rate", type=float, help="requests per second of an open loop")
    parser.add_argument("--events", type=int, help="ask for streams of so many events")
    parser.add_argument("--gap-us", type=int, default=0, help="between two events of a stream")
    parser.add_argument("--warm", type=float, default=1.0, help="seconds that are not counted")
    parser.add_argument("--seconds", type=float, default=3.0, help="seconds that are")
    parser.add_argument("--spread", type=float, default=0.0, help="seconds to start over")
    parser.add_argument("--padding", type=int, default=0, help="characters to add to the prompt")
    parser.add_argument("--answer-chars", type=int, help="length of a plain answer's text")
    parser.add_argument("--budget-ms", type=float, default=inf, help="of a good answer")
    parser.add_argument("--may-refuse", action="store_true", help="503 is no error")
    parser.add_argument("--questions", type=int, default=0, help="different ones; 0: all differ")
    given = parser.parse_args(arguments)
    if urlsplit(given.url).hostname not in _LOOPBACK:
        parser.error("only loopback addresses are loaded")
    return Plan(
        url=given.url,
        headers=tuple(given.header),
        connections=given.connections,
        rate=given.rate,
        events=given.events,
        gap_us=given.gap_us,
        warm_s=given.warm,
        counted_s=given.seconds,
        spread_s=given.spread,
        padding=given.padding,
        answer_chars=given.answer_chars,
        budget_s=given.budget_ms / 1e3,
        may_refuse=given.may_refuse,
        questions=given.questions,
    )


async def run(plan: Plan) -> dict[str, Any]:
    """Run ``plan`` in the running loop."""
    return await Load(plan).run()


def main() -> None:
    """Run from the command line."""
    plan = read_plan()
    raise_file_limit()
    gc.disable()  # a run is short, and a collection in it would be charged to the target
    print(json.dumps(uvloop.run(run(plan))))


if __name__ == "__main__":
    main()
