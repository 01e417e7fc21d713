"""A provider breaks in a real installation: a webhook is told, once, with its runbook."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import steadyhand
from tests.support.installations import (
    Installation,
    Upstreams,
    route_text,
    serving,
    settings_text,
)
from tests.support.programs import eventually
from tests.support.webhooks import Receiver, receiving, status

SETTINGS = """
[objectives]
period_days = 0.05
sample_s = 0.2

[objectives.routes.failing]
answered = {target_percent = 90}

[alerts]
docs_url = "https://docs.example/"

[[alerts.webhooks]]
name = "team"
url = "file:hook.url"
secret = "file:hook.secret"
severities = ["page"]
group_wait_s = 0
timeout_s = 2
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def house(tmp_path: Path, upstreams: Upstreams, receiver: Receiver) -> Iterator[Installation]:
    files = {
        "steadyhand.toml": settings_text(upstreams) + SETTINGS,
        "routes/failing.toml": route_text("up/error-500"),
        "hook.url": receiver.url,
        "hook.secret": "a secret of ours",
    }
    with serving(tmp_path, upstreams, files) as made:
        yield made


def where(house: Installation) -> tuple[str, str]:
    return f"--workspace={house.root}", f"--url=http://127.0.0.1:{house.control_port}"


def told(receiver: Receiver) -> list[dict[str, Any]]:
    return [one for got in receiver.received for one in got.json["began"]]


def test_an_outage_reaches_the_webhook_with_its_runbook_and_once(
    house: Installation, receiver: Receiver, tmp_path: Path
) -> None:
    def fail() -> bool:
        house.ask("failing")
        return bool(told(receiver))

    eventually(fail, "the webhook to be told", within_s=120)
    burns = told(receiver)[0]
    assert burns["name"] == "SteadyhandBudgetBurns"
    assert burns["labels"] == {"route": "failing", "objective": "answered"}
    assert burns["runbook"] == (
        "https://docs.example/docs/operations/on-call.md#steadyhandbudgetburns"
    )
    firing = json.loads(steadyhand("alerts", "list", "--json", *where(house)).stdout)
    assert {one["name"] for one in firing} >= {"SteadyhandBudgetBurns"}

    before = house.control_pid()
    os.kill(before, signal.SIGKILL)
    eventually(lambda: house.control_pid() != before, "another control process")
    receiver.received.clear()
    done = eventually(
        lambda: steadyhand("alerts", "test", "team", "--timeout", "50", *where(house)),
        "the test",
        within_s=60,
    )
    assert done.returncode == 0, done.stderr
    assert not told(receiver)  # what it was told before, it is not told again

    got = receiver.received[-1]
    secret = tmp_path / "secret"
    secret.write_text("a secret of ours\n")
    head = got.headers
    given = (
        "alerts",
        "verify",
        f"--secret-file={secret}",
        f"--id={head['webhook-id']}",
        f"--timestamp={head['webhook-timestamp']}",
        f"--signature={head['webhook-signature']}",
    )
    genuine = steadyhand(*given, said=got.body.decode())
    assert (genuine.returncode, genuine.stdout) == (0, "genuine\n"), genuine.stderr
    refused = steadyhand(*given, said=got.body.decode() + " ")
    assert refused.returncode == 1
    assert "was not signed with this secret" in refused.stderr


def test_a_message_waits_for_a_receiver_that_is_gone(
    house: Installation, receiver: Receiver
) -> None:
    receiver.answer = status(503)
    failed = steadyhand("alerts", "test", "team", *where(house))
    assert failed.returncode == 1
    assert "team did not take the message: status 503" in failed.stderr
    receiver.answer = status(200)

    def is_delivered() -> bool:
        shown = steadyhand("alerts", "deliveries", "--json=state,is_test", *where(house)).stdout
        return {"state": "delivered", "is_test": True} in json.loads(shown)

    eventually(is_delivered, "the message to be taken", within_s=60)
    ids = {got.headers["webhook-id"] for got in receiver.received if got.json["type"] == "test"}
    assert len(ids) == 1
