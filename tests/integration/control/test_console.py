"""The console's files: what is sent for which address, how packed, and under which policy."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from steadyhand.control.console import accepted, kind_of
from tests.support.control_plane import RunningControl, running_control

INDEX = b"<!doctype html><title>Console</title>"
SCRIPT = b"export const answer = 42;\n"


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningControl]:
    root = tmp_path_factory.mktemp("console")
    static = root / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_bytes(INDEX)
    (static / "favicon.svg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    (static / "assets" / "main-abc.js").write_bytes(SCRIPT)
    (static / "assets" / "main-abc.js.gz").write_bytes(gzip.compress(SCRIPT))
    (root / "secret.txt").write_bytes(b"not yours")
    with running_control(root / "demo", console=static) as running:
        yield running


@pytest.mark.parametrize(
    "path", ["/", "/login", "/requests", "/requests/req_1", "/rollouts", "/rollouts/r1", "/break"]
)
def test_every_page_is_the_same_file_and_never_kept(console: RunningControl, path: str) -> None:
    answer = console.get(path)
    assert (answer.status, answer.body) == (200, INDEX)
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"


def test_a_page_may_load_nothing_from_elsewhere_and_run_nothing_inline(
    console: RunningControl,
) -> None:
    policy = console.get("/").headers["content-security-policy"]
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert parts["default-src"] == "'none'"
    assert parts["script-src"] == parts["style-src"] == parts["connect-src"] == "'self'"
    assert parts["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy
    assert "http" not in policy
    assert console.get("/").headers["x-content-type-options"] == "nosniff"


def test_files_with_a_name_of_their_own_are_kept_for_ever(console: RunningControl) -> None:
    plain = console.get("/assets/main-abc.js")
    assert (plain.status, plain.body) == (200, SCRIPT)
    assert "immutable" in plain.headers["cache-control"]
    assert plain.headers["content-type"].startswith("text/javascript")
    packed = console.get("/assets/main-abc.js", {"accept-encoding": "gzip, br"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == SCRIPT
    assert packed.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js",
        "/assets/../index.html",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/%2e%2e/secret.txt",
        "/assets/main-abc.js.gz",
        "/static/index.html",
        "/nowhere",
        "/api/v1/nowhere",
    ],
)
def test_what_is_no_file_of_the_build_is_not_found(console: RunningControl, path: str) -> None:
    answer = console.get(path, {"authorization": f"Bearer {console.token}"})
    assert answer.status == 404
    assert answer.json["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "path",
    [
        "/<script>alert(1)</script>",
        "/api/v1/requests/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "/api/v1/requests?route=%3Cimg%20src=x%20onerror=alert(1)%3E&limit=%3Csvg%3E",
        "/assets/%3Cscript%3E.html",
    ],
)
def test_what_an_answer_repeats_is_never_a_page(console: RunningControl, path: str) -> None:
    answer = console.get(path, {"authorization": f"Bearer {console.token}"})
    assert answer.status >= 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_an_open_page_sees_an_upgrade(console: RunningControl, tmp_path: Path) -> None:
    before = console.ask("/whoami").headers["x-steadyhand-build"]
    static = tmp_path / "static"
    static.mkdir()
    (static / "index.html").write_bytes(INDEX + b"\n")
    with running_control(tmp_path / "demo", console=static) as other:
        assert other.ask("/whoami").headers["x-steadyhand-build"] != before


def test_without_a_build_a_page_says_how_to_make_one(tmp_path: Path) -> None:
    with running_control(tmp_path / "demo", console=tmp_path / "none") as running:
        answer = running.get("/")
        assert answer.status == 503
        assert b"make console" in answer.body
        assert "x-steadyhand-build" not in running.ask("/whoami").headers


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("GZIP", "gzip"),
        ("", ""),
        ("identity", ""),
        ("zstd, *", ""),
    ],
)
def test_the_best_coding_that_a_client_takes(header: str, chosen: str) -> None:
    assert accepted(header, {"": b"", "br": b"", "gzip": b""}) == chosen
    assert accepted(header, {"": b""}) == ""


def test_every_kind_of_file_has_a_media_type() -> None:
    assert kind_of("main.js") == "text/javascript"
    assert kind_of("main.css") == "text/css"
    assert kind_of("icon.svg") == "image/svg+xml"
    assert kind_of("what.isthis") == "application/octet-stream"
