"""The command line as a process, against a control plane on a socket."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import steadyhand
from tests.support.control_plane import RunningControl, running_control
from tests.support.made_records import made, ship
from tests.support.tree import PACKAGE


def asked(control: RunningControl, *arguments: str) -> subprocess.CompletedProcess[str]:
    return steadyhand(*arguments, "--url", control.url, workspace=control.workspace)


def test_a_list_on_a_pipe_is_tab_separated_with_notes_apart(control: RunningControl) -> None:
    done = asked(control, "requests", "list", "--limit", "3")
    assert done.returncode == 0
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == ["req_0009", "req_0008", "req_0007"]
    assert lines[2][4:7] == ["floor", "200", "template"]
    assert done.stderr == "showing 3 of 9; --limit shows more\n"


def test_a_list_is_filtered_and_written_as_json(control: RunningControl) -> None:
    done = asked(
        control, "requests", "list", "--route", "support", "--outcome", "answered",
        "--provider", "backup", "--status", "200", "--tenant", "shop", "--rung", "live",
        "--since", "2030-03-17T17:46:43Z", "--until", "2030-03-17T17:46:45Z",
        "--json=request_id,total_us",
    )  # fmt: skip
    assert done.returncode == 0
    assert json.loads(done.stdout) == [
        {"request_id": "req_0004", "total_us": 1_956_000},
        {"request_id": "req_0003", "total_us": 1_956_000},
    ]


def test_a_list_longer_than_a_page_is_fetched_whole(tmp_path: Path) -> None:
    with running_control(tmp_path) as control:
        ship(control.store, [made(number) for number in range(450)])
        done = asked(control, "requests", "list", "--limit", "420", "--json=request_id")
    assert len({row["request_id"] for row in json.loads(done.stdout)}) == 420
    assert done.stderr == "showing 420 of 450; --limit shows more\n"


def test_an_empty_list_is_no_error(control: RunningControl) -> None:
    done = asked(control, "requests", "list", "--tenant", "nobody")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "no requests match\n")


def test_one_request_is_shown_and_explained(control: RunningControl) -> None:
    shown = asked(control, "requests", "show", "req_0001")
    assert "total_us           1956000\n" in shown.stdout
    assert "✓ backup/gpt-slow" in shown.stdout
    explained = asked(control, "requests", "explain", "req_0001")
    assert explained.stdout.startswith(
        "support · abababababab · answered, first content in 1,241 of 2,500 ms, all in 1,956 ms\n"
    )
    last = asked(control, "requests", "show", "last", "--json")
    assert json.loads(last.stdout)["request_id"] == "req_0009"


def test_routes_and_upstreams_are_listed_and_shown(control: RunningControl) -> None:
    routes = asked(control, "routes", "list", "--output", "csv").stdout.splitlines()
    assert routes[0] == "route,slo,first ms,whole ms,rungs,floor"
    assert routes[1] == "labels,instant,150,150,live openai/gpt-fast,error"
    shown = asked(control, "routes", "show", "support").stdout
    assert shown.splitlines()[0].endswith("first content 1,500 ms, whole answer 10,000 ms")
    assert "  2. live backup/gpt-slow · not proven (gave_up)\n" in shown
    upstreams = asked(control, "upstreams", "list", "--output", "md")
    slow = r"gpt-slow \| closed \| 25% \| drift, \w+ ago \| 973 \| 1,200 \| 8 \| 0 "
    assert re.search(slow, upstreams.stdout)
    assert "| spare | simulated | - | unknown | - | - | - | - | 0 | 0 | - | - |" in upstreams.stdout
    assert upstreams.stderr == "attempts of the last 5 minutes\n"
    spare = asked(control, "upstreams", "show", "openai", "--quiet")
    assert "gpt-fast: 0 ok, 17 failed (gave_up 9, rate_limited 8)" in spare.stdout
    assert spare.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [["requests", "show", "req_none"], ["routes", "show", "none"], ["upstreams", "show", "none"]],
)
def test_what_does_not_exist_is_exit_code_3(control: RunningControl, arguments: list[str]) -> None:
    done = asked(control, *arguments)
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("error[not_found]: no ")
    assert "explain: steadyhand explain not_found" in done.stderr


def test_a_name_with_odd_characters_is_a_name_and_not_a_path(control: RunningControl) -> None:
    for name in ("../../healthz", "a?b=c", "ü/ö", "%2e"):
        assert asked(control, "routes", "show", name).returncode == 3


def test_a_bad_value_is_exit_code_2_with_the_servers_words(control: RunningControl) -> None:
    done = asked(control, "requests", "list", "--outcome", "good", "--json")
    assert done.returncode == 2
    error = json.loads(done.stderr)["error"]
    assert error["code"] == "invalid_parameter"
    assert "'outcome'" in error["message"]


def test_a_wrong_token_is_exit_code_4(control: RunningControl) -> None:
    done = steadyhand(
        "routes", "list", "--url", control.url,
        environment={"STEADYHAND_CONTROL_TOKEN": "shc_wrong"},
    )  # fmt: skip
    assert done.returncode == 4
    assert done.stderr.startswith("error[invalid_token]: ")
    assert "hint: " in done.stderr


def test_no_token_is_exit_code_4_and_says_where_it_was_looked_for(
    control: RunningControl, tmp_path: Path
) -> None:
    done = steadyhand("routes", "list", "--url", control.url, workspace=tmp_path)
    assert done.returncode == 4
    assert done.stderr.startswith("error[not_logged_in]: ")
    assert "control.token" in done.stderr


def test_the_token_is_found_by_file_by_environment_and_by_workspace(
    control: RunningControl, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(f"{control.token}\n")
    (tmp_path / "steadyhand.toml").write_text(
        f'[server]\nstate_dir = "var"\ncontrol_port = {control.port}\n'
    )
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "control.token").write_text(control.token)
    environment = {
        "STEADYHAND_CONTROL_TOKEN": control.token,
        "STEADYHAND_CONTROL_URL": control.url,
    }
    ways = [
        steadyhand("routes", "list", "--url", control.url, "--token-file", str(tmp_path / "token")),
        steadyhand("routes", "list", environment=environment),
        steadyhand("routes", "list", "--workspace", str(tmp_path)),  # which says the port too
    ]
    assert [done.returncode for done in ways] == [0, 0, 0]


def test_nobody_listening_is_exit_code_5_with_a_hint() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = steadyhand(
        "requests", "list", "--url", f"http://127.0.0.1:{port}",
        environment={"STEADYHAND_CONTROL_TOKEN": "shc_any"},
    )  # fmt: skip
    assert done.returncode == 5
    assert "connection refused" in done.stderr
    assert "hint: start one with steadyhand serve" in done.stderr


def test_silence_is_exit_code_124() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        done = steadyhand(
            "requests", "list", "--timeout", "0.3", "--url", f"http://127.0.0.1:{port}",
            environment={"STEADYHAND_CONTROL_TOKEN": "shc_any"},
        )  # fmt: skip
    assert done.returncode == 124
    assert "did not answer within 0.3 s" in done.stderr


def test_somebody_else_answering_is_exit_code_5(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>hello</h1>")
    script = (
        "import http.server, sys\n"
        "server = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\n"
        "print(server.server_port, flush=True)\n"
        "server.serve_forever()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as other:
        assert other.stdout is not None
        port = other.stdout.readline().strip()
        done = steadyhand(
            "requests", "list", "--url", f"http://127.0.0.1:{port}",
            environment={"STEADYHAND_CONTROL_TOKEN": "shc_any"},
        )  # fmt: skip
        other.kill()
    assert done.returncode == 5
    assert done.stderr.startswith("error[not_a_control_plane]: ")


def test_tail_shows_each_request_once_as_it_comes_until_interrupted(
    tmp_path: Path,
) -> None:
    with running_control(tmp_path) as control:
        ship(control.store, [made(1), made(2)])
        command = [
            sys.executable, "-m", "steadyhand", "requests", "tail", "--since", "2030-01-01T00:00Z",
            "--json=request_id", "--url", control.url, "--workspace", str(tmp_path),
        ]  # fmt: skip
        with subprocess.Popen(
            command,
            env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as tail:
            assert tail.stdout is not None
            first = [json.loads(tail.stdout.readline())["request_id"] for _ in range(2)]
            ship(control.store, [made(4), made(3)], after=2)  # the older one arrives later
            later = [json.loads(tail.stdout.readline())["request_id"] for _ in range(2)]
            tail.send_signal(signal.SIGINT)
            rest = tail.stdout.read()
    assert (first, later, rest) == (["req_0001", "req_0002"], ["req_0003", "req_0004"], "")
    assert tail.returncode == 130


def test_a_reader_that_leaves_ends_the_command_quietly(control: RunningControl) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$0" -m steadyhand requests list --json --url "$1" | head -c 1',
         sys.executable, control.url],
        cwd=control.workspace,
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("[", "")


def test_the_last_of_no_requests_is_exit_code_3(tmp_path: Path) -> None:
    with running_control(tmp_path) as control:
        done = asked(control, "requests", "show", "last")
    assert done.returncode == 3
    assert done.stderr.startswith("error[not_found]: there are no requests yet\n")
