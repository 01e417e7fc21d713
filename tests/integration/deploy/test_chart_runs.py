"""The image runs as the chart says: its arguments, variables, probes and workspace volume."""

from collections.abc import Iterator
from hashlib import sha256

import pytest

from tests.support.charts import ConfigMapVolume, Rendered
from tests.support.containers import Image, Running, started
from tests.support.programs import eventually

KEY = "sk-client-of-the-chart"
KEYS = (
    f'[keys.web]\nhash = "sha256:{sha256(KEY.encode()).hexdigest()}"\n'
    'tenant = "shop"\nroutes = ["support"]\n'
)


@pytest.fixture(scope="module")
def chart(charts: dict[str, Rendered]) -> Rendered:
    return charts["as it is"]


@pytest.fixture(scope="module")
def pod(image: Image, chart: Rendered) -> Iterator[tuple[Running, ConfigMapVolume]]:
    container = image.container("chart")
    volume = ConfigMapVolume(container.volumes["/workspace"])
    volume.write(chart.one("ConfigMap")["data"] | {"keys.toml": KEYS}, items(chart))
    log = image.place / "chart.log"
    with started(container, log, chart.environment(), *chart.container["args"]) as running:
        yield running, volume


def items(chart: Rendered) -> list[dict[str, str]]:
    (volume,) = [v for v in chart.pod["spec"]["volumes"] if v["name"] == "workspace"]
    found: list[dict[str, str]] = volume["configMap"]["items"]
    return found


def test_probes_find_it_well_by_the_pods_address(
    pod: tuple[Running, ConfigMapVolume], chart: Rendered
) -> None:
    running = pod[0]
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        path = chart.container[name]["httpGet"]["path"]
        assert running.get(path, host="10.244.1.7:8080").status == 200, name
    eventually(
        lambda: running.get("/readyz", control=True, host="10.244.1.7:8081").status == 200,
        "control to be ready",
    )
    assert running.get("/metrics", control=True, host="10.244.1.7:8081").status == 200


def test_as_many_gateways_start_as_the_limit_has_cpus(
    pod: tuple[Running, ConfigMapVolume], chart: Rendered
) -> None:
    count = int(chart.container["resources"]["limits"]["cpu"])
    up = [
        line
        for line in pod[0].get("/metrics", control=True, host="x").body.decode().splitlines()
        if line.startswith("steadyhand_gateway_up{")
    ]
    assert len(up) == count


def test_a_changed_config_map_is_taken_over_without_a_restart(
    pod: tuple[Running, ConfigMapVolume], chart: Rendered
) -> None:
    running, volume = pod
    first = running.chat(KEY)
    assert (first.status, first.headers["x-steadyhand-rung"]) == (200, "live")
    data = chart.one("ConfigMap")["data"] | {"keys.toml": KEYS}
    route = data["routes__support.toml"].replace('model = "steady"', 'model = "error-500"')
    volume.write(data | {"routes__support.toml": route}, items(chart))
    eventually(
        lambda: running.chat(KEY).headers.get("x-steadyhand-rung") == "template",
        "the changed route",
    )
