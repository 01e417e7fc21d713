"""The lease of candidates: written by control, read by gateways."""

import asyncio
from pathlib import Path

import pytest

from steadyhand.app import leases
from steadyhand.app.rollouts import Exposer
from steadyhand.records.clock import wall_clock_us
from steadyhand.routing.exposure import LEASE_S, Lease

LEASE_US = int(LEASE_S * 1e6)


def test_a_lease_holds_for_half_a_minute(tmp_path: Path) -> None:
    before_us = wall_clock_us()
    leases.renew(tmp_path / "lease")
    until_us, drained = leases.read(tmp_path / "lease")
    assert before_us + LEASE_US <= until_us <= wall_clock_us() + LEASE_US
    assert drained == frozenset()
    assert [path.name for path in tmp_path.iterdir()] == ["lease"]


@pytest.mark.parametrize("content", [None, b"", b"soon", b"\xff", b"99999999999999999999"])
def test_what_is_no_lease_is_none(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "lease").write_bytes(content)
    assert leases.read(tmp_path / "lease")[0] == 0


async def test_gateways_follow_it_and_lose_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LOOK_S", 0.01)
    lease = Lease()
    watching = asyncio.create_task(leases.watch(tmp_path / "lease", lease))
    leases.renew(tmp_path / "lease", ["off"])
    async with asyncio.timeout(10):
        while not lease.until_us:  # noqa: ASYNC110 - a file is watched
            await asyncio.sleep(0.01)
        assert lease.drained == frozenset({"off"})
        (tmp_path / "lease").unlink()
        while lease.until_us:  # noqa: ASYNC110 - a file is watched
            await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.wait([watching])


def test_a_full_disk_lets_it_run_out(tmp_path: Path) -> None:
    expose = Exposer(tmp_path / "no" / "folder" / "lease")
    expose(["off"])
    assert expose.drained == ()


def test_it_is_written_at_once_if_others_are_drained_and_else_now_and_then(
    tmp_path: Path,
) -> None:
    expose = Exposer(tmp_path / "lease")
    expose([])
    first = (tmp_path / "lease").stat().st_ino
    expose([])
    assert (tmp_path / "lease").stat().st_ino == first
    expose(["off"])
    assert leases.read(tmp_path / "lease")[1] == frozenset({"off"})
    assert expose.drained == frozenset({"off"})
