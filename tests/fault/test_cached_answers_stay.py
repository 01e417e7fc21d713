"""Answers that were kept stay: over restarts of every process, and until a flush everywhere."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.support.commands import steadyhand
from tests.support.installations import Installation, Upstreams, serving, settings_text
from tests.support.programs import eventually
from tests.support.raw_client import Answer

ROUTE = """
[[rungs]]
kind = "cache"
fresh_s = 3600

[[rungs]]
kind = "live"
provider = "up"
model = "steady"

[floor]
kind = "error"
"""
FLUSHED_WITHIN_S = 10.0
"""A second, on a machine with time to spare."""


def rung(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    return answer.headers["x-steadyhand-rung"]


def cached(house: Installation) -> dict[str, Any]:
    status, found = house.rest("/cache")
    assert status == 200, found
    return dict(found)


@pytest.fixture
def house(tmp_path: Path, upstreams: Upstreams) -> Iterator[Installation]:
    patient = "\n[cache]\ndatabase_timeout_ms = 1000\n"  # the machine is shared
    settings = settings_text(upstreams) + patient
    files = {"steadyhand.toml": settings, "routes/cached.toml": ROUTE}
    with serving(tmp_path, upstreams, files) as made:
        yield made


def test_kept_answers_outlive_every_process_until_they_are_flushed(house: Installation) -> None:
    first = house.ask("cached", user="Ada")
    assert rung(first) == "live"
    again = house.ask("cached", user="Ada")
    assert rung(again) == "cache"
    assert again.text() == first.text()
    assert int(again.headers["x-steadyhand-age-ms"]) >= 0
    assert rung(house.ask("cached", user="Bob")) == "live"
    eventually(lambda: cached(house)["database_entries"] == 2, "both answers to be stored")
    eventually(lambda: cached(house)["tiers"], "the gateway to say how its tiers are")
    assert [tier["tier"] for tier in cached(house)["tiers"]] == ["hot", "warm"]

    gateway = house.gateway_pid()
    os.kill(gateway, signal.SIGKILL)
    house.serve.says(r"gateway 0 ended with -9; starting it again")
    eventually(lambda: house.gateway_pid() != gateway, "another gateway")
    kept = house.ask("cached", user="Ada")
    assert rung(kept) == "cache", "from the database"
    assert kept.text() == first.text()

    control = house.control_pid()
    os.kill(control, signal.SIGKILL)
    assert rung(house.ask("cached", user="Ada")) == "cache", "from memory"
    assert rung(house.ask("cached", user="Eve")) == "live", "without a tier below"
    house.serve.says(r"control ended with -9; starting it again")
    eventually(lambda: house.rest("/cache")[0] == 200, "control to be back")

    url = f"http://127.0.0.1:{house.control_port}"
    done = steadyhand("cache", "flush", "--route", "cached", "--url", url, workspace=house.root)
    assert done.returncode == 0, done.stderr
    until_s = monotonic() + FLUSHED_WITHIN_S
    while rung(house.ask("cached", user="Ada")) == "cache":
        assert monotonic() < until_s, "a flush reaches every gateway"
        sleep(0.02)
    assert rung(house.ask("cached", user="Ada")) == "cache", "the new answer is kept"
