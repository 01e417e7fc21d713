"""Processes that disagree are summed up carefully; what nobody said is unknown."""

from steadyhand.control.upstream_health import merged
from steadyhand.telemetry.status import CostStatus, DeploymentStatus, Status


def said(process: int, **what: object) -> Status:
    return Status(process, deployments=(DeploymentStatus("far", "m", **what),))  # type: ignore[arg-type]


def test_the_worst_state_the_mean_share_and_the_busiest_latencies() -> None:
    statuses = {
        0: said(
            0,
            state="closed",
            share=1.0,
            in_flight=2,
            stream=CostStatus(100_000, 200_000, 300_000, 7),
            openings={"errors": 1},
            changed_us=5,
            reason="recovered",
        ),
        1: said(
            1,
            state="open",
            share=0.5,
            in_flight=1,
            stream=CostStatus(900_000, 900_000, 900_000, 3),
            drift=2.5,
            openings={"errors": 2, "slow": 1},
            refused={"breaker_open": 4},
            changed_us=9,
            probe_at_us=70,
            reason="errors",
        ),
        2: Status(2),
    }
    view = merged(statuses, "far", "m", "")
    assert view is not None
    assert (view.state, view.share, view.in_flight, view.drift) == ("open", 0.75, 3, 2.5)
    assert (view.reason, view.since_us, view.probe_at_us) == ("errors", 9, 70)
    assert view.openings == {"errors": 3, "slow": 1}
    assert view.kept_away == {"breaker_open": 4}
    assert view.first_content is not None
    assert (view.first_content.p50_ms, view.first_content.samples) == (100, 7)
    assert view.whole is None
    assert [each.process for each in view.processes] == [0, 1]
    assert [each.state for each in view.processes] == ["closed", "open"]


def test_what_nobody_said_is_unknown_and_not_healthy() -> None:
    statuses = {0: said(0, state="closed")}
    assert merged({}, "far", "m", "") is None
    assert merged(statuses, "far", "other", "") is None
    assert merged(statuses, "far", "m", "eu") is None
    view = merged(statuses, "far", "m", "")
    assert view is not None
    assert (view.since_us, view.probe_at_us, view.drift, view.first_content) == (None,) * 4


def test_a_state_of_a_newer_version_is_shown_as_it_is() -> None:
    view = merged({0: said(0, state="resting")}, "far", "m", "")
    assert view is not None
    assert view.state == "resting"
