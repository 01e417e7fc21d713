"""The capacity model finds the costs behind samples, and adds them up again."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.capacity import PAGE, newest, shape, with_measured
from benchmarks.capacity_model import EXAMPLE, UTILISATION, Coefficients, fitted, line, need

MEMORY = {
    "base_mb": 50.0,
    "shared_mb": 100.0,
    "connection_kb": 5.0,
    "stream_kb": 40.0,
    "log_bytes": 300.0,
    "sql_bytes": 600.0,
    "sent_kib": 1.0,
    "got_kib": 0.5,
}
costs = st.floats(0, 1e4)


@given(costs, costs, costs, costs, costs)
def test_the_costs_behind_samples_are_found(
    plain: float, in_kib: float, out_kib: float, stream: float, event: float
) -> None:
    found = fitted(
        {
            "in_kib": [(k, plain + in_kib * k + out_kib * 0.5) for k in (1, 16, 128)],
            "out_kib": [(k, plain + in_kib + out_kib * k) for k in (0.5, 16, 128)],
            "events": [(n, stream + in_kib + event * n) for n in (20, 60, 120)],
        },
        MEMORY,
    )
    wanted = (plain, in_kib, out_kib, stream, event)
    got = (found.plain_us, found.in_kib_us, found.out_kib_us, found.stream_us, found.event_us)
    assert got == pytest.approx(wanted, rel=1e-3, abs=0.5)


def test_no_cost_is_below_nothing() -> None:
    assert line([(1, 10), (2, 5), (3, 1)])[1] == 0.0
    assert line([(10, 1), (20, 100)])[0] == 0.0


COST = Coefficients(
    plain_us=100,
    stream_us=200,
    event_us=10,
    in_kib_us=1,
    out_kib_us=2,
    base_mb=50,
    shared_mb=100,
    connection_kb=5,
    stream_kb=40,
    log_bytes=300,
    sql_bytes=600,
)


def test_traffic_is_added_up() -> None:
    """500/s, 0.4 of them streams of 300 events over 8 s, 8 KiB in, 2 KiB out."""
    found = need(COST, EXAMPLE)
    assert found.plain_us == 100 + 8 + 4
    assert found.stream_us == 200 + 8 + 3_000
    assert found.busy_cores == pytest.approx(500 * (0.6 * 112 + 0.4 * 3_208) / 1e6)
    assert found.cores == pytest.approx(found.busy_cores / UTILISATION)
    assert found.memory_mb == pytest.approx(100 + 2 * 50 + 4_000 * 0.005 + 1_600 * 0.04)
    assert found.disk_gb == pytest.approx(120 * 86_400 * 30 * 600 / 1e9)


@given(st.floats(0, 1e5), st.floats(0, 1e5))
def test_more_traffic_never_needs_less(one: float, other: float) -> None:
    less, more = sorted((one, other))
    small, large = (need(COST, replace(EXAMPLE, per_s=rate)) for rate in (less, more))
    assert small.cores <= large.cores
    assert small.memory_mb <= large.memory_mb


def test_a_load_is_known_by_its_arguments() -> None:
    sent, got, events = shape(("--padding", "16384"))
    assert 16 < sent < 19
    assert 0 < got < 2
    assert events == 0
    assert shape(("--connections", "60", "--events", "20", "--gap-us", "1"))[1:] == (0.0, 20)
    assert shape(("--answer-chars", "16384"))[1] > 16


def test_the_page_shows_the_newest_result() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == with_measured(text, newest()), "run: python -m benchmarks.capacity --save NAME"
    result = json.loads(newest().read_text(encoding="utf-8"))
    assert newest().with_suffix(".md").exists()
    assert f"Measured {result['date']}" in text
    assert result["kind"] == "capacity"
