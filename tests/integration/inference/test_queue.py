"""A queue no longer than the deadline: who waits is served, who would wait in vain is told."""

import asyncio
from pathlib import Path
from time import monotonic

from tests.support.fake_engine import DEADLY
from tests.support.local_models import call, model_bench, patient, until


async def test_one_slot_and_a_short_queue(tmp_path: Path) -> None:
    async with model_bench(tmp_path, parallel=1, max_queue=2) as bench:
        await bench.until("up")
        model = bench.model
        working = asyncio.create_task(bench.ask("say=40 gap_ms=20"))
        await until(lambda: model.generating == 1)
        waiting = [asyncio.create_task(bench.ask(f"say={count}")) for count in (1, 2)]
        await until(lambda: model.waiting == 2)
        full = await bench.ask("say=3")
        assert (full.status, full.code) == (503, "model_queue_full")
        assert bench.provider.classify(503, {}, full.body).reason == "model_queue_full"
        heard = [await working, *await asyncio.gather(*waiting)]
        assert {one.status for one in heard} == {200}
        await bench.until("idle")

        # It has learned that a request takes about half a second: 50 ms are not enough to wait.
        working = asyncio.create_task(bench.ask("say=100 gap_ms=20"))
        await until(lambda: model.generating == 1)
        began_s = monotonic()
        busy = await bench.ask("say=1", left_s=0.05)
        assert (busy.status, busy.code) == (503, "model_busy")
        assert monotonic() - began_s < 5
        working.cancel()
        await asyncio.wait({working})
        await bench.until("idle")
        assert model.counts.refused == {"model_queue_full": 1, "model_busy": 1}
        assert (await bench.ask("say=1", left_s=30)).status == 200, "a free slot refuses nobody"


async def test_who_leaves_the_queue_takes_no_slot(tmp_path: Path) -> None:
    async with model_bench(tmp_path, parallel=1) as bench:
        await bench.until("up")
        model = bench.model
        reply = await bench.provider.open(call("endless gap_ms=5", stream=True), patient())
        leaving = asyncio.create_task(bench.ask("say=1"))
        staying = asyncio.create_task(bench.ask("say=2"))
        await until(lambda: model.waiting == 2)
        leaving.cancel()
        await until(lambda: model.waiting == 1)
        reply.close()
        assert (await staying).status == 200
        await bench.until("idle")


async def test_a_wait_that_outlasts_what_was_expected_ends_at_the_deadline(tmp_path: Path) -> None:
    async with model_bench(tmp_path, parallel=1) as bench:
        await bench.until("up")
        reply = await bench.provider.open(call("endless gap_ms=5", stream=True), patient())
        late = asyncio.create_task(bench.ask("say=1", left_s=0.5))  # nothing is learned yet
        done, _ = await asyncio.wait({late}, timeout=20)
        assert done
        assert late.exception() is not None or late.result().code == "model_busy"
        reply.close()
        await bench.until("idle")


async def test_prompts_are_read_ahead_and_give_way_to_requests(tmp_path: Path) -> None:
    async with model_bench(tmp_path, parallel=1) as bench:
        model = bench.model
        model.keep_warm(["You help.", "say=1 prompt_ms=1"])
        await bench.until("up")
        await until(lambda: model.counts.warm_ups == 2)
        heard = await bench.ask("", messages=[
            {"role": "system", "content": "You help."}, {"role": "user", "content": "say=1"}
        ])  # fmt: skip
        assert heard.json["usage"]["prompt_tokens_details"]["cached_tokens"] == 10
        model.keep_warm(["You help.", "Another."])
        await until(lambda: model.counts.warm_ups == 3)
        pid = model.pid
        assert model._process is not None
        model._process.kill()
        await until(lambda: model.pid not in (0, pid))
        await until(lambda: model.counts.warm_ups == 5)


async def test_a_prompt_that_kills_the_process_twice_is_left_cold(tmp_path: Path) -> None:
    async with model_bench(tmp_path, parallel=1) as bench:
        bench.model.keep_warm([DEADLY, "You help."])
        await until(lambda: bench.model.counts.warm_ups == 1)
        assert bench.model.counts.restarts == 2
        assert (await bench.ask("say=1")).status == 200
