"""A judge that is slow, gone or lies, and a control plane that is down while samples are drawn."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from steadyhand.core.errors import SecretUnavailable
from steadyhand.evals.grounding.finding import Finding, checked
from steadyhand.evals.grounding.judge import MOST_FAILURES, REST_S, Judge
from steadyhand.evals.grounding.sample import Sample
from steadyhand.evals.grounding.settings import JudgeSettings
from steadyhand.evals.grounding.spool import Found
from steadyhand.http.posting import MOST_ANSWER
from steadyhand.records.frame import HEADER_BYTES
from tests.support.canned_upstream import CLOSE, CannedUpstream, Gate, Script, Step
from tests.support.chats import answer_body
from tests.support.installations import (
    KEY,
    Installation,
    Upstreams,
    route_text,
    serving,
    settings_text,
)
from tests.support.ports import free_port
from tests.support.programs import eventually

UNSURE = "Customers like buying and refunds."
CONTEXT = "Refunds are possible within 30 days of purchase."


def found(number: int = 1) -> Found:
    asked = {"messages": [{"role": "tool", "content": CONTEXT}]}
    sample = Sample("acme", "support", "", 1, 60, json.dumps(asked).encode(), UNSURE)
    return Found(f"req_{number}", 1, sample)


class Bench:
    """A judge of a scripted upstream, with a clock of the test's own."""

    def __init__(self, script: Script, port: int, **settings: Any) -> None:
        self.now_s = 1_000.0
        self.script = script
        told = {"route": "judge", "key": "env:X", "timeout_s": 0.3} | settings
        wanted = JudgeSettings.model_validate(told)
        url = f"http://127.0.0.1:{port}"
        self.judge = Judge(script.model, wanted, url, lambda: "sk-judge", lambda: self.now_s)

    def ask(self, count: int = 1) -> list[Finding]:
        async def all_at_once() -> list[Finding]:
            one = found()
            finding = checked(one.request_id, one.made_us, one.sample)
            return list(await asyncio.gather(*(self.judge.ask(finding, one) for _ in range(count))))

        return asyncio.run(all_at_once())


def says(verdict: str) -> bytes:
    return answer_body(json.dumps({"verdicts": [verdict], "reason": "it says so"}))


def test_its_word_counts_and_it_is_asked_with_its_key(canned: CannedUpstream) -> None:
    bench = Bench(canned.answer(says("unsupported")), canned.port)
    (finding,) = bench.ask()
    assert (finding.verdict, finding.judged) == ("ungrounded", "ungrounded")
    assert finding.by == f"judge:{bench.script.model}@m-2026/grounding-judge-1"
    assert finding.explanation == "it says so"
    assert bench.script.request.headers["authorization"] == "Bearer sk-judge"


@pytest.mark.parametrize(
    ("what", "outcome"),
    [("says no JSON", "malformed"), ("error", "failed"), ("hangs up", "failed"),
     ("is silent", "late"), ("drips", "late"), ("never ends", "malformed")],
)  # fmt: skip
def test_what_goes_wrong_is_not_measured_and_named(
    canned: CannedUpstream, what: str, outcome: str
) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
    with ExitStack() as stack:
        gate = Gate()
        drips: list[Step] = [b" ", 0.05] * 40
        stack.callback(gate.open)
        script = {
            "says no JSON": lambda: canned.answer(answer_body("I think it is fine.")),
            "error": lambda: canned.answer(b"{}", status=500),
            "hangs up": lambda: canned.script(CLOSE),
            "is silent": lambda: canned.script(gate, CLOSE),
            "drips": lambda: canned.script(head, *drips, CLOSE),
            "never ends": lambda: canned.script(head + b" " * (MOST_ANSWER + 10), CLOSE),
        }[what]()
        (finding,) = Bench(script, canned.port).ask()
    assert (finding.verdict, finding.reason, finding.judged) == ("not_measured", "unsure", outcome)


def test_a_judge_that_is_gone_rests_and_is_asked_again() -> None:
    bench = Bench(Script("gone", ()), free_port())
    outcomes = [bench.ask()[0].judged for _ in range(MOST_FAILURES + 1)]
    assert outcomes == ["failed"] * MOST_FAILURES + ["resting"]
    bench.now_s += REST_S
    assert bench.ask()[0].judged == "failed"


