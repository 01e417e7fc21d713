"""Gateways are reloaded and replaced while clients ask: nobody notices."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import monotonic

import pytest

from tests.support.installations import KEY, Installation, Upstreams, chat_request, serving
from tests.support.load import Load, loaded
from tests.support.programs import Program, children, eventually, is_running, listens
from tests.support.raw_client import Line

KINDS = ("kept", "kept", "fresh", "stream")
ROLLS = 3
RELOADS = 50


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams) -> Iterator[Installation]:
    """An installation with two gateway processes and a patient drain."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEADYHAND_SERVER__PROCESSES", "2")
        patch.setenv("STEADYHAND_SERVER__DRAIN_S", "20")
        with serving(tmp_path_factory.mktemp("pair"), upstreams) as made:
            yield made


def gateways(house: Installation) -> set[int]:
    return {pid for pid in children(house.serve.pid) if listens(pid, house.port)}


def scraped(house: Installation, name: str) -> float:
    """Return the sum of a metric's samples whose name and labels begin so."""
    with Line(house.control_port) as line:
        text = line.ask("GET", "/metrics", {"Host": "localhost"}).body.decode()
    lines = [line for line in text.splitlines() if line.startswith(name)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def test_no_request_fails_over_fifty_reloads(pair: Installation) -> None:
    before, path = gateways(pair), pair.root / "keys.toml"
    draft = path.with_name("keys.draft")
    with loaded(pair, 1, KINDS) as load:
        for _ in range(RELOADS):
            logged = len(pair.serve.err)
            draft.write_text(path.read_text() + "\n")
            draft.replace(path)  # never seen half written
            pair.serve.signal(signal.SIGHUP)
            taken = partial(says_twice, pair, "serving snapshot", logged)
            eventually(taken, "both processes to take it over")
        answered = len(load.answered)
    assert not load.refused
    assert not load.broken
    assert answered > RELOADS
    assert gateways(pair) == before


def says_twice(house: Installation, words: str, after: int) -> bool:
    return house.serve.err[after:].count(words) >= 2


def has_answered(load: Load, since_s: float) -> bool:
    return load.since(since_s) > 100


def are_gone(pids: set[int]) -> bool:
    return not any(map(is_running, pids))


def test_no_request_fails_over_rolling_restarts(pair: Installation, tmp_path: Path) -> None:
    with loaded(pair, 2, KINDS) as load:
        for number in range(ROLLS):
            before, since_s = gateways(pair), monotonic()
            assert len(before) == 2
            restart = Program(tmp_path, f"restart-{number}", "restart", "--workspace", pair.root)
            assert restart.exit_code() == 0, restart.err
            assert restart.out.count("replaced by") == 2
            eventually(partial(are_gone, before), "the old ones to end")
            assert not gateways(pair) & before
            eventually(partial(has_answered, load, since_s), "answers")
    assert not load.refused
    assert not load.broken
    eventually(
        lambda: (
            scraped(pair, 'steadyhand_gateway_restarts_total{process="0",reason="rolled"}') == ROLLS
        ),
        "the metric",
    )
    assert scraped(pair, "steadyhand_gateway_drained_requests_total") >= 1
    assert scraped(pair, 'steadyhand_gateway_drained_requests_total{outcome="cut"') == 0
    for request_id in list(load.answered)[-1:]:
        pair.record(request_id)


def test_sighup_with_changed_process_settings_rolls(pair: Installation) -> None:
    path, before = pair.root / "steadyhand.toml", gateways(pair)
    path.write_text(path.read_text().replace("max_body_bytes = ", "max_body_bytes = 2048 #", 1))
    pair.serve.signal(signal.SIGHUP)
    eventually(lambda: len(gateways(pair)) == 2 and not gateways(pair) & before, "new processes")
    body = b'{"model": "up/steady", "messages": [], "user": "' + b"x" * 4096 + b'"}'
    with pair.line() as line:
        line.send(chat_request("", body=body))
        assert line.answer().status == 413


def test_connections_wait_while_their_gateway_is_away(own_house: Installation) -> None:
    """Nothing answers between death and return, and yet nobody is refused."""
    for _ in range(3):
        pid = own_house.gateway_pid()
        os.kill(pid, signal.SIGKILL)
        eventually(partial(are_gone, {pid}), "the process to be gone")
        lines = [own_house.line() for _ in range(8)]
        for line in lines:
            line.send(chat_request("up/steady"))
        assert {line.answer().status for line in lines} == {200}
        for line in lines:
            line.close()


def test_a_successor_that_does_not_start_ends_the_roll_and_nothing_else(
    own_house: Installation, tmp_path: Path
) -> None:
    house, before = own_house, own_house.gateway_pid()
    for name in ("current", "previous"):
        (house.root / f".steadyhand/snapshot/{name}.snapshot").write_bytes(b"damaged")
    restart = Program(tmp_path, "restart", "restart", "--workspace", house.root)
    assert restart.exit_code() == 1
    assert "restart_failed" in restart.err
    house.serve.says("rolling restart stopped: the successor of gateway 0")
    assert house.gateway_pid() == before
    assert house.ask("up/steady").status == 200
    metric = "steadyhand_gateway_roll_failures_total"
    eventually(lambda: scraped(house, metric) == 1, "the metric")
    house.serve.signal(signal.SIGHUP)  # publishes again: now a successor can start
    eventually(lambda: "serving snapshot" in house.serve.err, "the reload")
    again = Program(tmp_path, "again", "restart", "--workspace", house.root)
    assert again.exit_code() == 0, again.err
    assert house.ask("up/steady", key=KEY).status == 200


def test_restart_says_when_nobody_serves(tmp_path: Path) -> None:
    assert Program(tmp_path, "init", "init", tmp_path / "demo").exit_code() == 0
    restart = Program(tmp_path, "restart", "restart", "--workspace", tmp_path / "demo")
    assert restart.exit_code() != 0
    assert "not_serving" in restart.err
