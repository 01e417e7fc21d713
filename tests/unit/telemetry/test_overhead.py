"""What answers cost beside themselves is counted once, and drills are no requests."""

import msgspec
from prometheus_client import CollectorRegistry

from steadyhand.records.annotation import Annotation
from steadyhand.telemetry.collectors import registry
from steadyhand.telemetry.metrics import RequestMetrics
from steadyhand.telemetry.names import edges
from steadyhand.telemetry.overhead import OverheadMetrics
from tests.support.records import ATTEMPT, note, record

WHOM = {"route": "support", "provider": "acme"}


def tokens(source: CollectorRegistry, **labels: str) -> float | None:
    return source.get_sample_value("steadyhand_extra_tokens_total", {**WHOM, **labels})


def test_late_tokens_are_counted_by_what_they_were_spent_on() -> None:
    metrics = OverheadMetrics()
    source = registry([metrics])
    metrics.consume_annotations([note(1), note(2), note(3, role="harvest", output_tokens=0)])
    metrics.consume_annotations([Annotation("req_1", "praise", 1, b"")])
    hedge = {"model": "acme-large", "role": "hedge", "counting": "estimated"}
    harvest = {**hedge, "role": "harvest"}
    assert tokens(source, direction="input", **hedge) == 200
    assert tokens(source, direction="output", **hedge) == 40
    assert tokens(source, direction="input", **harvest) == 100
    assert tokens(source, direction="output", **harvest) is None


def test_a_drill_counts_as_a_drill_and_as_nothing_else() -> None:
    drills, requests = OverheadMetrics(), RequestMetrics(edges([1_500]))
    source = registry([drills, requests])
    for consume in (drills.consume, requests.consume):
        consume([record(1, wire="drill"), record(2, wire="drill", reason="dead_key")])
    whom = {**WHOM, "kind": "live", "model": "acme-small"}
    found = source.get_sample_value
    assert found("steadyhand_drills_total", {**whom, "reason": "ok"}) == 1
    assert found("steadyhand_drills_total", {**whom, "reason": "dead_key"}) == 1
    spent = {"model": "acme-small", "role": "drill", "counting": "reported"}
    assert tokens(source, direction="input", **spent) == 200
    samples = {sample.name for family in requests.collect() for sample in family.samples}
    assert samples == set()


def test_tokens_of_attempts_that_were_not_the_answer_are_in_the_record() -> None:
    metrics = OverheadMetrics()
    source = registry([metrics])
    lost = msgspec.structs.replace(
        ATTEMPT, role="hedge", usage="estimated", input_tokens=7, output_tokens=0
    )
    metrics.consume([record(1, attempts=(ATTEMPT, lost))])
    hedge = {"model": "acme-small", "role": "hedge", "counting": "estimated"}
    assert tokens(source, direction="input", **hedge) == 7


def test_a_request_is_no_drill() -> None:
    drills = OverheadMetrics()
    drills.consume([record(1)])
    assert [family.samples for family in drills.collect()] == [[], []]
