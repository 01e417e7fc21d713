"""A browser's login over HTTP: by link, by token; what a cookie may do, and when it is over."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from steadyhand.app.registry import PrincipalsReader
from steadyhand.control.login import HEADER
from steadyhand.control.sessions import CODE_S, FAILURES, IDLE_S
from steadyhand.settings.principals import create_principal, revoke_principal
from steadyhand.settings.scaffold import write_workspace
from tests.support.commands import steadyhand
from tests.support.control_plane import Answer, RunningControl, running_control


class Watch:
    """A clock that is moved by hand."""

    now_s = 1_900_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "demo"
    write_workspace(root)
    return root


@pytest.fixture
def control(root: Path, watch: Watch) -> Iterator[RunningControl]:
    with running_control(root, clock=watch, principals=PrincipalsReader(root)) as running:
        yield running


def log_in(control: RunningControl, **proof: str) -> Answer:
    headers = {"content-type": "application/json"}
    return control.get("/api/v1/session", headers, method="POST", body=json.dumps(proof).encode())


def cookie_of(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    return answer.headers["set-cookie"].partition(";")[0]


def code(control: RunningControl, token: str = "") -> str:
    headers = {"authorization": f"Bearer {token or control.token}"}
    made = control.get("/api/v1/session/codes", headers, method="POST")
    assert made.status == 200, made.body
    return str(made.json["code"])


def test_a_link_logs_in_once_as_whom_it_was_made_for(control: RunningControl, root: Path) -> None:
    reader = create_principal(root, "ruth", ["reader"])
    made = code(control, reader)
    answer = log_in(control, code=made)
    assert answer.json == {"name": "ruth", "roles": ["reader"]}
    seen = control.get("/api/v1/whoami", {"cookie": cookie_of(answer)})
    assert seen.json == {"name": "ruth", "method": "session", "roles": ["reader"]}
    again = log_in(control, code=made)
    assert (again.status, again.json["error"]["code"]) == (401, "code_spent")


def test_a_cookie_is_out_of_reach_of_scripts_and_other_sites(control: RunningControl) -> None:
    header = log_in(control, token=control.token).headers["set-cookie"].lower()
    assert header.startswith(f"steadyhand_{control.port}=")
    assert "httponly" in header
    assert "samesite=strict" in header
    assert "path=/" in header
    assert "domain" not in header
    assert control.token not in header


def test_orders_with_a_cookie_alone_are_refused(control: RunningControl) -> None:
    cookie = cookie_of(log_in(control, token=control.token))
    bare = control.get("/api/v1/session/codes", {"cookie": cookie}, method="POST")
    assert (bare.status, bare.json["error"]["code"]) == (403, "header_missing")
    whole = control.get("/api/v1/session/codes", {"cookie": cookie, HEADER: "1"}, method="POST")
    assert whole.status == 200
    foreign = {"cookie": cookie, HEADER: "1", "origin": "http://evil.example"}
    assert control.get("/api/v1/session/codes", foreign, method="POST").status == 403


def test_who_only_reads_gives_no_orders_with_a_cookie_either(
    control: RunningControl, root: Path
) -> None:
    reader = create_principal(root, "ruth", ["reader"])
    cookie = cookie_of(log_in(control, token=reader))
    answer = control.get(
        "/api/v1/drills/runs", {"cookie": cookie, HEADER: "1"}, method="POST", body=b"{}"
    )
    assert answer.status in {403, 404}  # drills are not served here; an order never runs
    assert control.get("/api/v1/requests", {"cookie": cookie}).status == 200


def test_logging_out_ends_the_session(control: RunningControl) -> None:
    cookie = cookie_of(log_in(control, token=control.token))
    out = control.get("/api/v1/session", {"cookie": cookie}, method="DELETE")
    assert out.status == 204
    over = control.get("/api/v1/whoami", {"cookie": cookie})
    assert (over.status, over.json["error"]["code"]) == (401, "session_over")


def test_a_session_is_over_in_time_and_with_its_token(
    control: RunningControl, watch: Watch, root: Path
) -> None:
    cookie = cookie_of(log_in(control, token=control.token))
    watch.now_s += IDLE_S + 1
    assert control.get("/api/v1/whoami", {"cookie": cookie}).status == 401
    reader = create_principal(root, "ruth", ["reader"])
    cookie = cookie_of(log_in(control, token=reader))
    revoke_principal(root, "ruth")
    over = control.get("/api/v1/whoami", {"cookie": cookie})
    assert (over.status, over.json["error"]["code"]) == (401, "session_over")


def test_a_link_is_soon_too_old(control: RunningControl, watch: Watch) -> None:
    made = code(control)
    watch.now_s += CODE_S + 1
    assert log_in(control, code=made).status == 401


@pytest.mark.parametrize("proof", [{}, {"code": "x"}, {"token": "x"}, {"token": ""}])
def test_nothing_lets_nobody_in(control: RunningControl, proof: dict[str, str]) -> None:
    answer = log_in(control, **proof)
    assert answer.status == 401
    assert "set-cookie" not in answer.headers


def test_guessing_is_stopped(control: RunningControl) -> None:
    for _ in range(FAILURES):
        assert log_in(control, token="shc_guess").status == 401
    refused = log_in(control, token=control.token)
    assert refused.status == 429
    assert int(refused.headers["retry-after"]) > 0


def test_a_session_that_somebody_chose_is_none(control: RunningControl) -> None:
    chosen = f"steadyhand_{control.port}=chosen"
    answer = log_in(control, token=control.token)
    assert cookie_of(answer) != chosen
    assert control.get("/api/v1/whoami", {"cookie": chosen}).status == 401


def test_the_command_prints_a_link_that_lets_in(control: RunningControl) -> None:
    said = steadyhand("console", "--url", control.url, workspace=control.workspace)
    assert said.returncode == 0, said.stderr
    link = said.stdout.strip()
    assert link.startswith(f"{control.url}/login#code=")
    assert "once" in said.stderr
    assert log_in(control, code=link.partition("#code=")[2]).status == 200
    told = steadyhand("console", "--json", "--url", control.url, workspace=control.workspace)
    assert set(json.loads(told.stdout)) == {"url", "expires_s"}
