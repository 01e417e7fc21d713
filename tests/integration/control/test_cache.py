"""The cache over REST and by command: its tiers as gateways see them, and flushes."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from steadyhand.app.cache_host import cache_ports
from steadyhand.app.state import State
from steadyhand.caching import epoch_file
from steadyhand.caching.store import CacheStore
from steadyhand.records.clock import wall_clock_us
from steadyhand.settings.load import load
from steadyhand.snapshot.model import Snapshot
from steadyhand.telemetry.status import Status, TierStatus
from steadyhand.tenancy.model import Key
from tests.support.cache_tiers import cache_database, item
from tests.support.commands import steadyhand
from tests.support.control_plane import SNAPSHOT, RunningControl, running_control
from tests.support.workspaces import write

KEYS = {"ab" * 32: Key("app", "acme", "stable", routes=("*",))}
PUBLISHED: Snapshot = msgspec.structs.replace(SNAPSHOT, keys=KEYS)
HOT = TierStatus("hot", "memory", True, 3, 2_048, {"hit": 1_200, "miss": 7}, {"kept": 9})
WARM = TierStatus("warm", "redis", False, lookups={"skipped": 4}, failures={"timeout": 3})


@pytest.fixture
def house(tmp_path: Path) -> Iterator[tuple[RunningControl, State, CacheStore]]:
    state = State(load(write(tmp_path), {}, {}))
    state.prepare()
    database = cache_database(tmp_path / "cache.db")
    store = CacheStore(database)
    store.put([item(1), item(2, route="labels"), item(3, tenant="globex")])
    ports = cache_ports(state, store, lambda: PUBLISHED)
    with running_control(tmp_path, cache=ports) as control:
        yield control, state, store
    database.close()


def say(state: State) -> None:
    """Have the gateway say how it is: what was said five seconds ago counts no more."""
    said = Status(process=0, made_us=wall_clock_us(), tiers=(HOT, WARM))
    state.status(0).write_bytes(msgspec.json.encode(said))


def run(control: RunningControl, *arguments: str) -> subprocess.CompletedProcess[str]:
    return steadyhand("cache", *arguments, "--url", control.url, workspace=control.workspace)


def test_it_is_shown(house: tuple[RunningControl, State, CacheStore]) -> None:
    control, state, store = house
    say(state)
    answer = control.ask("/cache")
    assert answer.status == 200
    hot, warm = answer.json["tiers"]
    assert (hot["tier"], hot["entries"], hot["lookups"]) == ("hot", 3, {"hit": 1_200, "miss": 7})
    assert (warm["is_up"], warm["entries"], warm["failures"]) == (False, None, {"timeout": 3})
    assert (answer.json["database_entries"], answer.json["flushes"]) == (3, [])
    assert answer.json["database_bytes"] == store.stock().size_bytes

    say(state)
    shown = run(control, "show")
    assert shown.returncode == 0
    lines = [line.split("\t") for line in shown.stdout.splitlines()]
    assert lines[0][:7] == ["0", "hot", "memory", "yes", "3", "2,048", "hit 1,200, miss 7"]
    assert lines[1][3:6] == ["no", "-", "-"]
    assert shown.stderr.startswith("database: 3 entries")
    say(state)
    assert json.loads(run(control, "show", "--json").stdout) == answer.json


def test_a_flush_begins_an_epoch_and_deletes(
    house: tuple[RunningControl, State, CacheStore],
) -> None:
    control, state, store = house
    done = run(control, "flush", "--route", "support", "--tenant", "acme")
    assert (done.returncode, done.stdout) == (
        0,
        "flushed route support, tenant acme; from the database: 1 deleted\n",
    )
    epochs = epoch_file.read(state.cache_epochs)
    assert epochs is not None
    assert epochs.of("support", "acme") > 0
    assert epochs.of("labels", "acme") == 0
    assert store.stock().entries == 2
    flushed = json.loads(run(control, "flush", "--json").stdout)
    assert (flushed["route"], flushed["tenant"], flushed["deleted"]) == ("", "", 2)
    (left,) = control.ask("/cache").json["flushes"]
    assert left == {"route": "", "tenant": "", "epoch": flushed["epoch"]}


@pytest.mark.parametrize(
    ("option", "said"), [("--route", "no route 'suport'"), ("--tenant", "no tenant 'suport'")]
)
def test_a_name_that_is_not_there_flushes_nothing(
    house: tuple[RunningControl, State, CacheStore], option: str, said: str
) -> None:
    control, state, store = house
    done = run(control, "flush", option, "suport")
    assert done.returncode != 0
    assert said in done.stderr
    assert not state.cache_epochs.exists()
    assert store.stock().entries == 3


def test_a_gateway_that_says_nothing_has_no_tiers_rather_than_old_ones(
    house: tuple[RunningControl, State, CacheStore],
) -> None:
    control, _, _ = house
    assert control.ask("/cache").json["tiers"] == []


def test_what_cannot_be_known_is_not_made_up(
    house: tuple[RunningControl, State, CacheStore], tmp_path: Path
) -> None:
    control, state, _ = house
    with cache_database(tmp_path / "cache.db").write() as connection:
        connection.exec_driver_sql("DROP TABLE cache_entries")
    state.cache_epochs.write_text("{")
    answer = control.ask("/cache").json
    assert (answer["database_entries"], answer["flushes"]) == (None, None)
    done = run(control, "flush")  # gateways need no database to forget
    assert done.stdout == "flushed every route, every tenant; from the database: not reached\n"
    assert epoch_file.read(state.cache_epochs) is not None
    assert "-" in run(control, "show").stderr
