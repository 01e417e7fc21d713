"""A browser's login over HTTP: by link, by token; what a cookie may do, and when it is over."""

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from steadyhand.app.registry import PrincipalsReader
from steadyhand.control.bodies import MOST_BYTES
from steadyhand.control.events import Hub
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
    assert whole.json["error"]["code"] != "header_missing"
    foreign = {"cookie": cookie, HEADER: "1", "origin": "http://evil.example"}
    refused = control.get("/api/v1/session/codes", foreign, method="POST")
    assert (refused.status, refused.json["error"]["code"]) == (403, "origin_not_allowed")


def test_a_session_begets_no_session(control: RunningControl) -> None:
    cookie = cookie_of(log_in(control, token=control.token))
    answer = control.get("/api/v1/session/codes", {"cookie": cookie, HEADER: "1"}, method="POST")
    assert (answer.status, answer.json["error"]["code"]) == (403, "token_wanted")


def test_behind_a_proxy_with_tls_the_cookie_is_for_tls_only(root: Path) -> None:
    origin = "https://ops.example"
    body = {"content-type": "application/json", "origin": origin}
    with running_control(root, allowed_origins=frozenset({origin})) as control:
        proof = json.dumps({"token": control.token}).encode()
        answer = control.get("/api/v1/session", body, method="POST", body=proof)
        assert "; secure" in answer.headers["set-cookie"].lower()
        out = body | {"cookie": cookie_of(answer)}
        gone = control.get("/api/v1/session", out, method="DELETE")
        assert "; secure" in gone.headers["set-cookie"].lower()
        assert "; secure" not in log_in(control, token=control.token).headers["set-cookie"].lower()


@pytest.mark.parametrize("how", ["logged out", "revoked"])
def test_a_stream_of_events_ends_with_what_opened_it(root: Path, watch: Watch, how: str) -> None:
    hub = Hub(watch)
    with running_control(
        root, clock=watch, principals=PrincipalsReader(root), events=hub
    ) as control:
        token = create_principal(root, "ruth", ["reader"])
        answer = log_in(control, token=token)
        cookie = {"cookie": cookie_of(answer)}
        proof = cookie if how == "logged out" else {"authorization": f"Bearer {token}"}
        connection = HTTPConnection("127.0.0.1", control.port, timeout=10)
        with closing(connection):
            connection.request("GET", "/api/v1/events", headers=proof)
            stream = connection.getresponse()
            assert stream.readline() == b": steadyhand\n"
            hub.tell("registry", {"number": 1})
            assert [stream.readline() for _ in range(4)][-1] == b'data: {"number":1}\n'
            if how == "logged out":
                control.get("/api/v1/session", cookie, method="DELETE")
            else:
                revoke_principal(root, "ruth")
            hub.tell("registry", {"number": 2})
            assert stream.read() == b"\n"
        hub.close()


@pytest.mark.parametrize("is_chunked", [False, True])
def test_who_is_unknown_cannot_fill_the_memory(control: RunningControl, is_chunked: bool) -> None:
    whole = b'{"token": "%s"}' % (b"x" * MOST_BYTES)
    connection = HTTPConnection("127.0.0.1", control.port, timeout=10)
    with closing(connection):
        connection.request(
            "POST",
            "/api/v1/session",
            iter([whole]) if is_chunked else whole,
            {"content-type": "application/json"},
            encode_chunked=is_chunked,
        )
        answer = connection.getresponse()
        assert (answer.status, json.load(answer)["error"]["code"]) == (413, "request_too_large")
    assert log_in(control, token=control.token).status == 200


@pytest.mark.parametrize("text", ["\ud800", "\u0000", "' OR 1=1 --", "<script>alert(1)</script>"])
def test_hostile_proofs_are_only_wrong(control: RunningControl, text: str) -> None:
    for proof in ({"token": text}, {"code": text}):
        answer = log_in(control, **proof)
        assert answer.status in {401, 422}
        assert answer.headers["content-type"] == "application/json"
        assert "<script" not in answer.body.decode()


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
