"""A gateway process runs out of files, or meets a client that does not read."""

import os
import resource
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.support.chats import DONE, chunk, event, says, stops
from tests.support.installations import (
    FLOOR_TEXT,
    Installation,
    chat_request,
    route_text,
)
from tests.support.programs import eventually
from tests.support.raw_client import Line

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
MANY = 24


def leave_no_file_free(pid: int) -> None:
    """Let a process open no further file; one that it has closed since is taken away, too."""
    numbers = {int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir()}
    lowest_free = min(set(range(max(numbers) + 2)) - numbers)
    hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest_free, hard))


@contextmanager
def no_more_files(pid: int) -> Iterator[None]:
    """Let a process open no further file."""
    former = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    leave_no_file_free(pid)
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, former)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def scraped(house: Installation, name: str) -> float:
    with Line(house.control_port) as line:
        text = line.ask("GET", "/metrics", {"Host": "localhost"}).body.decode()
    return sum(float(one.rpartition(" ")[2]) for one in text.splitlines() if one.startswith(name))


def test_without_files_for_providers_the_floor_speaks_and_says_why(
    module_house: Installation,
) -> None:
    house = module_house
    house.write("routes/unopened.toml", route_text("hurried/steady"))
    with house.line() as line:
        line.send(chat_request("up/steady"))
        assert line.answer().status == 200
        with no_more_files(house.gateway_pid()):
            line.send(chat_request("unopened"))
            answer = line.answer()

            def is_counted() -> bool:
                leave_no_file_free(house.gateway_pid())  # a segment of its log was open, perhaps
                return scraped(house, "steadyhand_open_files_exhausted_total") > 0

            eventually(is_counted, "the metric")
        assert (answer.status, answer.text()) == (200, FLOOR_TEXT)
        record = house.record(answer.request_id)
        assert [one["reason"] for one in record["attempts"]] == ["out_of_files"]
        line.send(chat_request("unopened"))
        assert line.answer().text() != FLOOR_TEXT, "the provider is not blamed"


@pytest.mark.alone  # a loop that spins is known by the core that it fills, if it gets one
def test_without_files_for_clients_the_listener_neither_spins_nor_dies(
    module_house: Installation,
) -> None:
    house, pid = module_house, module_house.gateway_pid()
    with ExitStack() as stack:
        with no_more_files(pid):
            waiting = [stack.enter_context(house.line()) for _ in range(MANY)]
            began_s, used_s = monotonic(), cpu_s(pid)
            sleep(2)
            busy = (cpu_s(pid) - used_s) / (monotonic() - began_s)
        assert busy < 0.5, "it does not try again and again"
        assert len(waiting) == MANY
    assert house.gateway_pid() == pid
    eventually(lambda: house.ask("up/steady").status == 200, "new clients to be taken")


def test_a_client_that_does_not_read_costs_a_bounded_buffer(own_house: Installation) -> None:
    """The provider would send 60 MB; the gateway reads on only as the client does."""
    house, pid = own_house, own_house.gateway_pid()
    part = event(chunk(says("x" * 60_000)))
    script = house.canned.stream(*[part] * 1000, event(chunk(stops())) + DONE)
    assert house.ask("up/steady").status == 200
    before_mb = resident_mb(pid)
    with house.line() as line:
        line.send(chat_request(f"canned/{script.model}", stream=True))
        answer = line.head()
        eventually(lambda: scraped(house, "steadyhand_http_write_pauses_total") > 0, "a pause")
        sleep(1)
        assert resident_mb(pid) - before_mb < 20
        line.rest(answer)
        assert answer.is_whole
        assert len(answer.body) > 60_000_000
        assert answer.body.endswith(DONE)
