"""What a route would find now, from what a gateway says, and from priors where it says nothing."""

import msgspec

from steadyhand.routing.model import Route, RungEntry
from steadyhand.routing.planning.outlook import outlook
from steadyhand.routing.planning.situation import Cost, Situation
from steadyhand.telemetry.status import CostStatus, DeploymentStatus, RungStatus, Status

FLOOR = RungEntry("error", msgspec.Raw(b"{}"))
PAIR = RungEntry(
    "live",
    msgspec.Raw(
        b'{"deployments":[{"provider":"eu","model":"m","region":"eu"},{"provider":"us","model":"m"}],'
        b'"hedge":true,"give_up_ms":400.5,"strategy":"weighted"}'
    ),
)
SINGLE = RungEntry("live", msgspec.Raw(b'{"provider":"backup","model":"small"}'))
CACHE = RungEntry("cache", msgspec.Raw(b"{}"))
ROUTE = Route("support", "interactive", (PAIR, CACHE, SINGLE), FLOOR)
PRIOR = Cost(1, 2, 3, 0)
COST = CostStatus(100, 200, 300, 50)


def now(status: Status | None, *, stream: bool = True) -> Situation:
    return outlook(
        ROUTE, status, {"cache": PRIOR}, budget_us=1_500_000, cap_us=60_000_000, stream=stream
    )


def test_without_a_gateway_all_is_prior_and_well() -> None:
    found = now(None)
    assert [one.rung for one in found.candidates] == [0, 0, 1, 2]
    assert [one.provider for one in found.candidates] == ["eu", "us", "", "backup"]
    assert found.candidates[0].region == "eu"
    assert found.candidates[0].may_hedge
    assert found.candidates[0].limit_us == 400_500
    assert found.candidates[2].cost == PRIOR
    assert {one.health for one in found.candidates} == {"closed"}
    assert {one.share for one in found.candidates} == {1.0}
    assert all(one.is_proven for one in found.candidates)
    assert (found.policy.harvests, found.policy.cap_us) == (True, 60_000_000)


def test_what_a_gateway_says_is_taken_over() -> None:
    status = Status(
        deployments=(
            DeploymentStatus("eu", "m", "eu", "open", 0.25, stream=COST),
            DeploymentStatus("us", "m", "", "strange", 1.0, whole=COST),
        ),
        rungs=(
            RungStatus("support", 1, "cache", reason="redis_down"),
            RungStatus("support", 2, "live", "backup", "small", proven_us=5, is_proven=False),
            RungStatus("other", 0, "live", "us", "m", proven_us=5, is_proven=False),
        ),
    )
    eu, us, cache, backup = now(status).candidates
    assert (eu.health, eu.share, eu.cost) == ("open", 0.25, Cost(100, 200, 300, 50))
    assert (us.health, us.cost.samples, us.is_proven) == ("closed", 0, True)
    assert not cache.is_proven
    assert not backup.is_proven
    assert now(status, stream=False).candidates[1].cost.samples == 50


def test_a_rung_that_was_never_tried_counts_as_proven() -> None:
    status = Status(rungs=(RungStatus("support", 2, "live", "backup", "small"),))
    assert now(status).candidates[3].is_proven
