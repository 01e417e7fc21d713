"""A gateway process is killed under load: one window of records at most, and a quick return."""

import os
import signal
from time import monotonic, sleep

import pytest

from tests.support.chats import DONE
from tests.support.installations import Installation, Upstreams, chat_request, serving
from tests.support.load import Load, loaded
from tests.support.programs import children, eventually, listens
from tests.support.raw_client import Answer, Line

WINDOW_S = 0.1
"""``records.window_ms`` of these installations: what a killed process may lose."""

STALL_S = 2.0
"""What a machine under test may add between an answer and the record being written."""


def test_at_most_the_stated_window_of_records_is_lost(
    tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEADYHAND_RECORDS__WINDOW_MS", str(int(WINDOW_S * 1000)))
    folder = tmp_path_factory.mktemp("killed")
    with serving(folder, upstreams) as house, loaded(house, clients=4) as load:
        first = house.gateway_pid()
        eventually(lambda: len(load.answered) > 300, "load")
        sleep(STALL_S)
        killed_s = monotonic()
        os.kill(first, signal.SIGKILL)
        house.serve.says(r"gateway 0 ended with -9; starting it again")
        eventually(lambda: load.since(killed_s + 0.5) > 200, "clients to go on")
        load.stop.set()
        assert house.gateway_pid() != first
        assert not load.refused

        eventually(lambda: not missing(house, load, of_first=False), "the new process's records")
        lost = missing(house, load, of_first=True)
        made = sorted(request_id for request_id in load.answered if of(request_id, load))
        assert lost <= set(made[-len(lost) - 8 :]), "only the last ones"
        ages_s = [killed_s - load.answered[request_id] for request_id in lost]
        assert all(age_s < WINDOW_S + STALL_S for age_s in ages_s), "only of the last window"
        assert set(house.stored().values()) == {1}


def of(request_id: str, load: Load) -> bool:
    """Tell whether the process that answered first has made this id: its tag is at the end."""
    return request_id[-8:] == next(iter(load.answered))[-8:]


def missing(house: Installation, load: Load, *, of_first: bool) -> set[str]:
    """Return the answered requests, of the first process or of later ones, without a record."""
    without = load.answered.keys() - house.stored().keys()
    return {request_id for request_id in without if of(request_id, load) is of_first}


def test_streams_of_the_other_process_go_on_and_broken_ones_are_not_called_whole(
    tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEADYHAND_SERVER__PROCESSES", "2")
    folder = tmp_path_factory.mktemp("two")
    with serving(folder, upstreams) as house:
        lines = [Line(house.port) for _ in range(16)]
        answers: list[Answer] = []
        for line in lines:
            line.send(chat_request("up/drip:gap_ms=150,tokens=12", stream=True))
        for line in lines:
            answers.append(line.head())
            line.piece(answers[-1])
        gateways = [pid for pid in children(house.serve.pid) if listens(pid, house.port)]
        assert len(gateways) == 2
        os.kill(gateways[0], signal.SIGKILL)
        broken = 0
        for line, answer in zip(lines, answers, strict=True):
            try:
                line.rest(answer)
            except ConnectionError:
                broken += 1
                continue
            finally:
                line.close()
            broken += not answer.is_whole
            assert answer.is_whole == answer.body.endswith(DONE)
        assert 0 < broken < 16
        eventually(lambda: len(house.ask("up/steady").body) > 0, "an answer")
