"""Everything between a fault and a person: an installation, Prometheus, Alertmanager, a webhook."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.alertmanager import Alertmanager, alerting, configuration
from tests.support.commands import steadyhand
from tests.support.installations import Installation, Upstreams, serving
from tests.support.ports import free_port
from tests.support.prometheus import Prometheus, watching
from tests.support.webhooks import Receiver, receiving


@dataclass
class Chain:
    """Everything between a fault and a person."""

    house: Installation
    prometheus: Prometheus
    alertmanager: Alertmanager
    people: Receiver

    def told(self, status: str) -> list[dict[str, Any]]:
        """Return the alerts that people were told, of a status."""
        return [
            alert
            for got in self.people.received
            for alert in got.json["alerts"]
            if alert["status"] == status
        ]

    def hints(self) -> list[dict[str, Any]]:
        """Return what the control plane heard."""
        status, found = self.house.rest("/alerts?limit=500")
        assert status == 200, found
        return list(found["hints"])


@contextmanager
def chained(
    folder: Path, upstreams: Upstreams, files: Mapping[str, str], rules: str | None = None
) -> Iterator[Chain]:
    """Run all of it until the block ends; ``rules`` as for :func:`watching`."""
    with serving(folder, upstreams, files) as house, receiving() as people:
        made = steadyhand(
            "principal", "create", "alertmanager", "--role=alert", f"--workspace={house.root}"
        )
        assert made.returncode == 0, made.stderr
        token = folder / "alertmanager.token"
        token.write_text(made.stdout.strip())
        text = configuration(people.url, house.control_port, token)
        port = free_port()
        with (
            alerting(folder / "alertmanager", free_port(), text) as alertmanager,
            watching(
                folder / "prometheus", house.control_port, port, rules, alertmanager.port
            ) as prometheus,
        ):
            yield Chain(house, prometheus, alertmanager, people)
