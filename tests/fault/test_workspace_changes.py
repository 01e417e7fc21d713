"""The workspace changes under a running gateway: good changes are taken, bad ones reported."""

from collections.abc import Iterator

import pytest

from tests.support.canned_upstream import Gate
from tests.support.chats import DONE, chunk, event, says, stops
from tests.support.installations import (
    NARROW_KEY,
    Installation,
    installation,
    keys_text,
    route_text,
)
from tests.support.programs import connections, eventually


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory, dead_port: int) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("changing"), dead_port) as made:
        yield made


def test_a_new_route_answers_without_a_restart(changing: Installation) -> None:
    assert changing.ask("fresh").status == 404
    gateway = changing.gateway_pid()
    changing.write("routes/fresh.toml", route_text("up/steady:answer=fresh"))
    assert changing.ask("fresh").text() == "fresh"
    assert changing.gateway_pid() == gateway


@pytest.mark.parametrize(
    ("name", "text", "reported"),
    [
        ("routes/answers.toml", "slo = [", "routes/answers.toml"),
        ("routes/answers.toml", route_text("nobody/steady"), "nobody"),
        ("steadyhand.toml", "[server]\nprots = 1\n", "port"),
        ("keys.toml", '[keys.wide]\nhash = "sha256:short"\ntenant = "acme"\n', "keys.wide"),
    ],
)
def test_a_broken_workspace_is_reported_and_the_last_good_one_serves_on(
    changing: Installation, name: str, text: str, reported: str
) -> None:
    path = changing.root / name
    good, release, logged = path.read_text(), changing.release(), changing.serve.err
    path.write_text(text)
    try:
        line = changing.serve.says(r"workspace not taken over: (.*)", after=len(logged))
        assert reported in line.group(1)
        assert changing.release() == release
        assert changing.ask("answers").status == 200
    finally:
        path.write_text(good)
    mended = f"routes/mended-{len(logged)}.toml"
    changing.write(mended, route_text("up/steady:answer=mended"))
    assert changing.ask(mended[7:-5]).text() == "mended"


def test_a_removed_key_is_refused_soon(changing: Installation) -> None:
    assert changing.ask("answers", key=NARROW_KEY).status == 200
    changing.write("keys.toml", keys_text().partition("[keys.narrow]")[0])
    assert changing.ask("answers", key=NARROW_KEY).status == 401


def test_a_stream_that_has_begun_goes_on_over_a_change(changing: Installation) -> None:
    gate = Gate()
    script = changing.canned.stream(
        event(chunk(says("before"))), gate, event(chunk(says(" and after"), stops())) + DONE
    )
    with changing.begin(f"canned/{script.model}", stream=True) as (line, answer):
        line.piece(answer)
        changing.write("routes/meanwhile.toml", route_text("up/steady"))
        gate.open()
        line.rest(answer)
    assert answer.body.endswith(DONE)
    assert answer.headers["x-steadyhand-release"] != changing.release()


def test_providers_that_stay_the_same_keep_their_connections(changing: Installation) -> None:
    """The gateway's own connections to the upstream, seen from the gateway's side."""
    changing.ask("up/steady")
    kept = connections(changing.simulated.port)
    assert kept
    changing.write("routes/another.toml", route_text("up/steady:answer=another"))
    assert changing.ask("another").text() == "another"
    assert kept & connections(changing.simulated.port)


def test_a_reload_is_reported_by_the_control_plane(changing: Installation) -> None:
    def shown() -> bool:
        return "fresh" in str(changing.rest("/routes")[1])

    eventually(shown, "the new route in the REST API")
