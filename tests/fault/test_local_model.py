"""A model's process crashes, hangs, loads slowly or not at all; its host says so at once."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from tests.support.local_models import Bench, install_fake_engine, loading, model_bench, until
from tests.support.programs import is_running

AT_ONCE_S = 10.0
"""Bounds what must not wait for a deadline, on a machine that may stall for seconds."""


@pytest.fixture(scope="module", autouse=True)
def fake_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        install_fake_engine(tmp_path_factory.mktemp("engine"), patch)
        yield


async def restarted(bench: Bench, pid: int) -> None:
    await until(lambda: bench.model.pid not in (0, pid) and bench.model.phase == "up")


async def test_a_crash_ends_only_what_was_in_the_process(tmp_path: Path) -> None:
    async with model_bench(tmp_path, parallel=2) as bench:
        await bench.until("up")
        assert (await bench.ask("say=1")).status == 200
        first = bench.model.pid
        whole = await bench.ask("say=3 crash=1")
        assert (whole.status, whole.code) == (503, "model_crashed")
        assert bench.provider.classify(503, {}, whole.body).reason == "model_crashed"
        await restarted(bench, first)
        assert not is_running(first)
        second = bench.model.pid
        broken = await bench.ask("say=3 crash=2", stream=True)
        assert broken.status == 200
        assert b"w1" in broken.body
        assert b'"code":"model_crashed"' in broken.body
        assert b"[DONE]" not in broken.body
        await restarted(bench, second)
        assert (await bench.ask("say=1")).status == 200
        assert bench.model.counts.crashed == 2
        assert bench.model.counts.restarts == 2


async def test_a_killed_process_frees_those_who_wait(tmp_path: Path) -> None:
    async with model_bench(tmp_path, parallel=1) as bench:
        await bench.until("up")
        pid = bench.model.pid
        asked = [asyncio.create_task(bench.ask("endless gap_ms=5")) for _ in range(3)]
        await until(lambda: bench.model.waiting == 2)
        os.kill(pid, signal.SIGKILL)
        codes = sorted([(await one).code for one in asked])
        assert codes[0] == "model_crashed"
        assert set(codes[1:]) <= {"model_unavailable", "model_loading"}
        await restarted(bench, pid)
        assert (await bench.ask("say=1")).status == 200


async def test_while_it_loads_a_request_is_refused_at_once(tmp_path: Path) -> None:
    loading(tmp_path, wait_s=3)
    async with model_bench(tmp_path) as bench:
        began_s = monotonic()
        heard = await bench.ask("say=1", left_s=60)
        assert (heard.status, heard.code) == (503, "model_loading")
        assert "% is in memory" in heard.json["error"]["message"]
        assert monotonic() - began_s < AT_ONCE_S
        assert 0 <= bench.model.loaded_share() < 1
        await bench.until("up")
        assert bench.model.loaded_share() == 1
        assert (await bench.ask("say=1")).status == 200
        assert bench.model.counts.refused == {"model_loading": 1}


@pytest.mark.parametrize(
    ("orders", "why"), [({"fail": "no such tensor"}, "no such tensor"), ({"crash": True}, "-6")]
)
async def test_a_model_that_cannot_be_loaded_is_tried_again_later(
    tmp_path: Path, orders: dict[str, object], why: str
) -> None:
    loading(tmp_path, **orders)
    async with model_bench(tmp_path) as bench:
        await bench.until("down")
        heard = await bench.ask("say=1", left_s=60)
        assert (heard.status, heard.code) == (503, "model_unavailable")
        assert why in heard.json["error"]["message"]
        loading(tmp_path)
        await bench.until("up")
        assert bench.model.counts.load_failures >= 1
        assert (await bench.ask("say=1")).status == 200


async def test_a_process_that_hangs_is_killed(tmp_path: Path) -> None:
    async with model_bench(tmp_path, stall_timeout_s=1.5) as bench:
        await bench.until("up")
        pid = bench.model.pid
        heard = await bench.ask("say=3 hang=1", stream=True, left_s=60)
        assert b'"code":"model_stalled"' in heard.body
        await restarted(bench, pid)
        assert bench.model.counts.stalls == 1
        assert (await bench.ask("say=1")).status == 200


async def test_a_model_that_is_put_away_says_so(tmp_path: Path) -> None:
    async with model_bench(tmp_path) as bench:
        await bench.until("up")
        bench.model.phase = "stopped"
        assert (await bench.ask("say=1")).code == "model_stopping"
        pid = bench.model.pid
    await until(lambda: not is_running(pid))
