"""The workspace changes under a running gateway: good changes are taken, bad ones reported."""

import pytest

from tests.support.canned_upstream import Gate
from tests.support.chats import DONE, chunk, event, says, stops
from tests.support.installations import (
    NARROW_KEY,
    Installation,
    keys_text,
    route_text,
)
from tests.support.programs import connections, eventually


def test_a_new_route_answers_without_a_restart(module_house: Installation) -> None:
    assert module_house.ask("fresh").status == 404
    gateway = module_house.gateway_pid()
    module_house.write("routes/fresh.toml", route_text("up/steady:answer=fresh"))
    assert module_house.ask("fresh").text() == "fresh"
    assert module_house.gateway_pid() == gateway


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
    module_house: Installation, name: str, text: str, reported: str
) -> None:
    path = module_house.root / name
    good, release, logged = path.read_text(), module_house.release(), module_house.serve.err
    path.write_text(text)
    try:
        line = module_house.serve.says(r"workspace not taken over: (.*)", after=len(logged))
        assert reported in line.group(1)
        assert module_house.release() == release
        assert module_house.ask("answers").status == 200
    finally:
        path.write_text(good)
    mended = f"routes/mended-{len(logged)}.toml"
    module_house.write(mended, route_text("up/steady:answer=mended"))
    assert module_house.ask(mended[7:-5]).text() == "mended"


def test_a_removed_key_is_refused_soon(module_house: Installation) -> None:
    assert module_house.ask("answers", key=NARROW_KEY).status == 200
    module_house.write("keys.toml", keys_text().partition("[keys.narrow]")[0])
    assert module_house.ask("answers", key=NARROW_KEY).status == 401


def test_a_stream_that_has_begun_goes_on_over_a_change(module_house: Installation) -> None:
    gate = Gate()
    script = module_house.canned.stream(
        event(chunk(says("before"))), gate, event(chunk(says(" and after"), stops())) + DONE
    )
    with module_house.begin(f"canned/{script.model}", stream=True) as (line, answer):
        line.piece(answer)
        module_house.write("routes/meanwhile.toml", route_text("up/steady"))
        gate.open()
        line.rest(answer)
    assert answer.body.endswith(DONE)
    assert answer.headers["x-steadyhand-release"] != module_house.release()


def test_providers_that_stay_the_same_keep_their_connections(module_house: Installation) -> None:
    """The gateway's own connections to the upstream, seen from the gateway's side."""
    module_house.ask("up/steady")
    kept = connections(module_house.simulated.port)
    assert kept
    module_house.write("routes/another.toml", route_text("up/steady:answer=another"))
    assert module_house.ask("another").text() == "another"
    assert kept & connections(module_house.simulated.port)


def test_a_reload_is_reported_by_the_control_plane(module_house: Installation) -> None:
    def shown() -> bool:
        return "fresh" in str(module_house.rest("/routes")[1])

    eventually(shown, "the new route in the REST API")
