"""The spans that a record becomes."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from steadyhand.core import trace_context
from steadyhand.records.prices import Price
from steadyhand.records.record import DRILL, Attempt, Record
from steadyhand.telemetry.traces import attributes as names
from steadyhand.telemetry.traces.known import Known, Prompt, Steps
from steadyhand.telemetry.traces.span import Span
from steadyhand.telemetry.traces.spans import spans_of
from tests.support.records import record

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PRICES = {
    ("acme", "small"): Price(1.0, 2.0, 0.5),
    ("other", "large"): Price(10.0, 20.0),
}
NOTHING = Known({}, {})


def attempt(provider: str, started_us: int, ended_us: int, reason: str, role: str) -> Attempt:
    model = {"acme": "small", "other": "large"}[provider]
    status = 200 if reason == "ok" else 0
    return Attempt("live", provider, model, started_us, ended_us, status, reason, "eu", role)


def known(steps: Steps = (), **more: Any) -> Known:
    return Known(PRICES, {"acme": "openai"}, steps=lambda _: steps, **more)


def shapes(spans: Sequence[Span]) -> list[tuple[str, str]]:
    return [(span.kind, span.name) for span in spans]


def fell_back(**changes: Any) -> tuple[Record, Steps]:
    """Return a request whose first deployment failed, whose cache was empty, whose second spoke."""
    attempts = (
        attempt("acme", 100, 900, "upstream_5xx", "first"),
        attempt("other", 1_000, 5_000, "ok", "fallback"),
    )
    defaults = {
        "attempts": attempts,
        "provider": "other",
        "model": "large",
        "reason": "upstream_5xx",
        "decision": b"decided",
        "total_us": 5_100,
    }
    steps = (
        (90, "empty", "", "cache", "", "", 2),
        (100, "started", "first_choice", "live", "acme", "small", 0),
        (900, "failed", "upstream_5xx", "live", "acme", "small", 0),
        (1_000, "started", "", "live", "other", "large", 1),
        (4_900, "content", "", "live", "other", "large", 1),
        (4_950, "spoke", "first_content", "live", "other", "large", 1),
    )
    return record(7, **(defaults | changes)), steps


def test_a_request_is_a_server_span_with_a_client_span_for_each_attempt() -> None:
    made, steps = fell_back()
    root, first, second, cache = spans_of(made, known(steps))
    assert shapes([root, first, second, cache]) == [
        ("server", "chat support"),
        ("client", "chat small"),
        ("client", "chat large"),
        ("internal", "rung cache"),
    ]
    assert {span.trace_id for span in (root, first, second, cache)} == {
        trace_context.own_trace_id(made.request_id)
    }
    assert {span.parent_id for span in (first, second, cache)} == {root.span_id}
    assert (root.parent_id, root.is_remote_parent) == ("", False)
    assert (root.started_us, root.ended_us) == (made.received_us, made.received_us + 5_100)
    assert (second.started_us, second.ended_us) == (
        made.received_us + 1_000,
        made.received_us + 5_000,
    )
    assert (cache.started_us, cache.ended_us) == (made.received_us, made.received_us + 90)
    assert len({span.span_id for span in (root, first, second, cache)}) == 4


def test_attempts_say_why_they_began_and_ended() -> None:
    made, steps = fell_back()
    _, first, second, _ = spans_of(made, known(steps))
    assert first.failure == "upstream_5xx"
    assert first.attributes[names.ERROR_TYPE] == "upstream_5xx"
    assert first.attributes[names.BEGAN_BECAUSE] == "first_choice"
    assert first.attributes[names.PROVIDER] == "openai", "by its kind, not by its name here"
    assert first.attributes[names.LEFT_MS] == 9_999.9
    assert second.failure == ""
    assert second.attributes[names.BEGAN_BECAUSE] == "upstream_5xx"
    assert second.attributes[names.ENDED_BECAUSE] == "ok"
    assert second.attributes[names.ROLE] == "fallback"
    assert second.attributes[names.PROVIDER] == "other"
    assert second.attributes[names.REGION] == "eu"
    assert second.attributes[names.STATUS] == 200
    assert names.STATUS not in first.attributes


def test_the_switch_is_an_event_of_the_request() -> None:
    made, steps = fell_back()
    root = spans_of(made, known(steps))[0]
    assert [(event.name, event.at_us - made.received_us) for event in root.events] == [
        (names.SWITCHED, 1_000),
        (names.SPOKE, 4_950),
    ]
    switch = root.events[0].attributes
    assert switch == {
        names.FROM: "acme/small",
        names.TO: "other/large",
        names.REASON: "upstream_5xx",
    }


def test_tokens_and_cost_stand_on_the_attempt_that_spoke_and_their_sums_apart() -> None:
    lost = attempt("acme", 100, 4_000, "hedge_lost", "hedge")
    lost = replace(lost, input_tokens=40, output_tokens=2, usage="reported")
    made, steps = fell_back(
        attempts=(attempt("other", 0, 5_000, "ok", "first"), lost),
        input_tokens=1_000,
        cached_tokens=200,
        reasoning_tokens=5,
        output_tokens=10,
    )
    root, spoke, hedge, _ = spans_of(made, known(steps))
    assert spoke.attributes[names.SPEAKS] is True
    assert spoke.attributes[names.INPUT_TOKENS] == 1_000
    assert spoke.attributes[names.CACHED_TOKENS] == 200
    assert spoke.attributes[names.REASONING_TOKENS] == 5
    assert spoke.attributes[names.COST_USD] == pytest.approx(0.0102)
    assert hedge.failure == "", "who loses a race has not failed"
    assert hedge.attributes[names.BEGAN_BECAUSE] == "hedge"
    assert (hedge.attributes[names.INPUT_TOKENS], hedge.attributes[names.COUNTING]) == (
        40,
        "reported",
    )
    assert hedge.attributes[names.COST_USD] == pytest.approx(44e-6)
    assert names.INPUT_TOKENS not in root.attributes, "or sums over spans would count twice"
    assert root.attributes[names.ALL_INPUT_TOKENS] == 1_040
    assert root.attributes[names.ALL_OUTPUT_TOKENS] == 12
    assert root.attributes[names.ALL_COST_USD] == pytest.approx(0.010244)
    assert root.attributes[names.COST_IS_WHOLE] is True


def test_a_model_without_a_price_makes_the_cost_incomplete() -> None:
    made = record(1)
    root, spoke = spans_of(made, known())
    assert root.attributes[names.COST_IS_WHOLE] is False
    assert names.COST_USD not in spoke.attributes
    assert names.ALL_COST_USD not in root.attributes
    assert names.COST_IS_WHOLE not in spans_of(made, NOTHING)[0].attributes


def test_a_request_says_whose_it_is_and_what_was_promised() -> None:
    prompt = Prompt("support", "sha256:12")
    made = record(
        3,
        route_release="sha256:12",
        arm="candidate",
        rollout="salt",
        candidate_bp=500,
        has_schema=True,
        stream=True,
    )
    root, spoke = spans_of(made, known(prompt=lambda _: prompt))
    said = dict(root.attributes)
    assert said[names.TENANT] == "team-a"
    assert said[names.SLO] == "interactive"
    assert said[names.BUDGET_MS] == 10_000
    assert said[names.RELEASE] == "sha256:12"
    assert said[names.SNAPSHOT] == made.release
    assert (said[names.PROMPT_NAME], said[names.PROMPT_VERSION]) == prompt
    assert (said[names.ARM], said[names.CANDIDATE_SHARE]) == ("candidate", 0.05)
    assert said[names.OUTPUT_TYPE] == "json"
    assert said[names.REQUEST_STREAM] is True
    assert said[names.STATUS] == 200
    assert names.ERROR_TYPE not in said
    assert spoke.attributes[names.FIRST_CHUNK_S] == 0.2
    assert spoke.attributes[names.RESPONSE_MODEL] == "acme-small-2026"
    assert spoke.attributes[names.FINISH_REASONS] == ("stop",)


def test_what_is_not_known_is_left_out() -> None:
    made, _ = fell_back(served_model="", finish_reason="")
    root, _, spoke = spans_of(made, NOTHING)
    assert root.events == ()
    assert names.RESPONSE_MODEL not in spoke.attributes
    assert names.FINISH_REASONS not in spoke.attributes


def test_a_clients_trace_is_joined() -> None:
    made = record(1, traceparent=f"00-{TRACE}-{SPAN}-00")
    root, spoke = spans_of(made, NOTHING)
    assert (root.trace_id, root.parent_id, root.is_remote_parent) == (TRACE, SPAN, True)
    assert (spoke.trace_id, spoke.parent_id, spoke.is_remote_parent) == (TRACE, root.span_id, False)
    assert not root.is_sampled
    assert not spoke.is_sampled


def test_the_same_record_makes_the_same_spans() -> None:
    made, steps = fell_back()
    assert spans_of(made, known(steps)) == spans_of(made, known(steps))


@pytest.mark.parametrize(
    ("outcome", "failure"),
    [
        ("answered", ""),
        ("floor", ""),
        ("rejected", ""),
        ("client_gone", ""),
        ("failed", "why"),
        ("truncated", "why"),
        ("interrupted", "why"),
    ],
)
def test_what_failed_is_what_we_owe(outcome: str, failure: str) -> None:
    root = spans_of(record(1, outcome=outcome, reason="why"), NOTHING)[0]
    assert root.failure == failure
    assert (names.ERROR_TYPE in root.attributes) == (outcome not in {"answered", "floor"})


def test_a_floor_has_a_span_and_the_request_a_switch_to_it() -> None:
    made, _ = fell_back(
        outcome="floor",
        rung="template",
        provider="",
        model="",
        attempts=(attempt("acme", 100, 900, "upstream_5xx", "first"),),
        budget_us=0,
        served_model="",
        finish_reason="",
    )
    steps = (
        (100, "started", "first_choice", "live", "acme", "small", 0),
        (900, "failed", "upstream_5xx", "live", "acme", "small", 0),
        (950, "spoke", "nothing_left", "", "", "", -1),
    )
    root, asked, floor = spans_of(made, known(steps))
    assert (floor.kind, floor.name) == ("internal", "floor template")
    assert (floor.started_us, floor.ended_us) == (made.received_us + 950, root.ended_us)
    assert root.attributes[names.IS_FLOOR] is True
    assert names.LEFT_MS not in asked.attributes
    assert asked.attributes[names.SPEAKS] is False
    switched, spoke = root.events
    assert (switched.name, switched.attributes[names.TO]) == (names.SWITCHED, "template")
    assert spoke.attributes == {names.RUNG: "template", names.REASON: "nothing_left"}


def test_an_error_of_the_floor_and_old_records_without_a_decision_have_spans_too() -> None:
    made = record(1, outcome="failed", rung="error", reason="no_rung", attempts=(), provider="")
    root, floor = spans_of(made, NOTHING)
    assert (root.failure, floor.name) == ("no_rung", "floor error")
    assert floor.started_us == made.received_us + 200_000
    old = Attempt("live", "acme", "small", 10, 20, 500, "upstream_5xx")
    assert spans_of(record(1, attempts=(old,)), NOTHING)[1].attributes[names.ROLE] == "first"


def test_who_was_planned_around_and_given_up_is_told() -> None:
    around = Attempt("live", "acme", "small", 50, 50, 0, "open")
    late = attempt("other", 60, 9_000, "gave_up", "fallback")
    made, _ = fell_back(
        attempts=(around, late), rung="cache", provider="", age_ms=1_000, confidence=0.9, source="s"
    )
    steps = (
        (60, "started", "", "live", "other", "large", 1),
        (70, "no_hedge", "budget", "live", "other", "large", 1),
        (75, "hedged", "", "live", "acme", "small", 3),
        (80, "started", "", "cache", "", "", 2),
        (500, "gave_up", "", "live", "other", "large", 1),
        (600, "ready", "stale", "cache", "", "", 2),
        (600, "ready", "stale", "cache", "", "", 2),
        (610, "spoke", "last", "cache", "", "", 2),
    )
    root, asked, cache = spans_of(made, known(steps))
    assert [event.name for event in root.events] == [
        names.PLANNED_AROUND,
        names.NOT_HEDGED,
        names.HEDGED,
        names.GAVE_UP,
        names.SPOKE,
    ]
    assert root.events[0].attributes[names.REASON] == "open"
    assert asked.attributes[names.BEGAN_BECAUSE] == "open"
    assert asked.failure == ""
    assert (cache.started_us - made.received_us, cache.ended_us - made.received_us) == (80, 600)
    assert cache.attributes[names.ENDED_BECAUSE] == "stale"
    assert cache.attributes[names.SPEAKS] is True
    assert root.attributes[names.AGE_MS] == 1_000
    assert root.attributes[names.CONFIDENCE] == 0.9
    assert root.attributes[names.SOURCE] == "s"
    assert names.ALL_INPUT_TOKENS not in root.attributes, "a stored answer takes no tokens"


def test_a_fallback_beside_one_that_goes_on_says_that_it_was_given_up() -> None:
    attempts = (
        attempt("acme", 0, 9_000, "gave_up", "first"),
        attempt("other", 5_000, 8_000, "ok", "fallback"),
    )
    alone = (attempt("other", 0, 8_000, "truncated", "fallback"),)
    made = record(1, attempts=attempts, provider="other", model="large")
    assert spans_of(made, NOTHING)[2].attributes[names.BEGAN_BECAUSE] == "gave_up"
    made = record(1, attempts=alone, provider="other", model="large")
    spoke = spans_of(made, NOTHING)[1]
    assert spoke.attributes[names.BEGAN_BECAUSE] == "planned_around"
    assert spoke.attributes[names.SPEAKS] is True, "as far as it came"
    assert spoke.failure == "truncated"
    nobody = record(1, attempts=alone, provider="gone", model="gone")
    assert spans_of(nobody, NOTHING)[1].attributes[names.SPEAKS] is False


def test_a_drill_is_no_request_of_anybody() -> None:
    root = spans_of(record(1, wire=DRILL, route=""), NOTHING)[0]
    assert (root.kind, root.name) == ("internal", "chat")
    assert root.attributes[names.IS_DRILL] is True
    assert names.METHOD not in root.attributes


@pytest.mark.parametrize(
    ("name", "host", "expected"),
    [
        ("openai", "", "openai"),
        ("xai", "", "x_ai"),
        ("Azure-OpenAI", "", "azure.ai.openai"),
        ("house", "", "house"),
        ("fast", "api.groq.com", "groq"),
        ("eu", "x.openai.azure.com", "azure.ai.openai"),
        ("vertex", "europe-west1-aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("b", "bedrock-runtime.eu-central-1.amazonaws.com", "aws.bedrock"),
        ("openai", "10.0.0.7", "openai"),
        ("mistral", "models.example.com", "mistral"),
    ],
)
def test_providers_have_the_conventions_names(name: str, host: str, expected: str) -> None:
    assert names.provider_name(name, host) == expected
