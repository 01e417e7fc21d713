"""Whole installations on a disk that fails: what fails closed, what goes on, and what is lost.

The clients keep the ledger: every answer that came back whole under 200 was acknowledged. Under
``strict`` each of them must stand in the database exactly once, whatever was killed or broken.
"""

import os
import resource
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic

import pytest

from tests.support import faulty
from tests.support.faulty import fault
from tests.support.installations import Installation, Upstreams, route_text, serving
from tests.support.load import Load, loaded
from tests.support.programs import eventually
from tests.support.raw_client import Line

HASTY = """
[slo.hasty]
first_content_ms = 400
whole_ms = 400
stream_cap_ms = 30000
"""
"""A class whose budget a test can wait for."""

GENEROUS_S = 10.0
"""Proves that a wait is bounded, on a machine that may be slow."""


class House:
    """An installation and its disk."""

    def __init__(self, made: Installation, faults: Path, durability: str) -> None:
        self.made = made
        self.faults = faults
        self.is_strict = durability == "strict"

    @contextmanager
    def broken(self, *names: str) -> Iterator[None]:
        with ExitStack() as stack:
            for name in names:
                stack.enter_context(fault(self.faults, name))
            yield

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples with these labels."""
        with Line(self.made.control_port) as line:
            text = line.ask("GET", "/metrics", {"Host": "localhost"}).body.decode()
        rows = [row.rpartition(" ") for row in text.splitlines() if row.startswith(f"{name}{{")]
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(float(row[2]) for row in rows if all(each in row[0] for each in wanted))

    def recovers(self) -> None:
        eventually(lambda: self.made.ask("up/steady").status == 200, "an answer")


@contextmanager
def house(
    durability: str, tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams
) -> Iterator[House]:
    folder = tmp_path_factory.mktemp(durability)
    faults = folder / "faults"
    faults.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(faulty.FOLDER, str(faults))
        patch.setenv("STEADYHAND_RECORDS__DURABILITY", durability)
        patch.setenv("STEADYHAND_RECORDS__SYNC_TIMEOUT_MS", "2000")
        with serving(folder, upstreams, module="tests.support.faulty") as made:
            made.write("steadyhand.toml", (made.root / "steadyhand.toml").read_text() + HASTY)
            made.write("routes/hasty.toml", route_text("up/steady", slo="hasty"))
            yield House(made, faults, durability)


@pytest.fixture(scope="module")
def batched(tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams) -> Iterator[House]:
    with house("batched", tmp_path_factory, upstreams) as made:
        yield made


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams) -> Iterator[House]:
    with house("strict", tmp_path_factory, upstreams) as made:
        yield made


@pytest.fixture(params=["batched", "strict"])
def either(request: pytest.FixtureRequest) -> House:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, House)
    return found


def settled(made: Installation, load: Load) -> None:
    """Hold the clients' ledger against the database."""
    acknowledged = set(load.answered)
    assert acknowledged
    eventually(lambda: acknowledged <= made.stored().keys(), "every acknowledged answer")
    assert set(made.stored().values()) == {1}, "none twice"


@pytest.mark.parametrize("name", ["pwrite.fail", "fdatasync.fail"])
def test_a_disk_that_is_full_or_fails(either: House, name: str) -> None:
    made = either.made
    before = made.ask("up/steady")
    with either.broken(name):
        began_s = monotonic()
        answers = [made.ask("up/steady") for _ in range(5)]
        assert monotonic() - began_s < GENEROUS_S
        if either.is_strict:
            assert {answer.status for answer in answers} == {503}
            assert {answer.error["code"] for answer in answers} == {"records_unavailable"}
            assert {answer.headers["retry-after"] for answer in answers} == {"1"}
        else:
            assert {answer.status for answer in answers} == {200}
        eventually(
            lambda: either.metric("steadyhand_record_log_flush_failures_total") > 0, "the metric"
        )
    either.recovers()
    for answer in (before, *answers):
        record = made.record(answer.request_id)
        assert record["status"] == answer.status
        assert record["reason"] == (
            "records_unavailable" if answer.status == 503 else "first_choice"
        )
    if either.is_strict:
        refused = either.metric("steadyhand_record_log_refused_total", reason="failing")
        assert refused >= len(answers)
    assert set(made.stored().values()) == {1}


def test_one_failed_sync_costs_no_answer(either: House) -> None:
    failures = either.metric("steadyhand_record_log_flush_failures_total")
    with fault(either.faults, "fdatasync.fail-once") as flag:
        answer = either.made.ask("up/steady")
        assert answer.status == 200
        eventually(lambda: not flag.exists(), "the failure")
        assert either.made.record(answer.request_id)["outcome"] == "answered"
    eventually(
        lambda: either.metric("steadyhand_record_log_flush_failures_total") == failures + 1,
        "the metric",
    )