def test_questions_are_bounded_within_an_hour(canned: CannedUpstream) -> None:
    bench = Bench(canned.answer(says("supported")), canned.port, most_per_hour=2, timeout_s=10)
    judged = sorted(one.judged for one in bench.ask(4))
    assert judged == ["grounded", "grounded", "over_budget", "over_budget"]
    assert len(bench.script.heard) == 2
    bench.now_s += 3_600
    assert bench.ask()[0].judged == "grounded"


def test_a_judge_without_its_key_is_not_asked(canned: CannedUpstream) -> None:
    def gone() -> str:
        raise SecretUnavailable("there is no such variable")

    script = canned.answer(says("supported"))
    settings = JudgeSettings(route="judge", key="env:X")
    judge = Judge(script.model, settings, f"http://127.0.0.1:{canned.port}", gone, lambda: 0.0)
    one = found()
    finding = checked(one.request_id, one.made_us, one.sample)
    assert asyncio.run(judge.ask(finding, one)).judged == "failed"
    assert not script.heard


def test_what_needs_no_judge_is_not_asked_about(canned: CannedUpstream) -> None:
    script = canned.answer(says("supported"))
    judge = Bench(script, canned.port).judge
    one = found()
    sure = Found("req_2", 1, one.sample.__class__("a", "r", "", 1, 60, one.sample.asked, CONTEXT))
    finding = checked("req_2", 1, sure.sample)
    assert asyncio.run(judge.ask(finding, sure)) == finding
    too_much = f"{CONTEXT}\n" * 21 + UNSURE
    long = Found("req_3", 1, Sample("a", "r", "", 1, 60, one.sample.asked, too_much))
    everything = Bench(script, canned.port, asks="all").judge
    said = asyncio.run(everything.ask(checked("req_3", 1, long.sample), long))
    assert said.judged == "not_told"
    assert not script.heard


GROUNDING = """
[grounding.routes.sampled]
sample_percent = 100

[grounding.judge]
route = "judge"
key = "file:judge.key"
timeout_s = 20
"""
QUESTION = [{"role": "tool", "tool_call_id": "c", "content": CONTEXT}]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams) -> Iterator[Installation]:
    unsure = upstreams.canned.answer(answer_body(UNSURE))
    judge = upstreams.canned.answer(says("supported"))
    port = free_port()
    files = {
        "steadyhand.toml": settings_text(upstreams) + GROUNDING,
        "routes/sampled.toml": route_text(f"canned/{unsure.model}"),
        "routes/judge.toml": route_text(f"canned/{judge.model}"),
        "judge.key": KEY,
    }
    folder = tmp_path_factory.mktemp("judged")
    key = folder / "workspace/judge.key"
    key.parent.mkdir()
    key.touch(mode=0o600)
    with serving(folder, upstreams, files, port=port) as made:
        yield made


def verdict(house: Installation, request_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        status, found_ = house.rest(f"/grounding/samples/{request_id}")
        return found_ if status == 200 else None

    return eventually(look, f"{request_id} to be checked", within_s=60)


def ask(house: Installation) -> str:
    answer = house.ask("sampled", messages=QUESTION)
    assert answer.status == 200
    return answer.headers["x-steadyhand-request-id"]


def test_the_judge_is_a_route_of_the_installation(house: Installation) -> None:
    said = verdict(house, ask(house))
    assert (said["verdict"], said["judged"]) == ("grounded", "grounded")
    assert said["by"].startswith("judge:judge@")
    eventually(lambda: house.records(route="judge"), "the record of its question")


def test_while_the_control_plane_is_down_samples_wait_and_none_is_lost(
    house: Installation,
) -> None:
    control = house.control_pid()
    os.kill(control, signal.SIGSTOP)
    try:
        asked = [ask(house) for _ in range(12)]
    finally:
        os.kill(control, signal.SIGKILL)
    asked += [ask(house)]
    for request_id in asked:
        assert verdict(house, request_id)["verdict"] == "grounded"
    folder: Path = house.root / ".steadyhand/samples"

    def is_deleted() -> bool:
        return all(path.stat().st_size <= HEADER_BYTES for path in folder.rglob("*.seg"))

    eventually(is_deleted, "what was checked to be deleted from the spool")
