"""Who gets in: token, Host, Origin; and what stands open on purpose."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from steadyhand.control.guard import SECURITY_HEADERS
from steadyhand.core.errors import ConfigurationError
from steadyhand.http.listening import listen
from tests.support.control_plane import RunningControl, running_control

OPS = "https://ops.example"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningControl]:
    folder = tmp_path_factory.mktemp("workspace")
    with running_control(folder, allowed_origins=frozenset({OPS})) as running:
        yield running


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic dXNlcjpwYXNz", "shc_no_scheme"],
)
@pytest.mark.parametrize("path", ["/requests", "/requests/x", "/routes", "/upstreams", "/snapshot"])
def test_without_the_token_nothing_is_shown(
    control: RunningControl, path: str, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    answer = control.get(f"/api/v1{path}", headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="steadyhand"'
    assert answer.json["error"]["code"] == "invalid_token"


def test_the_scheme_may_be_written_in_lower_case(control: RunningControl) -> None:
    answer = control.get("/api/v1/whoami", {"authorization": f"bearer {control.token}"})
    assert answer.status == 200


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/api/v1/whoami", "/nowhere"])
@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("evil.example", None, 421),
        ("evil.example", "http://evil.example", 421),
        ("127.0.0.1", "http://evil.example", 403),
        ("localhost", "null", 403),
    ],
)
def test_foreign_hosts_and_origins_are_refused_everywhere(
    strict: RunningControl, path: str, host: str, origin: str | None, status: int
) -> None:
    headers = {"host": host, "authorization": f"Bearer {strict.token}"}
    answer = strict.get(path, headers | ({"origin": origin} if origin else {}))
    assert answer.status == status
    assert set(answer.json["error"]) == {"code", "message", "hint", "request_id"}


def test_pages_of_its_own_and_listed_origins_get_in(strict: RunningControl) -> None:
    token = {"authorization": f"Bearer {strict.token}"}
    for origin in (strict.url, OPS):
        assert strict.get("/api/v1/whoami", token | {"origin": origin}).status == 200


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/api/v1/whoami", "/nowhere"])
def test_every_answer_carries_the_headers_that_keep_browsers_out(
    control: RunningControl, path: str
) -> None:
    headers = control.get(path).headers
    assert {name: headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


def test_health_and_metrics_ask_for_no_token(control: RunningControl) -> None:
    assert control.get("/healthz").json["status"] == "live"
    metrics = control.get("/metrics")
    assert metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert metrics.body.endswith(b"steadyhand_up 1\n")
    ready = control.get("/readyz")
    assert (ready.status, ready.json["status"]) == (200, "ready")
    assert {check["name"] for check in ready.json["checks"]} == {"database", "snapshot"}


async def stopped() -> str:
    return "the shipper has stopped"


def test_readiness_names_what_is_missing(tmp_path: Path) -> None:
    with running_control(tmp_path, snapshot=lambda: None, probes={"shipper": stopped}) as control:
        with control.store._database.write() as connection:
            connection.exec_driver_sql("DROP TABLE records")
        answer = control.get("/readyz")
        reasons = {check["name"]: check["reason"] for check in answer.json["checks"]}
        assert (answer.status, answer.json["status"]) == (503, "not_ready")
        assert reasons["shipper"] == "the shipper has stopped"
        assert reasons["snapshot"] == "no snapshot has been published yet"
        assert "no such table" in reasons["database"]
        assert control.get("/healthz").status == 200
        assert control.ask("/requests").json["error"]["code"] == "database_unavailable"
        routes = control.ask("/routes")
        assert (routes.status, routes.json["error"]["code"]) == (503, "nothing_published")


def broken() -> bytes:
    raise RuntimeError("a secret detail")


def test_a_bug_leaves_in_the_one_shape_and_is_logged_with_its_id(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_control(tmp_path, metrics=broken) as control, caplog.at_level(logging.ERROR):
        answer = control.get("/metrics")
    assert (answer.status, answer.json["error"]["code"]) == (500, "internal_error")
    assert "a secret detail" not in answer.body.decode()
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.json["error"]["request_id"] in caplog.text
    assert "a secret detail" in caplog.text


def test_a_port_that_is_taken_is_named() -> None:
    holder = listen("127.0.0.1", 0)
    with holder, pytest.raises(ConfigurationError, match=r"cannot listen on 127\.0\.0\.1:"):
        listen("127.0.0.1", holder.getsockname()[1])
