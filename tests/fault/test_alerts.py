"""A real Prometheus scrapes a gateway whose provider fails: the shipped alerts fire, and stop."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installations import Installation, Upstreams, route_text, serving
from tests.support.ports import free_port
from tests.support.programs import eventually
from tests.support.prometheus import Prometheus, alerts, recorded, watching

FAILING = route_text("up/error-500")


@pytest.fixture
def house(tmp_path: Path, upstreams: Upstreams) -> Iterator[Installation]:
    with serving(tmp_path, upstreams, {"routes/failing.toml": FAILING}) as made:
        yield made


@pytest.fixture
def prometheus(tmp_path: Path, house: Installation) -> Iterator[Prometheus]:
    with watching(tmp_path / "prometheus", house.control_port, free_port()) as made:
        yield made


def is_open_seen(house: Installation, prometheus: Prometheus) -> bool:
    house.ask("failing")
    fired = prometheus.firing().get("SteadyhandBreakerOpen", [])
    return any((each["provider"], each["model"]) == ("up", "error-500") for each in fired)


def test_alerts_fire_for_a_provider_that_fails_and_stop_when_it_is_well(
    house: Installation, prometheus: Prometheus
) -> None:
    def floors_are_seen() -> bool:
        house.ask("failing")
        return "SteadyhandFloorSpeaks" in prometheus.firing()

    def health_is_seen() -> bool:
        health = prometheus.get("/query?query=steadyhand_status_fresh")
        return [sample["value"][1] for sample in health["result"]] == ["1"]

    eventually(health_is_seen, "the status file to be scraped", within_s=60)
    eventually(floors_are_seen, "SteadyhandFloorSpeaks", within_s=60)
    fired = prometheus.firing()
    assert fired["SteadyhandFloorSpeaks"][0]["route"] == "failing"
    eventually(lambda: is_open_seen(house, prometheus), "SteadyhandBreakerOpen", within_s=60)
    assert fired.keys().isdisjoint({"SteadyhandBlind", "SteadyhandGatewayDown"})
    assert {rule["name"]: rule["health"] for rule in prometheus.rules()} == dict.fromkeys(
        [*alerts(), *recorded()], "ok"
    )

    house.write("routes/failing.toml", route_text("up/steady"))

    def it_is_quiet() -> bool:
        house.ask("failing")
        return "SteadyhandFloorSpeaks" not in prometheus.firing()

    eventually(it_is_quiet, "SteadyhandFloorSpeaks to stop", within_s=60)
