"""The status file: written by a thread of the gateway, read by whoever finds it, in any state."""

import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from steadyhand.app.status_file import StatusFile, StatusSources
from steadyhand.records.clock import wall_clock_us
from steadyhand.telemetry.status import (
    FRESH_US,
    MOST_BYTES,
    CostStatus,
    DeploymentStatus,
    HedgeStatus,
    RungStatus,
    Status,
    read_status,
    read_statuses,
)
from tests.support.clone import eventually

NOW_US = 1_790_000_000_000_000
FAR = DeploymentStatus(
    "far", "m", "eu", "open", 0.25, "errors", NOW_US, whole=CostStatus(1, 2, 3, 4)
)


def put(path: Path, status: Status) -> Path:
    path.write_bytes(msgspec.json.encode(status))
    return path


async def written(file: StatusFile) -> None:
    """Publish once and wait for the thread."""
    task = asyncio.create_task(file.publish_for_ever())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.to_thread(file.join)


async def test_every_part_is_read_as_its_owner_said_it(tmp_path: Path) -> None:
    path = tmp_path / "gateway-3.status.json"
    sources = StatusSources(
        release=lambda: "sha256:ab",
        deployments=lambda: [FAR],
        rungs=lambda: [RungStatus("support", 1, "cache", proven_us=5, is_proven=True)],
        hedges=lambda: HedgeStatus(2.5, 10, {"won": 3}),
    )
    await written(StatusFile(path, 3, sources))
    status = read_status(path)
    assert status is not None
    assert (status.process, status.pid, status.release) == (3, os.getpid(), "sha256:ab")
    assert status.is_fresh(wall_clock_us())
    assert status.deployments == (FAR,)
    assert status.rungs[0].kind == "cache"
    assert status.hedges.outcomes == {"won": 3}
    assert os.listdir(tmp_path) == [path.name]  # no draft is left


async def test_a_folder_that_cannot_be_written_costs_the_view_only(tmp_path: Path) -> None:
    file = StatusFile(tmp_path / "gone" / "gateway-0.status.json", 0, StatusSources())
    await written(file)
    assert file.failures == 1
    (tmp_path / "gone").mkdir()
    assert file.status().write_failures == 1


async def test_a_disk_that_stalls_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "gateway-0.status.json"
    os.mkfifo(tmp_path / f".{path.name}.{os.getpid()}")  # opening it waits for a reader
    file = StatusFile(path, 0, StatusSources())
    task = asyncio.create_task(file.publish_for_ever())
    await asyncio.sleep(0)
    for _ in range(1_000):
        file.publish()  # returns at once, and keeps nothing
    assert file.waiting <= 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.to_thread((tmp_path / f".{path.name}.{os.getpid()}").read_bytes)
    await asyncio.to_thread(file.join)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"made_us": "soon"}',
        b'{"deployments": [{"share": []}]}',
        msgspec.json.encode(Status(made_us=NOW_US))[:-5],
        b" " * (MOST_BYTES + 1),
    ],
    ids=range(9),
)
def test_a_damaged_file_reads_as_none(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "gateway-0.status.json"
    path.write_bytes(damage)
    put(tmp_path / "gateway-1.status.json", Status(process=1, made_us=NOW_US))
    assert read_status(path) is None
    assert list(read_statuses(tmp_path, NOW_US)) == [1]


def test_a_missing_file_and_a_folder_in_its_place_read_as_none(tmp_path: Path) -> None:
    assert read_status(tmp_path / "gateway-0.status.json") is None
    (tmp_path / "gateway-0.status.json").mkdir()
    assert read_statuses(tmp_path, NOW_US) == {}


def test_a_newer_version_may_say_more_and_an_older_one_less(tmp_path: Path) -> None:
    path = tmp_path / "gateway-0.status.json"
    path.write_text('{"made_us": 7, "weather": {"sun": 1}, "deployments": [{"provider": "far"}]}')
    assert read_status(path) == Status(made_us=7, deployments=(DeploymentStatus("far"),))


@pytest.mark.parametrize("moved_us", [FRESH_US + 1, -FRESH_US - 1])
def test_what_is_old_is_unknown_whichever_way_the_clock_was_set(
    tmp_path: Path, moved_us: int
) -> None:
    put(tmp_path / "gateway-0.status.json", Status(made_us=NOW_US))
    assert list(read_statuses(tmp_path, NOW_US)) == [0]
    assert read_statuses(tmp_path, NOW_US + moved_us) == {}


def test_readers_never_see_a_part(tmp_path: Path) -> None:
    """Many deployments, written again and again while another process reads."""
    path = tmp_path / "gateway-0.status.json"
    many = tuple(DeploymentStatus(f"provider-{n}", "m" * 200) for n in range(500))
    file = StatusFile(path, 0, StatusSources(deployments=lambda: many))

    async def publish() -> list[Status | None]:
        task = asyncio.create_task(file.publish_for_ever())
        await asyncio.to_thread(eventually, path.exists, "a first status")
        seen = []
        for _ in range(200):
            file.publish()
            seen.append(read_status(path))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(file.join)
        return seen

    seen = asyncio.run(publish())
    assert {len(status.deployments) if status else 0 for status in seen} == {500}
