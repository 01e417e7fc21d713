"""Events: who listens gets them in order, what was missed, and is never waited for."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from steadyhand.control import events
from steadyhand.control.events import KEPT, MOST_WAITING, Hub, while_open
from steadyhand.core.event_stream import Sent, read_events


def hub() -> Hub:
    return Hub(lambda: 1.0)


async def take(stream: AsyncIterator[bytes], count: int) -> list[Sent]:
    found: list[Sent] = []
    async for chunk in stream:
        found += read_events(chunk.splitlines(keepends=True))
        if len(found) >= count:
            break
    return found


async def opened(stream: AsyncIterator[bytes]) -> None:
    assert await anext(stream) == b": steadyhand\n\n"


async def test_what_happens_is_told_in_order_from_any_thread() -> None:
    here = hub()
    stream = here.listen(frozenset(), None)
    await opened(stream)
    here.tell("registry", {"action": "promote"})
    await asyncio.to_thread(here.tell, "snapshot", {"version": 7})
    first, second = await take(stream, 2)
    assert (first.kind, json.loads(first.data)) == ("registry", {"action": "promote"})
    assert (second.kind, second.number) == ("snapshot", first.number + 1)


async def test_leases_are_for_those_who_ask() -> None:
    here = hub()
    quiet, asking = here.listen(frozenset(), None), here.listen(frozenset({"lease"}), None)
    await opened(quiet)
    await opened(asking)
    here.tell("lease", {"until_us": 1})
    here.tell("sync", {})
    assert [one.kind for one in await take(quiet, 1)] == ["sync"]
    assert [one.kind for one in await take(asking, 1)] == ["lease"]


async def test_who_comes_back_gets_what_was_missed() -> None:
    here = hub()
    for number in range(3):
        here.tell("registry", {"n": number})
    stream = here.listen(frozenset(), 1002)
    assert [one.number for one in await take(stream, 1)] == [1003]
    nothing = here.listen(frozenset(), 1003)
    await opened(nothing)
    here.tell("registry", {})
    assert [one.number for one in await take(nothing, 1)] == [1004]


async def test_what_is_not_kept_any_more_is_said_to_be_lost() -> None:
    here = hub()
    for number in range(KEPT + 5):
        here.tell("registry", {"n": number})
    first, second = await take(here.listen(frozenset(), 1001), 2)
    assert (first.kind, second.number) == ("lost", 1006)


async def test_who_reads_too_slowly_is_cut_off_and_told() -> None:
    here = hub()
    stream = here.listen(frozenset(), None)
    await opened(stream)
    for number in range(MOST_WAITING + 1):
        here.tell("registry", {"n": number})
    await asyncio.sleep(0)
    found = await take(stream, MOST_WAITING + 1)
    assert found[-1].kind == "lost"
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_quiet_stream_has_a_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.01)
    stream = hub().listen(frozenset(), None)
    await opened(stream)
    assert await anext(stream) == b": still here\n\n"


async def test_streams_end_when_the_process_stops() -> None:
    here = hub()
    stream = here.listen(frozenset(), None)
    await opened(stream)
    waiting: asyncio.Task[Any] = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    here.close()
    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_a_stream_ends_with_what_opened_it_and_before_the_next_event() -> None:
    here, is_open = hub(), True
    stream = while_open(here.listen(frozenset(), None), lambda: is_open)
    await opened(stream)
    here.tell("registry", {"number": 1})
    assert b"registry" in await anext(stream)
    is_open = False
    here.tell("registry", {"number": 2})
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert not here._readers
