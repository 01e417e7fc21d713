"""``strict``: no byte of an answer leaves before the disk has its record, in bounded time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from steadyhand.gateway.ledger import StrictLedger
from steadyhand.http.failures import ConnectionLost
from steadyhand.records.commit import Commits
from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.records.record import Record
from steadyhand.routing.model import SloClass
from steadyhand.routing.rungs.template import Template
from tests.support.chats import DONE, answer_body, chat_body, text_events
from tests.support.disks import Disk, soon
from tests.support.gateways import GatewayBench, gateway_bench
from tests.support.records import logged
from tests.support.replies import MemoryReply
from tests.support.upstreams import answers, breaks, streams

STREAM = chat_body(stream=True)
PATIENCE_S = 20.0
BRIEF = SloClass("brief", first_content_ms=150, whole_ms=150, stream_cap_ms=60_000)


@dataclass
class House:
    """A gateway over a real record log on a disk that the test controls."""

    disk: Disk
    log: RecordLog
    commits: Commits
    folder: Path

    def bench(self, *scripts: Any, **more: Any) -> GatewayBench:
        ledger = StrictLedger(self.log.append, self.commits, 3)
        return gateway_bench({"first": scripts}, append=self.log.append, ledger=ledger, **more)

    async def entries(self) -> list[Record]:
        """Return what stands in the log once all of it is on disk."""
        await soon(lambda: self.log.flushed == self.log.appended)
        return logged(self.folder / self.log.writer)


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    disk = Disk(monkeypatch)
    log = RecordLog(tmp_path / "log", LogSettings(window_ms=20, reserve_bytes=64 * 1024))
    commits = Commits(log, asyncio.get_running_loop(), patience_s=PATIENCE_S)
    yield House(disk, log, commits, tmp_path / "log")
    disk.heal()
    await asyncio.to_thread(log.close)


async def silent_while(disk: Disk, reply: MemoryReply, body: bytes = b"") -> None:
    """Check that nothing beyond ``body`` leaves while a sync hangs."""
    await disk.reached()
    for _ in range(5):
        await asyncio.sleep(0.002)
        assert reply.body == body


async def test_a_plain_answer_waits_for_its_record(house: House) -> None:
    bench, reply = house.bench(answers()), MemoryReply()
    with house.disk.stalled():
        task = asyncio.ensure_future(bench.ask(reply=reply))
        await silent_while(house.disk, reply)
        assert reply.status == 0
    await task
    assert (reply.status, reply.body) == (200, answer_body())
    (entry,) = await house.entries()
    assert (entry.outcome, entry.status, entry.reason) == ("answered", 200, "first_choice")
    assert entry.response_bytes == len(answer_body())
    assert [attempt.reason for attempt in entry.attempts] == ["ok"]
    assert (entry.input_tokens, entry.supersedes) == (12, 0)
    assert house.log.syncs == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_what_the_floor_says_waits_for_its_record(house: House, stream: bool) -> None:
    bench = house.bench(breaks(ConnectionLost("gone")), floor=Template("prepared"))
    reply = MemoryReply()
    with house.disk.stalled():
        task = asyncio.ensure_future(bench.ask(chat_body(stream=stream), reply=reply))
        await silent_while(house.disk, reply)
    await task
    assert reply.status == 200
    (entry,) = await house.entries()
    assert (entry.outcome, entry.rung) == ("floor", "template")
    assert entry.response_bytes == len(reply.body)


async def test_a_stream_waits_twice_for_its_intent_and_for_its_record(house: House) -> None:
    gate = asyncio.Event()
    whole = text_events("Hel", "lo", with_usage=False)
    bench, reply = house.bench(streams(*whole)), HeldReply(gate)
    with house.disk.stalled():
        task = asyncio.ensure_future(bench.ask(STREAM, reply=reply))
        await silent_while(house.disk, reply)
        assert reply.status == 0
    await reply.reached.wait()
    assert reply.status == 200
    (intent,) = await house.entries()
    assert (intent.outcome, intent.rung, intent.provider) == ("interrupted", "live", "first")
    with house.disk.stalled():
        gate.set()
        await silent_while(house.disk, reply, b"".join(whole[:-1]))
    await task
    assert reply.body == b"".join(whole)
    _, record = await house.entries()
    assert (record.outcome, record.supersedes, record.status) == ("answered", 1, 200)
    assert record.response_bytes == len(reply.body)
    assert [attempt.reason for attempt in record.attempts] == ["ok"]


class HeldReply(MemoryReply):
    """A client that takes the first bytes and then nothing until its gate opens."""

    def __init__(self, gate: asyncio.Event) -> None:
        super().__init__()
        self.reached = asyncio.Event()
        self._gate = gate

    @override
    async def drain(self) -> None:
        self.reached.set()
        await self._gate.wait()


@pytest.mark.parametrize("stream", [False, True])
async def test_a_disk_that_stalls_is_a_503_inside_the_deadline(house: House, stream: bool) -> None:
    bench = house.bench(*([streams()] if stream else [answers()]), slo=BRIEF)
    with house.disk.stalled():
        reply = await bench.ask(chat_body(stream=stream))
        assert reply.status == 503
    assert reply.json()["error"]["code"] == "records_unavailable"
    assert reply.headers[b"retry-after"] == b"1"
    first, last = await house.entries()
    assert first.outcome == ("interrupted" if stream else "answered")
    assert (last.outcome, last.reason, last.status) == ("failed", "records_unavailable", 503)
    assert (last.supersedes, last.first_content_us, last.rung) == (1, 0, "error")
    assert [attempt.reason for attempt in last.attempts] == ["ok"], "the provider did its part"
    assert house.commits.refused["stalled"] == 1


async def test_a_stream_whose_record_cannot_be_written_does_not_end_in_done(house: House) -> None:
    house.commits.patience_s = 0.05
    gate = asyncio.Event()
    bench, reply = house.bench(streams()), HeldReply(gate)
    task = asyncio.ensure_future(bench.ask(STREAM, reply=reply))
    await reply.reached.wait()
    with house.disk.stalled():
        gate.set()
        await task
    assert DONE not in reply.body
    assert b'"code":"records_unavailable"' in reply.body
    assert reply.has_ended
    intent, written, last = await house.entries()
    assert (intent.outcome, written.outcome, written.supersedes) == ("interrupted", "answered", 1)
    assert (last.outcome, last.reason) == ("truncated", "records_unavailable")
    assert last.supersedes == 2


async def test_a_disk_that_fails_is_refused_before_a_provider_is_asked(house: House) -> None:
    bench = house.bench(answers(), answers())
    with house.disk.failing("pwrite"):
        replies = [await bench.ask(), await bench.ask()]
    assert [reply.status for reply in replies] == [503, 503]
    assert len(bench.providers["first"].replies) == 1, "the second costs no tokens"
    await soon(lambda: not house.log.is_failing)
    assert (await bench.ask()).status == 200
    outcomes = [(each.outcome, each.supersedes) for each in await house.entries()]
    assert outcomes == [("answered", 0), ("failed", 1), ("rejected", 0), ("answered", 0)]


async def test_a_client_that_leaves_while_its_record_is_written_has_left(house: House) -> None:
    bench = house.bench(answers())
    leaves = asyncio.Event()
    with house.disk.stalled():
        task = asyncio.ensure_future(bench.ask(leaves_when=leaves))
        await house.disk.reached()
        leaves.set()
        reply = await task
    assert not reply.started
    _, last = await house.entries()
    assert (last.outcome, last.status, last.supersedes) == ("client_gone", 200, 1)
    assert [attempt.reason for attempt in last.attempts] == ["client_gone"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (chat_body(model="nobody"), 404)],
)
async def test_errors_do_not_wait(house: House, body: bytes, status: int) -> None:
    bench = house.bench()
    with house.disk.stalled():
        assert (await bench.ask(body)).status == status


async def test_a_truncated_stream_supersedes_its_intent(house: House) -> None:
    steps = text_events("Hel", "lo")[:-2]
    bench = house.bench(streams(*steps))
    reply = await bench.ask(STREAM)
    assert b"stream_truncated" in reply.body
    intent, last = await house.entries()
    assert (last.outcome, last.supersedes) == ("truncated", 1)
    assert (intent.request_id, intent.provider) == (last.request_id, last.provider)
