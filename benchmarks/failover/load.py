"""Play all cases against one gateway, in a process of its own.

``python -m benchmarks.failover.load PLAN`` reads a plan (JSON), warms every route up while its
deployments are healthy, prints ``{"event": "warm"}`` and waits for a line on its input. Then it
plays the cases, one after the other: it prints ``{"event": "next"}`` before each and waits for a
line again, and prints one line of JSON for each as it ends.

Within a case requests are due at fixed times, streams and whole answers in turn, whatever became of
the ones before. The next case begins when every request of the one before has ended or can no
longer be in time, so that a case does not suffer from its neighbour.
"""

import asyncio
import gc
import itertools
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from benchmarks.failover import cases
from benchmarks.failover.cases import Case
from benchmarks.failover.client import Client
from benchmarks.failover.scoring import ALLOWANCE_US, WHOLE_US, score
from benchmarks.load import raise_file_limit

_LEAST = 6
"""Requests of a case at least, however low its rate."""


class Step(msgspec.Struct):
    """What is played at a time: one case, or several of which each request draws one."""

    name: str
    cases: list[str]


class Plan(msgspec.Struct):
    """What to send to whom.

    Attributes:
        url: Where to.
        headers: Sent with every request.
        marked_by: Response header by which the gateway says that no model answered, or empty.
        rate: Requests a second.
        seconds: How long each case is played.
        warm: Requests for each route and form before anything breaks.
        steps: What is played, in order.
        more: Case → form (``stream`` or ``whole``) → further headers.
        prepared: What the gateway may say by itself, if it marks it.
        repeats: A tenth of the requests repeats one that was answered while everything was well,
            and a tenth asks what has a curated answer.
        closed_s: Instead of all this, find out how many requests a second are answered.
    """

    url: str
    headers: dict[str, str]
    marked_by: str
    rate: float
    seconds: float
    warm: int
    steps: list[Step]
    more: dict[str, dict[str, dict[str, str]]]
    prepared: list[str] = msgspec.field(default_factory=lambda: [cases.PREPARED])
    repeats: bool = False
    closed_s: float = 0.0


Row = tuple[bool, int, str, str, bool, int, int]
"""Whether a stream; sent at, monotonic nanoseconds; then the fields of a score."""


class Player:
    """Plays cases of one plan."""

    def __init__(self, plan: Plan, numbers: Iterator[int]) -> None:
        """Give each request the next of ``numbers``."""
        self._plan = plan
        self._client = Client(plan.url, plan.headers, plan.marked_by)
        self._numbers = numbers
        self._asked: dict[str, list[int]] = {}
        self.latest_us = 0

    async def ask(
        self, case: Case, rows: list[Row], *, stream: bool, number: int | None = None
    ) -> None:
        """Send one request, the next one if it has no ``number``; add its score to ``rows``."""
        body = cases.body(case, next(self._numbers) if number is None else number, stream=stream)
        form = "stream" if stream else "whole"
        more = self._plan.more.get(case.name, {}).get(form, {})
        sent_ns, response = await self._client.ask(body, more)
        found = score(response, cases.answers(case, body), self._plan.prepared, stream=stream)
        rows.append(
            (
                stream,
                sent_ns,
                found.kind,
                found.why,
                found.is_valid,
                found.first_us,
                found.ended_us,
            )
        )

    async def warm(self, case: Case) -> list[Row]:
        """Ask while everything is well."""
        rows: list[Row] = []
        for place in range(2 * self._plan.warm):
            number = next(self._numbers)
            self._asked.setdefault(case.name, []).append(number)
            await self.ask(case, rows, stream=place % 2 == 0, number=number)
        return rows

    def _number(self, case: Case, draw: random.Random) -> int | None:
        """Return which request is to be repeated; ``None`` for a new one."""
        chance = draw.random() if self._plan.repeats else 1.0
        if chance < 0.1:
            return draw.choice(self._asked.get(case.name) or [cases.CURATED])
        return cases.CURATED if chance < 0.2 else None

    async def play(self, mixed: Sequence[Case]) -> tuple[list[Row], set[asyncio.Task[None]]]:
        """Send what is due; return the rows and what is still under way past its time."""
        rate = min(case.most_per_s or self._plan.rate for case in mixed)
        rate = min(rate, self._plan.rate)
        rows: list[Row] = []
        tasks: set[asyncio.Task[None]] = set()
        draw = random.Random(1)
        begun_s = time.monotonic()
        for place in range(max(_LEAST, round(rate * self._plan.seconds))):
            due_s = begun_s + place / rate
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            self.latest_us = max(self.latest_us, int((time.monotonic() - due_s) * 1e6))
            case = draw.choice(mixed)
            asked = self.ask(case, rows, stream=place % 2 == 0, number=self._number(case, draw))
            task = asyncio.create_task(asked)
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        if tasks:
            await asyncio.wait(tasks, timeout=(WHOLE_US + ALLOWANCE_US) / 1e6)
        return rows, set(tasks)

    async def closed(self, case: Case) -> float:
        """Return how many requests a second come back if 16 are always under way."""
        rows: list[Row] = []
        end_s = time.monotonic() + self._plan.closed_s

        async def go_on(place: int) -> None:
            for turn in itertools.count(place):
                if time.monotonic() >= end_s:
                    return
                await self.ask(case, rows, stream=turn % 2 == 0)

        begun_s = time.monotonic()
        await asyncio.gather(*(go_on(place) for place in range(16)))
        good = sum(row[2] == "A" for row in rows)
        return good / (time.monotonic() - begun_s)


def say(event: str, **fields: Any) -> None:
    """Print one line of JSON."""
    print(json.dumps({"event": event, **fields}), flush=True)


async def main_async(plan: Plan) -> None:
    """Play ``plan``."""
    steps = [(step.name, cases.chosen(step.cases)) for step in plan.steps]
    player = Player(plan, itertools.count(1))
    if plan.closed_s:
        await player.warm(steps[0][1][0])
        say("capacity", per_s=await player.closed(steps[0][1][0]))
        return
    unwell = []
    for case in {case.name: case for _, mixed in steps for case in mixed}.values():
        rows = await player.warm(case) if case.first else []
        unwell += [f"{case.name}: {row[3]}" for row in rows if row[2] != "A"]
    say("warm", unwell=unwell)
    await asyncio.to_thread(sys.stdin.readline)
    gc.collect()
    gc.freeze()
    waiting = []
    for name, mixed in steps:
        say("next", case=name)
        await asyncio.to_thread(sys.stdin.readline)
        rows, late = await player.play(mixed)
        if late:
            waiting.append((name, rows, late))
        else:
            say("case", case=name, rows=rows)
    for name, rows, late in waiting:
        await asyncio.wait(late)
        say("case", case=name, rows=rows)
    say("end", latest_us=player.latest_us)


def main() -> None:
    """Run from the command line."""
    raise_file_limit()
    plan = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    uvloop.run(main_async(plan))


if __name__ == "__main__":
    main()
