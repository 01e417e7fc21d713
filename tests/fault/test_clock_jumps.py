"""The wall clock is set, or the machine stands still: deadlines hold, and nothing goes blind.

Deadlines, health and time-outs run on the monotonic clock, which setting the time does not touch.
What looks at the wall clock (records, ids, proofs, the status file) bears a jump either way.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from time import sleep, time
from typing import Any

import pytest

from tests.support.installations import (
    FLOOR_TEXT,
    Installation,
    Upstreams,
    chat_request,
    route_text,
    serving,
)
from tests.support.programs import eventually
from tests.support.raw_client import Line
from tests.support.shifted_clock import FILE, Clock

DAY_S = 86_400
ROUTES = {
    "routes/failing.toml": route_text("up/error-500", "up/steady"),
    "routes/floors.toml": route_text("up/error-500"),
}


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clock]:
    path = tmp_path_factory.mktemp("clock") / "offset"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FILE, str(path))
        yield Clock(path)


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams, clock: Clock
) -> Iterator[Installation]:
    del clock
    folder = tmp_path_factory.mktemp("jumping")
    with serving(folder, upstreams, ROUTES, module="tests.support.shifted_clock") as made:
        yield made


def metric(house: Installation, name: str) -> float | None:
    with Line(house.control_port) as line:
        text = line.ask("GET", "/metrics", {"Host": "localhost"}).body.decode()
    found = [row for row in text.splitlines() if row.startswith((f"{name} ", f"{name}{{"))]
    return float(found[0].rpartition(" ")[2]) if found else None


def answers(house: Installation) -> list[dict[str, Any]]:
    """Ask each route, plain and streamed; return the records."""
    asked = []
    for route, text in (("answers", ""), ("failing", ""), ("floors", FLOOR_TEXT)):
        for stream in (False, True):
            answer = house.ask(route, stream=stream)
            assert (answer.status, answer.is_whole) == (200, True)
            assert text in answer.body.decode()
            asked.append(answer.request_id)
    return [house.record(request_id) for request_id in asked]


def test_a_clock_that_is_set_changes_no_answer_and_blinds_nobody(
    house: Installation, clock: Clock
) -> None:
    seen: list[str] = []
    for offset_s in (0, DAY_S, -DAY_S, 0):
        clock.set(offset_s)
        records = answers(house)
        for record in records:
            off_s = record["received_us"] / 1e6 - time()
            assert abs(off_s - offset_s) < DAY_S / 4, "the clock was not set"
            assert record["in_time"] is True
            assert 0 < record["total_us"] < record["budget_us"]
            starts = [(each["started_us"], each["ended_us"]) for each in record["attempts"]]
            assert all(0 <= began <= ended for began, ended in starts)
        seen += [record["request_id"] for record in records]
        eventually(
            lambda: metric(house, "steadyhand_status_fresh") == 1,
            f"a fresh status with the clock {offset_s} s off",
        )
        assert metric(house, "steadyhand_gateway_up") == 1
    assert len(set(seen)) == len(seen), "an id was given twice"
    eventually(lambda: house.stored().keys() >= set(seen), "all records in the database")
    assert set(house.stored().values()) == {1}


def test_a_workspace_changed_under_a_clock_that_was_set_back_is_taken_over(
    house: Installation, clock: Clock
) -> None:
    clock.set(-DAY_S)
    house.write("routes/floors.toml", route_text("up/error-503"))
    clock.set(0)
    house.write("routes/floors.toml", route_text("up/error-500"))


def test_a_machine_that_stood_still_answers_late_honestly_and_trusts_its_provider_still(
    house: Installation,
) -> None:
    """A stopped process is what a suspended machine looks like: only the clock went on."""
    pid = house.gateway_pid()
    answers(house)
    with ExitStack() as stack:
        lines = [stack.enter_context(house.line()) for _ in range(4)]
        for line in lines:
            line.send(chat_request("up/slow:ttft_ms=1000"))
        os.kill(pid, signal.SIGSTOP)
        sleep(2.0)  # what they wait for comes meanwhile, and is read late
        os.kill(pid, signal.SIGCONT)
        assert [line.answer().status for line in lines] == [200] * len(lines)
    assert house.gateway_pid() == pid
    _, upstream = house.rest("/upstreams/up")
    states = {
        row["model"]: row["health"] and row["health"]["state"] for row in upstream["deployments"]
    }
    assert states["steady"] == "closed", "what it did meanwhile is not held against it"
    after = answers(house)
    assert [record["rung"] for record in after if record["route"] == "answers"] == ["live"] * 2
    assert all(record["in_time"] for record in after)
