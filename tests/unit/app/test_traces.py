"""What the control process knows beside records, and which secrets a receiver is told."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from steadyhand.app.traces import MOST_SNAPSHOTS, Knowing, Traces, poster, told_of
from steadyhand.records.outbox.told import NOBODY
from steadyhand.routing.model import Route, RungEntry
from steadyhand.settings.load import load
from steadyhand.settings.model import Settings
from steadyhand.snapshot.model import ProviderEntry, Released, Snapshot
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url
from steadyhand.telemetry.settings import TraceSettings
from steadyhand.telemetry.traces.known import Prompt
from tests.support.control_plane import SNAPSHOT
from tests.support.prompts import prompt_of
from tests.support.records import record
from tests.support.webhooks import Receiver, receiving, status
from tests.support.workspaces import write

FLOOR = RungEntry("error", msgspec.Raw(b"{}"))


def changed(**what: Any) -> Snapshot:
    return msgspec.structs.replace(SNAPSHOT, **what)


def knowing(*snapshots: Snapshot) -> Knowing:
    """Return what has seen these, one after the other."""
    found: list[Snapshot | None] = [None]
    made = Knowing(lambda: found[0], dict, content=False)
    assert made().providers == {}
    for each in snapshots:
        found[0] = each
        made()
    return made


def test_the_prompt_is_that_of_what_answered() -> None:
    route = Route("support", "interactive", (), FLOOR, prompt_of("Be brief."))
    released = Released("sha256:99", route, SNAPSHOT.slo_classes["interactive"])
    known = knowing(changed(releases={"sha256:99": released}))()
    name = prompt_of("Be kind.")
    assert name is not None
    by_workspace = record(1, release=SNAPSHOT.digest)
    assert known.prompt(by_workspace) == Prompt(name.name, SNAPSHOT.digest)
    by_release = record(1, release=SNAPSHOT.digest, route_release="sha256:99")
    assert known.prompt(by_release) == Prompt(name.name, "sha256:99")
    assert known.prompt(record(1, release=SNAPSHOT.digest, route="labels")) is None
    assert known.prompt(record(1, release="sha256:unknown")) is None


def test_snapshots_of_late_are_known_and_memory_is_bounded() -> None:
    seen = [changed(digest=f"sha256:{number}") for number in range(MOST_SNAPSHOTS + 5)]
    known = knowing(*seen)()
    assert known.prompt(record(1, release="sha256:3")) is None
    assert known.prompt(record(1, release="sha256:5")) is not None


def test_providers_are_known_by_their_host() -> None:
    providers = {
        "eu": ProviderEntry("openai", msgspec.Raw(b'{"base_url":"https://api.mistral.ai/v1"}')),
        "groq": ProviderEntry("simulated", msgspec.Raw(b"{}")),
        "odd": ProviderEntry("other", msgspec.Raw(b'{"base_url":7}')),
    }
    known = knowing(changed(providers=providers))()
    assert known.providers == {"eu": "mistral_ai", "groq": "groq", "odd": "odd"}


def test_nothing_is_kept_for_nobody() -> None:
    assert told_of(TraceSettings()) is NOBODY
    told = told_of(TraceSettings(endpoint="http://127.0.0.1:4318"))
    assert told.wants(record(1))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        made.answer = status(200)
        yield made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(write(tmp_path / "workspace"), {}, {})


def test_the_receiver_is_told_its_secret(
    tmp_path: Path, settings: Settings, receiver: Receiver
) -> None:
    told = TraceSettings(
        endpoint=f"http://127.0.0.1:{receiver.port}", headers={"authorization": "file:token"}
    )
    send = poster(replace(settings, traces=told))
    lost = send(b"spans")
    assert (lost.status, receiver.received) == (0, [])
    assert "token" in lost.problem
    (settings.workspace / "token").write_text("Bearer one")
    (settings.workspace / "token").chmod(0o600)
    assert send(b"spans").status == 200
    (request,) = receiver.received
    assert request.headers["authorization"] == "Bearer one"
    assert request.body == b"spans"


def test_where_no_traces_are_sent_nothing_runs(tmp_path: Path, settings: Settings) -> None:
    database = open_database(sqlite_url(tmp_path / "x.db"))
    upgrade(database)
    sources = CollectorRegistry()
    none = Traces(settings, database, lambda: None, dict)
    none.register(sources)
    none.start()
    none.stop()
    assert list(sources.collect()) == []
    told = replace(settings, traces=TraceSettings(endpoint="http://127.0.0.1:9"))
    some = Traces(told, database, lambda: None, dict)
    some.register(sources)
    some.start()
    some.stop()
    assert len(list(sources.collect())) == 6
