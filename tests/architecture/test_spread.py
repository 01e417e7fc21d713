"""``tests/support/spread.py``: what goes to a worker together, and that alone means alone."""

import fcntl
import socket
from itertools import combinations, islice
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.support.ports import RANGE, candidates, free_port, is_free
from tests.support.spread import Machine, place_of, scope_of
from tests.support.tree import ROOT

MODULE = """
    import pytest, time
    from pathlib import Path

    def note(text):
        with open({notes!r}, "a") as file:
            file.write(text + "\\n")

    @pytest.mark.parametrize("number", range(20))
    def test_beside(number):
        note("beside begins")
        time.sleep(0.02)
        note("beside ends")

    @pytest.mark.alone
    def test_alone():
        note("alone begins")
        time.sleep(0.3)
        note("alone ends")

    def test_after():
        note("beside begins")
        note("beside ends")
"""


def test_a_file_goes_to_one_worker_and_what_is_dear_as_a_folder() -> None:
    assert scope_of("tests/unit/core/test_ids.py::test_x[a::b]") == "tests/unit/core/test_ids.py"
    chart = "tests/integration/deploy/test_chart.py::test_x"
    assert scope_of(chart) == scope_of("tests/integration/deploy/test_image.py::test_y")
    assert place_of(chart) < place_of("tests/integration/http/test_tls.py::test_x")
    assert place_of("tests/fault/test_x.py::test_x") < place_of("tests/unit/test_x.py::test_x")


def test_an_owner_waits_for_sharers_and_those_who_come_later_for_the_owner(tmp_path: Path) -> None:
    order: list[str] = []
    waits = Event()

    def own() -> None:
        machine = Machine(tmp_path)
        waits.set()
        with machine.held(fcntl.LOCK_EX):
            order.append("owner")

    def share() -> None:
        with Machine(tmp_path).held(fcntl.LOCK_SH):
            order.append("late")

    first, second = Machine(tmp_path), Machine(tmp_path)
    with first.held(fcntl.LOCK_SH), second.held(fcntl.LOCK_SH):
        owner, late = Thread(target=own), Thread(target=share)
        owner.start()
        assert waits.wait(30)
        owner.join(0.2)
        late.start()
        late.join(0.2)
        assert not order, "two share, nobody owns"
    owner.join(30)
    late.join(30)
    assert order == ["owner", "late"]


def test_nothing_runs_beside_a_test_that_is_alone(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notes = tmp_path / "notes"
    source = MODULE.format(notes=str(notes))
    pytester.makepyfile(test_one=source, test_two=source)
    result = pytester.runpytest_subprocess(
        *("-n", "2", "-p", "tests.support.spread", "-p", "no:cacheprovider")
    )
    result.assert_outcomes(passed=44)
    lines = notes.read_text().splitlines()
    starts = [place for place, line in enumerate(lines) if line == "alone begins"]
    assert len(starts) == 2
    for place in starts:
        assert lines[place + 1] == "alone ends"
        assert lines[:place].count("beside begins") == lines[:place].count("beside ends")
    assert "\nbeside begins\nbeside begins\n" in notes.read_text(), "two workers ran at once"


def test_ports_are_outside_the_kernels_range_and_never_given_twice() -> None:
    given = [free_port() for _ in range(30)]
    assert len(set(given)) == 30
    assert max(given) < int(RANGE.read_text().split()[0])


def test_workers_share_no_port_and_a_taken_one_is_passed_over() -> None:
    shares = [set(islice(candidates(32_768, worker, 7), 2_000)) for worker in range(4)]
    assert all(one.isdisjoint(other) for one, other in combinations(shares, 2))
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        assert not is_free(port)
    assert is_free(port)
