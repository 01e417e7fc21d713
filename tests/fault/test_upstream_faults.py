"""Upstreams break in every way there is: the floor answers within the route's budget.

Budgets are held to twice: by the gateway's own clock, in the record, and by the client's, with
room for a machine that stalls. A stall of the machine at the wrong moment makes one answer late,
so a few tries are allowed to show one that is in time; every one must be the floor's.
"""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest

from tests.fault.conftest import QUICK
from tests.support.canned_upstream import CannedUpstream
from tests.support.chats import begins, chunk, event
from tests.support.installations import (
    FLOOR_TEXT,
    Installation,
    Upstreams,
    route_text,
    serving,
    settings_text,
    simulated_upstream,
)
from tests.support.raw_client import Answer

BUDGET_S = 0.5
STALL_S = 4.0
TRIES = 5

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"team": {"type": "string"}},
    "required": ["team"],
    "additionalProperties": False,
}
SCHEMA_FLOOR = """kind = "schema"
answer = { team = "triage" }

[floor.json_schema]
type = "object"
required = ["team"]
additionalProperties = false

[floor.json_schema.properties.team]
type = "string"
"""

DEAD = {
    "closed": "dead/any",
    "silent": "up/silent-before-headers",
    "silent-after-head": "up/silent-after-headers",
    "slow": "up/slow:ttft_ms=30000",
    "reset": "up/reset-before-headers",
    "refused": "up/refused",
    "broken": "up/error-500",
    "lying": "up/error-200",
    "no-http": "up/not-http",
    "empty": "up/empty-body",
}


@pytest.fixture(scope="module")
def failing(
    tmp_path_factory: pytest.TempPathFactory, canned: CannedUpstream, dead_port: int
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("failing")
    with simulated_upstream(folder) as simulated:
        comments = [step for _ in range(200) for step in (b": still waiting\n\n", 0.1)]
        roles = [step for _ in range(200) for step in (event(chunk(begins())), 0.1)]
        spaces = [step for _ in range(200) for step in (b" ", 0.1)]
        dripping = {
            "dripping-comments": canned.stream(*comments),
            "dripping-roles": canned.stream(*roles),
            "dripping-spaces": canned.stream(*spaces),
        }
        ladders = {
            **{name: (model,) for name, model in DEAD.items()},
            **{name: (f"canned/{script.model}",) for name, script in dripping.items()},
            "second": ("up/silent-before-headers", "up/steady:answer=second"),
            "second-of-three": ("dead/any", "up/slow:ttft_ms=30000", "up/steady:answer=third"),
            "all-silent": ("up/silent-before-headers", "up/slow:ttft_ms=30000", "dead/any"),
            "breakable": ("up/steady",),
        }
        routes = {
            f"routes/{name}.toml": route_text(*models, slo="quick")
            for name, models in ladders.items()
        }
        instant = ("dead/any", "up/silent-before-headers", "up/error-503")
        routes["routes/instant.toml"] = route_text(*instant, slo="instant")
        routes["routes/instant-json.toml"] = route_text(*instant, slo="instant", floor=SCHEMA_FLOOR)
        routes["routes/instant-error.toml"] = route_text(
            *instant, slo="instant", floor='kind = "error"'
        )
        own = Upstreams(simulated, canned, dead_port)
        files = {"steadyhand.toml": settings_text(own) + QUICK, **routes}
        with serving(folder, own, files) as made:
            yield made


def ask_in_time(house: Installation, route: str, budget_s: float, **fields: Any) -> Answer:
    """Ask until an answer is recorded as in time; hold every one to the floor and the clock."""
    for _ in range(TRIES):
        begun_s = monotonic()
        answer = house.ask(route, **fields)
        took_s = monotonic() - begun_s
        record = house.record(answer.request_id)
        assert record["budget_us"] == int(budget_s * 1e6)
        assert took_s < budget_s + STALL_S
        if record["in_time"]:
            return answer
    raise AssertionError(f"{TRIES} answers of {route} in a row were late")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    "route", [*DEAD, "dripping-comments", "dripping-roles", "dripping-spaces", "all-silent"]
)
def test_the_floor_answers_within_the_budget(
    failing: Installation, route: str, stream: bool
) -> None:
    answer = ask_in_time(failing, route, BUDGET_S, stream=stream)
    assert (answer.status, answer.text()) == (200, FLOOR_TEXT)
    assert answer.headers["x-steadyhand-rung"] == "template"
    assert answer.headers["x-steadyhand-reason"] != "first_choice"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(("route", "word"), [("second", "second"), ("second-of-three", "third")])
def test_the_deadline_is_shared_so_that_the_next_rung_is_reached(
    failing: Installation, route: str, word: str, stream: bool
) -> None:
    answer = ask_in_time(failing, route, BUDGET_S, stream=stream)
    assert (answer.status, answer.text()) == (200, word)
    assert answer.headers["x-steadyhand-rung"] == "live"
    *before, last = failing.record(answer.request_id)["attempts"]
    assert last["reason"] == "ok"
    assert last["started_us"] < BUDGET_S * 1e6
    assert all(attempt["reason"] != "ok" for attempt in before)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_an_instant_route_answers_in_its_150_ms_with_everything_dead(
    failing: Installation, stream: bool
) -> None:
    answer = ask_in_time(failing, "instant", 0.150, stream=stream)
    assert (answer.status, answer.text()) == (200, FLOOR_TEXT)


def test_an_instant_route_answers_json_with_everything_dead(failing: Installation) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "team", "schema": SCHEMA}}
    answer = ask_in_time(failing, "instant-json", 0.150, response_format=wanted)
    assert (answer.status, answer.text()) == (200, '{"team": "triage"}')
    assert answer.headers["x-steadyhand-rung"] == "schema"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_an_error_floor_is_a_typed_503_in_time(failing: Installation, stream: bool) -> None:
    answer = ask_in_time(failing, "instant-error", 0.150, stream=stream)
    assert (answer.status, answer.error["code"]) == (503, "no_answer")
    assert "retry-after" in answer.headers


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(
    "fault",
    ["error-500", "silent-before-headers", "reset-before-headers", "html-200", "rate-limit"],
)
def test_a_provider_broken_at_run_time_gives_the_floor_and_comes_back(
    failing: Installation, fault: str, stream: bool
) -> None:
    def rung() -> str:
        return failing.ask("breakable", stream=stream).headers["x-steadyhand-rung"]

    assert rung() == "live"
    failing.simulated.control("POST", "/simulate", {"behaviour": fault, "model": "steady"})
    try:
        answer = ask_in_time(failing, "breakable", BUDGET_S, stream=stream)
        assert answer.headers["x-steadyhand-rung"] == "template"
    finally:
        failing.simulated.control("POST", "/simulate", {"behaviour": None, "model": "steady"})
    assert rung() == "live"


def test_an_upstream_that_hangs_up_kept_connections_is_asked_again(failing: Installation) -> None:
    """A stale kept connection is no failure: the request goes out once more."""
    for _ in range(5):
        assert failing.ask("breakable").headers["x-steadyhand-rung"] == "live"
