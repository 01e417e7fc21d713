"""The guide "Break the provider": what it says clients get is what they get."""

import json
import re
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.support.clone import PATIENCE_S, Clone
from tests.support.tree import ROOT

GUIDE = ROOT / "docs" / "guides" / "break-the-provider.md"
ROW = re.compile(r"(?m)^\| `([\w-]+)` \|")


TUESDAYS = count(1)


@dataclass(frozen=True)
class Seen:
    """What a client of a route got."""

    status: int
    rung: str
    reason: str
    retry_after: str
    body: str

    @property
    def is_whole_stream(self) -> bool:
        return self.body.endswith("data: [DONE]\n\n")


def ask(clone: Clone, *, stream: bool, route: str = "support") -> Seen:
    key = Path(clone.folder / "demo/.steadyhand/demo.key").read_text().strip()
    content = f"Which colour is Tuesday {next(TUESDAYS)}?"  # no curated answer, never asked before
    message = {"role": "user", "content": content}
    connection = HTTPConnection(clone.addresses["127.0.0.1:8080"], timeout=PATIENCE_S)
    try:
        connection.request(
            "POST",
            "/v1/chat/completions",
            json.dumps({"model": route, "stream": stream, "messages": [message]}),
            {"authorization": f"Bearer {key}", "content-type": "application/json"},
        )
        answer = connection.getresponse()
        return Seen(
            answer.status,
            answer.getheader("x-steadyhand-rung", ""),
            answer.getheader("x-steadyhand-reason", ""),
            answer.getheader("retry-after", ""),
            answer.read().decode(),
        )
    finally:
        connection.close()


AROUND = {"open", "half_open", "shed"}
"""Reasons of a model that is known to fail by now, and is not asked."""


def mend(clone: Clone) -> None:
    """Mend the model, and wait until it is asked again: what it did before is not forgotten."""
    clone.shell(".venv/bin/steadyhand upstreams mend simulated --workspace demo")
    until_s = monotonic() + PATIENCE_S
    while ask(clone, stream=False).rung != "live":
        assert monotonic() < until_s, "a mended model is asked again"
        sleep(0.2)


def set_behaviour(clone: Clone, behaviour: str) -> None:
    command = f".venv/bin/steadyhand upstreams break simulated {behaviour} --workspace demo"
    assert "in force in " in clone.shell(command)


def assert_floor(seen: Seen, reason: str) -> None:
    assert (seen.status, seen.rung) == (200, "template")
    assert seen.reason in {reason, *AROUND}
    assert "cannot be reached right now" in seen.body


FLOORS = {
    # behaviour, why the ladder ended in the floor; for streams and whole answers alike
    "error-500": "server_error",
    "rate-limit": "rate_limited",
    "error-401": "auth_failed",
    "error-first-event": "server_error",
    "html-200": "malformed",
}
OTHERS = {"silent-before-headers", "slow", "error-400", "cut-mid-word", "no-finish", "flap"}


def test_the_guide_names_what_is_tried_here() -> None:
    assert set(ROW.findall(GUIDE.read_text(encoding="utf-8"))) == FLOORS.keys() | OTHERS


def test_a_rate_limit_reaches_a_route_without_a_floor(clone: Clone) -> None:
    mend(clone)
    set_behaviour(clone, "rate-limit")
    seen = ask(clone, stream=False, route="strict")
    assert (seen.status, seen.retry_after) == (429, "2")


def test_a_slow_model_is_too_late_for_a_stream_only(clone: Clone) -> None:
    mend(clone)
    set_behaviour(clone, "slow")
    assert_floor(ask(clone, stream=True), "gave_up")
    assert ask(clone, stream=False).rung == "live"


def test_a_fault_of_the_request_is_relayed(clone: Clone) -> None:
    mend(clone)
    set_behaviour(clone, "error-400")
    for stream in (False, True):
        seen = ask(clone, stream=stream)
        assert seen.status == 400
        assert json.loads(seen.body)["error"]["param"] == "temperature"


@pytest.mark.parametrize(
    ("behaviour", "why"), [("cut-mid-word", "connection_lost"), ("no-finish", "truncated")]
)
def test_a_cut_stream_ends_in_an_error_event(clone: Clone, behaviour: str, why: str) -> None:
    mend(clone)
    set_behaviour(clone, behaviour)
    seen = ask(clone, stream=True)
    assert (seen.status, seen.rung) == (200, "live")
    last = json.loads(seen.body.rstrip().rpartition("data: ")[2])
    assert last["error"]["code"] == "stream_truncated"
    assert why in last["error"]["message"]
    assert "[DONE]" not in seen.body


# From here on its breaker opens; what needs it closed would wait for that, and so stands above.


def test_a_silent_model_is_given_up_for_the_floor(clone: Clone) -> None:
    set_behaviour(clone, "silent-before-headers")
    assert_floor(ask(clone, stream=True), "gave_up")


def test_a_cut_answer_that_is_not_streamed_is_the_floors(clone: Clone) -> None:
    set_behaviour(clone, "cut-mid-word")
    assert_floor(ask(clone, stream=False), "connection_lost")


@pytest.mark.parametrize("behaviour", FLOORS)
def test_the_floor_speaks_for_a_model_that_fails(clone: Clone, behaviour: str) -> None:
    set_behaviour(clone, behaviour)
    for stream in (False, True):
        assert_floor(ask(clone, stream=stream), FLOORS[behaviour])
    assert ask(clone, stream=True).is_whole_stream


def test_a_dead_model_on_a_route_without_a_floor_is_an_honest_503(clone: Clone) -> None:
    set_behaviour(clone, "error-500")
    seen = ask(clone, stream=False, route="strict")
    assert (seen.status, seen.retry_after) == (503, "1")
    assert json.loads(seen.body)["error"]["code"] == "no_answer"


def test_a_flapping_model_answers_in_turns_or_the_floor_does(clone: Clone) -> None:
    set_behaviour(clone, "flap")
    assert ask(clone, stream=False).rung in {"live", "template"}
