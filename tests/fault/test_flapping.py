"""A provider that is well and broken in turns of a second, under load: every answer is whole."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from tests.support.installations import FLOOR_TEXT, Installation, Upstreams, route_text, serving
from tests.support.programs import eventually

FLAPPING = "up/flap:period_s=1"
CLIENTS = 8
LOAD_S = 6.0
MOST_ATTEMPTS = 2
"""Of one request: each rung is asked once at most."""


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams) -> Iterator[Installation]:
    routes = {
        "routes/flapping.toml": route_text(FLAPPING),
        "routes/backed.toml": route_text(FLAPPING, "up/steady"),
    }
    with serving(tmp_path_factory.mktemp("flapping"), upstreams, routes) as made:
        yield made


def asked(house: Installation, route: str, until_s: float) -> list[str]:
    """Ask until then, plain and streamed in turns; return the rungs that spoke."""
    rungs = []
    while monotonic() < until_s:
        for stream in (False, True):
            answer = house.ask(route, stream=stream)
            assert (answer.status, answer.is_whole) == (200, True), answer.body
            rung = answer.headers["x-steadyhand-rung"]
            assert (FLOOR_TEXT in answer.body.decode()) == (rung == "template")
            rungs.append(rung)
    return rungs


def test_every_answer_is_whole_and_in_time_and_both_kinds_speak(house: Installation) -> None:
    until_s = monotonic() + LOAD_S
    with ThreadPoolExecutor(CLIENTS) as pool:
        work = [
            pool.submit(asked, house, route, until_s)
            for route in ["flapping", "backed"] * (CLIENTS // 2)
        ]
        spoke = [each.result() for each in work]
    alone = {rung for rungs in spoke[0::2] for rung in rungs}
    backed = {rung for rungs in spoke[1::2] for rung in rungs}
    assert alone == {"live", "template"}, "it flapped, and was asked again when it was well"
    assert backed == {"live"}, "the second rung was there all the time"

    total = sum(map(len, spoke))
    eventually(lambda: len(house.stored()) >= total, "every record")
    records = house.records()
    assert all(record["in_time"] for record in records)
    assert max(len(record["attempts"]) for record in records) <= MOST_ATTEMPTS + 1
