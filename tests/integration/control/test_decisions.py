"""Plans and replays over REST and by command: the same, different, what if, and plain priors."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from steadyhand.records.record import Attempt
from steadyhand.routing.planning.decision import decode_decision
from steadyhand.routing.planning.prepared import Prepared
from steadyhand.routing.planning.situation import Candidate, Cost, Policy, Situation
from steadyhand.telemetry.status import CostStatus, DeploymentStatus, Status
from tests.support.climbs import Says, climb
from tests.support.commands import steadyhand
from tests.support.control_plane import RunningControl, running_control
from tests.support.made_records import NOON_US, made, ship

MS = 1_000
COST = CostStatus(200 * MS, 400 * MS, 800 * MS, 500)
STATUSES = {
    0: Status(
        process=0,
        made_us=NOON_US + 59_500_000,
        deployments=(
            DeploymentStatus("openai", "gpt-fast", state="closed", share=1.0, stream=COST),
            DeploymentStatus("backup", "gpt-slow", state="closed", share=1.0, stream=COST),
        ),
    ),
    3: Status(
        process=3,
        made_us=NOON_US + 60_000_000,
        deployments=(DeploymentStatus("openai", "gpt-fast", state="open", share=0.0),),
    ),
}
CANDIDATES = (
    Candidate(0, "live", "openai", "gpt-big", health="open"),
    Candidate(1, "live", "openai", "gpt-fast", cost=Cost(200 * MS, 400 * MS, 800 * MS, 500)),
    Candidate(2, "live", "backup", "gpt-slow", cost=Cost(200 * MS, 400 * MS, 800 * MS, 500)),
    Candidate(3, "cache", cost=Cost(1 * MS, 3 * MS, 5 * MS)),
)
SITUATION = Situation(1_500 * MS, True, 0.5, Policy(), CANDIDATES)
EVENTS = climb(SITUATION, {1: Says(20 * MS, "failed", "overloaded"), 2: Says(180 * MS)})
DECISION = Prepared(SITUATION.policy, CANDIDATES).record(1_500 * MS, 0.5, EVENTS, stream=True)
ATTEMPTS = (
    Attempt("live", "openai", "gpt-big", 20 * MS, 20 * MS, 0, "open"),
    Attempt("live", "openai", "gpt-fast", 0, 20 * MS, 503, "overloaded", role="first"),
    Attempt("live", "backup", "gpt-slow", 20 * MS, 200 * MS, 200, "ok", role="fallback"),
)


def tampered() -> bytes:
    """Return the decision with one input changed afterwards."""
    values = msgspec.msgpack.decode(DECISION)
    _policy, candidates = values[4]
    candidates[1][6] = "open"
    return msgspec.msgpack.encode(values)


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningControl]:
    workspace = tmp_path_factory.mktemp("decisions")
    with running_control(workspace, statuses=lambda: STATUSES) as running:
        own = {"budget_us": 1_500 * MS, "attempts": ATTEMPTS}
        ship(
            running.store,
            [
                made(1, decision=DECISION, **own),
                made(2, decision=tampered(), **own),
                made(3, decision=DECISION, provider="openai", model="gpt-fast", **own),
                made(4, decision=b"\xc1", **own),
                made(5),
            ],
        )
        yield running


def run(control: RunningControl, *arguments: str) -> tuple[int, str, str]:
    done = steadyhand(*arguments, "--url", control.url, workspace=control.workspace)
    return done.returncode, done.stdout, done.stderr


# Replay.


def test_a_decision_is_made_again_from_the_record_alone(control: RunningControl) -> None:
    found = control.ask("/requests/req_0001/replay").json
    assert (found["is_same"], found["differences"]) == (True, [])
    assert [(one["who"], one["kind"]) for one in found["climb"]] == [
        ("openai/gpt-fast", "started"),
        ("openai/gpt-fast", "failed"),
        ("backup/gpt-slow", "started"),
        ("backup/gpt-slow", "content"),
        ("backup/gpt-slow", "spoke"),
    ]
    assert [one["reason"] for one in found["passed_over"]] == ["open", "not_reached"]
    steps = {step["who"]: step for step in found["plan"]["steps"]}
    assert steps["openai/gpt-big"]["action"] == "skip"
    assert steps["openai/gpt-fast"]["until_us"] == 685 * MS, "p99 of the second and 5 ms are kept"
    assert msgspec.convert(found["inputs"]["candidates"][1]["cost"], dict) == {
        "p50_us": 200 * MS, "p90_us": 400 * MS, "p99_us": 800 * MS, "samples": 500,
    }  # fmt: skip


def test_the_command_says_the_same(control: RunningControl) -> None:
    code, out, err = run(control, "replay", "req_0001")
    assert code == 0
    assert "the same: the recorded inputs lead to what is recorded" in err
    assert "openai/gpt-big\t-\t-\t-\tplanned around\t-\t-\topen: its breaker is open" in out
    assert "backup/gpt-slow\tspoke\tfirst_content" in out


def test_one_input_changed_changes_the_plan(control: RunningControl) -> None:
    code, out, err = run(
        control, "replay", "req_0001", "--set", "candidates.1.health=open", "--json"
    )
    assert (code, err) == (0, "")
    before = control.ask("/requests/req_0001/replay").json
    after = json.loads(out)
    assert after["plan"]["steps"] != before["plan"]["steps"]
    assert after["plan"]["steps"][0]["who"] == "backup/gpt-slow"
    assert after["changes"] == ["candidates.1.health=open"]
    assert not after["is_same"]
    _, _, told = run(control, "replay", "req_0001", "--set", "candidates.1.health=open")
    assert "with candidates.1.health=open it would have gone another way:" in told
    assert "'openai/gpt-fast started', the inputs lead to 'start backup/gpt-slow'" in told
    _, _, told = run(control, "replay", "req_0001", "--set", "candidates.3.barred=policy")
    assert "with candidates.3.barred=policy: the same" in told


@pytest.mark.parametrize(
    ("request_id", "says"),
    [
        ("req_0002", "the inputs lead to 'start backup/gpt-slow'"),
        ("req_0003", "openai/gpt-fast spoke, the decision backup/gpt-slow"),
    ],
)
def test_a_tampered_record_is_found_out(
    control: RunningControl, request_id: str, says: str
) -> None:
    assert decode_decision(tampered()).lineup.candidates[1].health == "open"
    code, _, err = run(control, "replay", request_id)
    assert code == 0
    assert "DIFFERENT: the recorded inputs do not lead to what is recorded" in err
    assert says in err


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/requests/req_none/replay", 404, "not_found"),
        ("/requests/req_0005/replay", 404, "not_found"),
        ("/requests/req_0004/replay", 422, "decision_unreadable"),
        ("/requests/req_0001/replay?set=candidates.9.health=open", 400, "invalid_value"),
        ("/routes/none/plan", 404, "not_found"),
        ("/routes/support/plan?process=7", 404, "not_found"),
        ("/routes/support/plan?deadline_ms=0", 422, "invalid_parameter"),
    ],
)
def test_what_cannot_be_told_says_why(
    control: RunningControl, path: str, status: int, code: str
) -> None:
    answer = control.ask(path)
    assert (answer.status, answer.json["error"]["code"]) == (status, code)
    assert answer.json["error"]["hint"]


def test_explain_tells_who_was_planned_around_and_why(control: RunningControl) -> None:
    _, out, _ = run(control, "requests", "explain", "req_0001")
    assert "  ○ openai/gpt-big: planned around, its breaker is open\n" in out
    assert out.count("gpt-big") == 1
    assert "cache" not in out, "what was not reached is not told"
    assert "✓ backup/gpt-slow" in run(control, "requests", "explain", "req_0004")[1]


# Plan.


def test_a_plan_follows_what_a_gateway_has_learned(control: RunningControl) -> None:
    found = control.ask("/routes/support/plan?stream=true").json
    assert (found["process"], found["age_s"], found["is_prior"]) == (0, 0.5, False)
    assert (found["sharing"], found["budget_us"]) == ("learned_costs", 1_500 * MS)
    first, second = found["steps"]
    assert (first["until_us"], second["until_us"]) == (690 * MS, 1_490 * MS)
    assert found["floor_at_us"] == 1_490 * MS
    assert control.ask("/routes/support/plan").json["is_prior"], "whole answers were not seen"


def test_each_process_has_its_own_view(control: RunningControl) -> None:
    found = control.ask("/routes/support/plan?stream=true&process=3").json
    assert {step["who"]: step["reason"] for step in found["steps"]} == {
        "backup/gpt-slow": "planned_around",
        "openai/gpt-fast": "open",
    }


def test_the_plan_is_shown_with_reasons_in_words(control: RunningControl) -> None:
    code, out, err = run(control, "plan", "support", "--stream", "--deadline-ms", "400")
    assert code == 0
    assert "stream, 400 ms" in err
    assert "as gateway process 0 saw it 0.5 s ago" in err
    assert out.splitlines()[0].startswith("0\topenai/gpt-fast\t200\t400\t800\tstart\t0\t")
    _, out, _ = run(control, "plan", "support", "--set", "candidates.0.barred=tools", "--json")
    assert json.loads(out)["steps"][-1]["meaning"] == "cannot serve this request: tools"


def test_without_a_gateway_it_says_plainly_that_these_are_priors(tmp_path: Path) -> None:
    with running_control(tmp_path, statuses=dict) as control:
        code, out, err = run(control, "plan", "labels")
    assert code == 0
    assert "planned from priors" in err
    assert "equal shares" in err
    assert out == ("0\topenai/gpt-fast\t-\t-\t-\tstart\t0\t140\tfirst_choice: the first choice\n")
