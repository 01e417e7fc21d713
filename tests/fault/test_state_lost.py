"""What lies on disk is damaged, locked or deleted under running processes."""

import os
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.support.installations import Installation, route_text
from tests.support.programs import eventually


def kill_gateway(house: Installation) -> None:
    """Kill the gateway process and wait until the next one answers."""
    before = house.gateway_pid()
    os.kill(before, signal.SIGKILL)
    eventually(lambda: house.gateway_pid() != before, "the next gateway process")


def snapshots(house: Installation, route: str) -> list[Path]:
    """Add a route; return the snapshot in force, which has it, and the one before."""
    house.write(f"routes/{route}.toml", route_text(f"up/steady:answer={route}"))
    folder = house.root / ".steadyhand/snapshot"
    found = [folder / "current.snapshot", folder / "previous.snapshot"]
    assert all(path.exists() for path in found)
    return found


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "deleted"])
def test_a_gateway_restarts_from_the_previous_snapshot_if_the_current_is_bad(
    module_house: Installation, damage: str
) -> None:
    """Deleted is not mended while the workspace itself is broken, too."""
    house, logged = module_house, len(module_house.serve.err)
    current, _ = snapshots(house, damage)
    good = current.read_bytes()
    broken = house.root / "routes/broken.toml"
    broken.write_text("slo = [")
    house.serve.says("workspace not taken over", after=logged)
    if damage == "deleted":
        current.unlink()
    else:
        changed = good.replace(b"wide", b"wild", 1)
        current.write_bytes({"cut": good[:-20], "changed": changed, "empty": b""}[damage])
    assert house.ask(damage).text() == damage, "the running process needs no file"

    kill_gateway(house)
    assert house.ask("answers").status == 200
    assert house.ask(damage).status == 404, "it serves what was in force before"
    house.serve.says("serving from previous.snapshot", after=logged)

    broken.unlink()
    eventually(lambda: house.ask(damage).status == 200, "the mended workspace")


def test_with_both_snapshots_gone_the_gateway_comes_back(module_house: Installation) -> None:
    for path in snapshots(module_house, "more"):
        path.unlink()
    assert module_house.ask("more").text() == "more", "the running process needs no file"
    kill_gateway(module_house)
    assert module_house.ask("more").text() == "more"


def test_a_locked_database_stops_no_answer_and_loses_no_record(
    module_house: Installation,
) -> None:
    path = module_house.root / ".steadyhand/steadyhand.db"
    first = module_house.ask("up/steady").request_id
    module_house.record(first)
    holder = sqlite3.connect(path, timeout=20, isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        answers = [module_house.ask("up/steady") for _ in range(50)]
        module_house.serve.says("records of writer .* wait")
        assert {answer.status for answer in answers} == {200}
        assert not module_house.stored().keys() & {answer.request_id for answer in answers}
        holder.execute("ROLLBACK")
    finally:
        holder.close()
    for answer in answers:
        module_house.record(answer.request_id)
    assert set(module_house.stored().values()) == {1}


def test_a_deleted_database_stops_no_answer_and_is_made_again(own_house: Installation) -> None:
    own_house.record(own_house.ask("up/steady").request_id)
    for path in (own_house.root / ".steadyhand").glob("steadyhand.db*"):
        path.unlink()
    assert [own_house.ask("up/steady").status for _ in range(20)] == [200] * 20
    os.kill(own_house.control_pid(), signal.SIGKILL)
    own_house.serve.says("control ended with -9")
    after = own_house.ask("up/steady")
    assert after.status == 200
    eventually((own_house.root / ".steadyhand/steadyhand.db").exists, "a new database")
    assert own_house.record(after.request_id)["outcome"] == "answered"


def test_a_record_log_that_cannot_be_written_stops_no_answer(own_house: Installation) -> None:
    """The folder is gone and a file stands in its way: as a full disk, for the log."""
    log = own_house.root / ".steadyhand/log"
    own_house.record(own_house.ask("up/steady").request_id)
    os.rename(log, log.with_name("log.away"))
    log.write_text("in the way")
    answers = [own_house.ask("up/steady") for _ in range(50)]
    assert {answer.status for answer in answers} == {200}
    own_house.serve.says(r"record")
    log.unlink()
    os.rename(log.with_name("log.away"), log)
    for answer in answers:
        own_house.record(answer.request_id)