def test_a_disk_that_stalls(either: House) -> None:
    made = either.made
    with either.broken("fdatasync.stall"):
        began_s = monotonic()
        answers = [made.ask("hasty") for _ in range(3)]
        assert monotonic() - began_s < GENEROUS_S
        assert {answer.status for answer in answers} == ({503} if either.is_strict else {200})
        if either.is_strict:
            assert answers[0].error["code"] == "records_unavailable"
            eventually(
                lambda: either.metric("steadyhand_record_log_sync_age_seconds") > 0, "the metric"
            )
    either.recovers()
    for answer in answers:  # what was written before the wait ended may be seen until it is mended
        eventually(lambda a=answer: made.record(a.request_id)["status"] == a.status, "the truth")  # type: ignore[misc]
    assert set(made.stored().values()) == {1}
    if either.is_strict:
        assert either.metric("steadyhand_record_log_refused_total", reason="stalled") > 0


def test_a_stream_whose_record_cannot_be_written_says_so(strict: House) -> None:
    model = "up/drip:gap_ms=100,tokens=8"
    with strict.made.begin(model, stream=True) as (line, answer):
        line.piece(answer)
        with strict.broken("fdatasync.fail"):
            line.rest(answer)
    assert answer.is_whole, "the framing is; the events say what happened"
    assert b"records_unavailable" in answer.body
    assert b"[DONE]" not in answer.body
    strict.recovers()
    record = strict.made.record(answer.request_id)
    assert (record["outcome"], record["reason"]) == ("truncated", "records_unavailable")
    assert strict.made.stored()[answer.request_id] == 1


def test_a_file_size_limit_stands_in_for_a_full_disk(strict: House) -> None:
    """The kernel itself refuses, in the gateway process, whatever it has made beforehand."""
    made, pid = strict.made, strict.made.gateway_pid()
    hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
    assert made.ask("up/steady").status == 200
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        answers = [made.ask("up/steady") for _ in range(3)]
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert {answer.status for answer in answers} == {503}
    strict.recovers()
    assert [made.record(answer.request_id)["status"] for answer in answers] == [503] * 3


def test_a_gateway_killed_between_intent_and_record_leaves_one_interrupted(strict: House) -> None:
    made = strict.made
    before = made.gateway_pid()
    with made.begin("up/drip:gap_ms=200,tokens=40", stream=True) as (line, answer):
        line.piece(answer)
        os.kill(before, signal.SIGKILL)
        eventually(lambda: made.gateway_pid() != before, "the next gateway process")
    record = made.record(answer.request_id)
    assert (record["outcome"], record["provider"], record["stream"]) == ("interrupted", "up", True)
    assert made.stored()[answer.request_id] == 1
    assert strict.metric("steadyhand_requests_total", outcome="interrupted") == 1


@pytest.mark.parametrize("stalls", [False, True])
def test_killed_under_load_nothing_acknowledged_is_lost_or_doubled(
    strict: House, stalls: bool
) -> None:
    made = strict.made
    with loaded(made, clients=6) as load:
        for _ in range(3):
            known = len(load.answered)
            eventually(lambda known=known: len(load.answered) > known + 60, "load")  # type: ignore[misc]
            before = made.gateway_pid()
            if stalls:
                with strict.broken("fdatasync.stall"):
                    eventually(
                        lambda: strict.metric("steadyhand_record_log_sync_age_seconds") > 0,
                        "clients that wait for the disk",
                    )
                    os.kill(before, signal.SIGKILL)
            else:
                os.kill(before, signal.SIGKILL)
            eventually(lambda before=before: made.gateway_pid() != before, "the next")  # type: ignore[misc]
    settled(made, load)


def test_a_database_deleted_under_load_takes_nothing_that_comes_after(strict: House) -> None:
    """Nobody is restarted: the shipper makes the next one."""
    made = strict.made
    with loaded(made, clients=2) as load:
        eventually(lambda: len(load.answered) > 50, "load")
        for path in (made.root / ".steadyhand").glob("steadyhand.db*"):
            path.unlink()
        deleted_s = monotonic()
        eventually(lambda: load.since(deleted_s) > 50, "clients to go on")
    assert not load.refused
    after = {each for each, done_s in load.answered.items() if done_s > deleted_s}
    eventually(lambda: after <= stored_now(made).keys(), "every answer since")
    assert set(made.stored().values()) == {1}


def stored_now(made: Installation) -> Counter[str]:
    """Return what is stored; nothing while there is no database, or none of ours yet."""
    try:
        return made.stored()
    except sqlite3.OperationalError:
        return Counter()
