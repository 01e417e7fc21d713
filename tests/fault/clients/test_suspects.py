"""The corpus of suspect requests, over sockets: nothing behind a framing error is ever served."""

import asyncio
import re
from dataclasses import replace

import pytest

from tests.support.handlers import Noting
from tests.support.smuggling import AFTER, LIMITS, Suspect, suspects
from tests.support.wire import PATIENCE_S, client_of, eventually, serving

SUSPECTS = suspects()
GROUP = 20
QUICK = replace(LIMITS, linger_s=0.05)


def statuses(raw: bytes) -> list[bytes]:
    """Return the status of each final response in ``raw``."""
    return [found for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", raw) if found != b"100"]


async def meets(suspect: Suspect) -> None:
    """Send a suspect and an innocent request behind it; the server does as the corpus says."""
    handler = Noting()
    async with serving(handler, QUICK) as server, client_of(server) as client:
        client.send(suspect.wire + AFTER)
        async with asyncio.timeout(PATIENCE_S):
            if suspect.refused:
                raw = await client.reader.read()  # to the end: it closes
            else:
                raw = await client.reader.readuntil(b"/after ")
        found = statuses(raw)
        served = [b"200"] * suspect.answers
        if suspect.refused:
            assert handler.paths == [path for path in handler.paths if path != b"/after"]
            assert found in (served, [*served, b"%d" % suspect.refused])
            assert suspect.answers or found
            client.send(AFTER)  # whoever goes on is not heard
            await eventually(lambda: server.connections == 0)
            assert b"/after" not in handler.paths
            assert sum(server.refused.values()) == (len(found) - len(served))
        else:
            assert found == [*served, b"200"]
            assert handler.paths[-1] == b"/after"


@pytest.mark.parametrize("start", range(0, len(SUSPECTS), GROUP))
async def test_suspects_over_a_socket(start: int) -> None:
    for suspect in SUSPECTS[start : start + GROUP]:
        try:
            await meets(suspect)
        except BaseException as error:
            error.add_note(suspect.name)
            raise
