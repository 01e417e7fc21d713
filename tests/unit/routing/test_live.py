"""A live rung asks its own deployments, and leaves times and failures to whoever knows them."""

from math import inf
from typing import Any

import pytest
from pydantic import ValidationError

from steadyhand.core.errors import ConfigurationError
from steadyhand.providers.base import Call
from steadyhand.routing.model import DeploymentId
from steadyhand.routing.ports import RungPorts
from steadyhand.routing.rungs import live
from tests.support.chats import chat_body, error_body
from tests.support.upstreams import ScriptedProvider, answers

ACME = {"provider": "acme", "model": "m"}
OTHER = {"provider": "other", "model": "n", "region": "eu"}


def built(**settings: Any) -> live.Live:
    """Build a rung; by default of both deployments."""
    table = settings if "provider" in settings else {"deployments": [ACME, OTHER], **settings}
    ports = RungPorts({"acme": ScriptedProvider([]), "other": ScriptedProvider([])})
    return live.build(live.Settings.model_validate(table), ports)


def order(rung: live.Live, draw: float = 0.0, unit: str = "") -> list[str]:
    return [deployment.id.provider for deployment in rung.candidates(draw, unit)]


async def test_it_passes_on_the_ladders_times_and_no_others() -> None:
    provider = ScriptedProvider([answers()])
    rung = live.build(
        live.Settings.model_validate({**ACME, "give_up_ms": 250}), RungPorts({"acme": provider})
    )
    (deployment,) = rung.candidates(0.5, "")
    call = Call(chat_body(), deployment.id.model, stream=False, asks_usage=False)
    reply = await deployment.open(call, give_up_at_s=7.0, cap_s=9.0)
    assert reply.status == 200
    assert provider.calls == [call]
    (limits,) = provider.limits
    assert (limits.give_up_at_s, limits.total_s) == (7.0, 9.0)
    assert (limits.connect_s, limits.first_byte_s, limits.idle_s) == (inf, inf, inf)
    assert (deployment.id, deployment.give_up_ms) == (DeploymentId("acme", "m"), 250)
    assert not live.IS_FLOOR


def test_failures_are_named_by_the_provider() -> None:
    (deployment,) = built(**ACME).deployments
    failure = deployment.classify(429, {b"retry-after": b"3"}, error_body("slow down"))
    assert (failure.reason, failure.retry_after_s) == ("rate_limited", 3)


@pytest.mark.parametrize("table", [ACME, {"deployments": [ACME]}])
def test_an_unknown_provider_is_named_with_what_to_do(table: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"no provider 'acme' \(add \[providers.acme\]\)"):
        live.build(live.Settings.model_validate(table), RungPorts({}))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({**ACME, "give_up_ms": 0}, "greater than 0"),
        ({**ACME, "give_up_ms": -1}, "greater than 0"),
        ({**ACME, "model": ""}, "at least 1 character"),
        ({}, "name whom to ask"),
        ({"provider": "acme"}, "name whom to ask"),
        ({"model": "m"}, "name whom to ask"),
        ({**ACME, "deployments": [OTHER]}, "not both"),
        ({"deployments": [ACME], "region": "eu"}, "each table of deployments"),
        ({"deployments": [ACME, ACME]}, "stand there twice"),
        ({"deployments": [{**ACME, "weight": -1}]}, "greater than or equal to 0"),
        ({"deployments": [{**ACME, "weight": inf}]}, "finite"),
        ({"deployments": [{**ACME, "weight": 0}], "strategy": "weighted"}, "all weights are 0"),
        ({"deployments": [ACME], "sticky": "user"}, "strategy = 'weighted'"),
        ({"deployments": [ACME], "sticky": "user", "strategy": "latency"}, "strategy = 'weighted'"),
        ({"deployments": [ACME], "strategy": "random"}, "'priority', 'weighted' or 'latency'"),
    ],
)
def test_settings_that_could_not_work_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        live.Settings.model_validate(settings)


def test_the_same_model_in_two_regions_is_two_deployments() -> None:
    rung = built(deployments=[ACME, {**ACME, "region": "eu"}])
    assert [deployment.id for deployment in rung.deployments] == [
        DeploymentId("acme", "m"),
        DeploymentId("acme", "m", "eu"),
    ]


def test_by_default_deployments_go_in_their_order() -> None:
    rung = built()
    assert (order(rung, 0.0), order(rung, 0.99)) == (["acme", "other"], ["acme", "other"])
    assert not rung.may_hedge


def test_priorities_go_before_the_order() -> None:
    rung = built(deployments=[{**ACME, "priority": 2}, {**OTHER, "priority": 1}])
    assert order(rung, 0.3) == ["other", "acme"]


def test_weights_follow_the_draw() -> None:
    rung = built(deployments=[{**ACME, "weight": 3}, OTHER], strategy="weighted")
    assert order(rung, 0.74) == ["acme", "other"]
    assert order(rung, 0.76) == ["other", "acme"]


def test_a_sticky_unit_takes_the_place_of_the_draw() -> None:
    rung = built(strategy="weighted", sticky="user")
    assert rung.sticky == "user"
    assert len({tuple(order(rung, draw / 10, "ada")) for draw in range(10)}) == 1
    assert len({tuple(order(rung, 0.5, f"user {number}")) for number in range(50)}) == 2


def test_who_names_no_unit_is_drawn() -> None:
    rung = built(strategy="weighted", sticky="user")
    assert order(rung, 0.1) != order(rung, 0.9)


def test_by_latency_the_less_loaded_goes_first() -> None:
    rung = built(strategy="latency")
    slow = rung.deployments[0].load
    assert slow is not None
    slow.took(2.0, now_s=1.0)
    assert {tuple(order(rung, draw / 10)) for draw in range(10)} == {("other", "acme")}


def test_loads_outlive_a_snapshot() -> None:
    ports = RungPorts({"acme": ScriptedProvider([])})
    table = {"deployments": [ACME], "strategy": "latency"}
    one, two = (live.build(live.Settings.model_validate(table), ports) for _ in range(2))
    assert one.deployments[0].load is two.deployments[0].load
    assert built().deployments[0].load is None
