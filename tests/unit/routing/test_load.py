"""The load of a deployment: worse at once, better only slowly, worse with each call that waits."""

from math import exp

import pytest

from steadyhand.routing.load import DECAY_S, UNKNOWN_WAITING_S, Loads, PeakEwma
from steadyhand.routing.model import DeploymentId


def test_nobody_knows_it_yet_so_it_is_asked_but_not_by_all_at_once() -> None:
    load = PeakEwma()
    assert load.load == 0
    load.began()
    assert load.load == UNKNOWN_WAITING_S * 2
    load.ended()
    assert load.load == 0


def test_a_peak_counts_at_once_and_fades() -> None:
    load = PeakEwma()
    load.took(0.1, now_s=0.0)
    load.took(2.0, now_s=1.0)
    assert load.load == 2.0
    load.took(0.1, now_s=1.0 + DECAY_S)
    assert load.load == pytest.approx(2.0 * exp(-1) + 0.1 * (1 - exp(-1)))


def test_waiting_calls_make_it_worse() -> None:
    load = PeakEwma()
    load.took(0.5, now_s=0.0)
    for _ in range(3):
        load.began()
    assert load.load == 2.0


def test_a_clock_that_steps_back_forgets_nothing() -> None:
    load = PeakEwma()
    load.took(1.0, now_s=100.0)
    load.took(0.0, now_s=50.0)
    assert load.load == 1.0


def test_a_deployment_has_one_load() -> None:
    loads = Loads()
    here = DeploymentId("acme", "m")
    assert loads.of(here) is loads.of(DeploymentId("acme", "m"))
    assert loads.of(here) is not loads.of(DeploymentId("acme", "m", "eu"))
