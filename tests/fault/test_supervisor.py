"""The supervisor ends, killed or asked to; and cannot start where something stands in the way."""

import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.installations import Installation, chat_request, marker
from tests.support.programs import Program, children, eventually, is_running
from tests.support.raw_client import Answer


def test_children_stop_by_themselves_when_the_supervisor_is_killed(
    own_house: Installation,
) -> None:
    family = children(own_house.serve.pid)
    assert len(family) == 2
    sent = own_house.ask("up/steady").request_id
    own_house.serve.signal(signal.SIGKILL)
    assert own_house.serve.exit_code() == -signal.SIGKILL
    eventually(lambda: not any(map(is_running, family)), "the children to stop")
    assert own_house.stored()[sent] == 1, "they stopped in order: the last record was shipped"
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", own_house.port))


def test_a_polite_end_finishes_what_is_in_flight_and_ships_it(own_house: Installation) -> None:
    house, word = own_house, marker()

    def ask() -> Answer:
        with house.line() as line:
            line.send(chat_request("up/slow:ttft_ms=1000", user=word))
            return line.answer()

    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(ask)
        house.upstream(word)
        house.serve.signal(signal.SIGTERM)
        answer = pending.result(30)
    assert (answer.status, answer.is_whole) == (200, True)
    assert answer.headers["connection"] == "close"
    assert house.serve.exit_code() == 0
    assert house.stored()[answer.request_id] == 1


@pytest.mark.parametrize("flag", ["--port", "--control-port"])
def test_a_port_that_is_taken_is_named_and_ends_with_1(tmp_path: Path, flag: str) -> None:
    assert Program(tmp_path, "init", "init", tmp_path / "demo").exit_code() == 0
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ports = {"--port": "0", "--control-port": "0"} | {flag: port}
        arguments = [text for pair in ports.items() for text in pair]
        serve = Program(tmp_path, "serve", "serve", "--workspace", tmp_path / "demo", *arguments)
        assert serve.exit_code() == 1
    assert f"cannot listen on 127.0.0.1:{port}" in serve.err
    assert flag in serve.err
    assert "Traceback" not in serve.err


def test_a_second_installation_on_the_same_port_does_not_share_its_traffic(
    own_house: Installation, tmp_path: Path
) -> None:
    assert Program(tmp_path, "init", "init", tmp_path / "demo").exit_code() == 0
    ports = ("--port", str(own_house.port), "--control-port", "0")
    second = Program(tmp_path, "serve", "serve", "--workspace", tmp_path / "demo", *ports)
    assert second.exit_code() == 1
    assert own_house.ask("up/steady").status == 200


def test_a_workspace_with_a_mistake_does_not_start(tmp_path: Path) -> None:
    assert Program(tmp_path, "init", "init", tmp_path / "demo").exit_code() == 0
    (tmp_path / "demo/routes/bad.toml").write_text('slo = "nowhere"\n[floor]\nkind = "error"\n')
    serve = Program(
        tmp_path, "serve", "serve", "--workspace", tmp_path / "demo", "--port", "0",
        "--control-port", "0",
    )  # fmt: skip
    assert serve.exit_code() != 0
    assert "routes/bad.toml" in serve.err
