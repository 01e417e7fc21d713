"""What a request leaves in memory: nothing that only the garbage collector could free.

A cycle between a request and its climb costs more time than the climb itself, because the memory of
thousands of requests is then walked and thrown out of the caches.
"""

import gc

import pytest

from tests.support.chats import chat_body
from tests.support.gateways import gateway_bench, request
from tests.support.replies import MemoryReply
from tests.support.upstreams import Script, answers, streams

REQUESTS = 5


@pytest.mark.parametrize("names", [("first",), ("first", "second")], ids=["alone", "in_a_task"])
@pytest.mark.parametrize(
    ("script", "body"),
    [(answers(), chat_body()), (streams(), chat_body(stream=True))],
    ids=["whole", "stream"],
)
async def test_a_healthy_request_is_freed_at_its_end(
    names: tuple[str, ...], script: Script, body: bytes
) -> None:
    bench = gateway_bench(dict.fromkeys(names, [script] * (REQUESTS + 1)), append=lambda _: None)
    await bench.gateway.handle(request(body), MemoryReply())
    gc.collect()
    gc.disable()
    try:
        for _ in range(REQUESTS):
            await bench.gateway.handle(request(body), MemoryReply())
        assert gc.collect() == 0
    finally:
        gc.enable()
