"""One client that opens too many connections, or floods with them, does not shut out the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from steadyhand.http.clients import MAX_BEING_TURNED_AWAY
from steadyhand.http.limits import ServerLimits
from steadyhand.http.server import Server
from tests.support.handlers import Noting
from tests.support.wire import RawClient, client_of, eventually, serving

GET = b"GET /p HTTP/1.1\r\nHost: h\r\n\r\n"
OF_CLIENT = "too_many_connections_of_client"


@asynccontextmanager
async def client_from(address: str, server: Server) -> AsyncIterator[RawClient]:
    """Connect from one of the addresses of loopback."""
    client = RawClient(
        *await asyncio.open_connection("127.0.0.1", server.port, local_addr=(address, 0))
    )
    try:
        yield client
    finally:
        await client.close()


async def test_one_connection_of_a_client_too_many_is_429_and_closed() -> None:
    handler = Noting()
    async with (
        serving(handler, ServerLimits(max_connections_per_client=2)) as server,
        client_of(server) as first,
        client_of(server) as second,
    ):
        await eventually(lambda: server.connections == 2)
        async with client_of(server) as third:
            third.send(GET)
            response = await third.response()
            assert (response.status, response.headers["connection"]) == (429, "close")
            assert response.body.startswith(b"429 " + OF_CLIENT.encode())
            assert await third.at_end()
        assert server.refused[OF_CLIENT] == 1
        assert handler.paths == []
        async with client_from("127.0.0.2", server) as other:
            for client in (first, second, other):
                client.send(GET)
                assert (await client.response()).status == 200


async def test_a_connection_that_ends_makes_room() -> None:
    limits = ServerLimits(max_connections_per_client=1, linger_s=0.2)
    async with serving(Noting(), limits) as server:
        for _ in range(3):
            async with client_of(server) as client:
                client.send(GET)
                assert (await client.response()).status == 200
            await eventually(lambda: server.connections == 0)
        assert sum(server.refused.values()) == 0


async def test_who_is_turned_away_and_stays_takes_no_place_of_the_others() -> None:
    limits = ServerLimits(max_connections=8, max_connections_per_client=4, linger_s=30.0)
    async with serving(Noting(), limits) as server, AsyncExitStack() as held:
        for _ in range(4 + 20):
            await held.enter_async_context(client_of(server))
        await eventually(lambda: server.refused[OF_CLIENT] == 20)
        assert server.connections == 24
        async with client_from("127.0.0.2", server) as other:
            other.send(GET)
            assert (await other.response()).status == 200
        assert server.refused["too_many_connections"] == 0


async def test_a_flood_beyond_all_bounds_is_cut_without_a_word() -> None:
    limits = ServerLimits(max_connections=1, linger_s=30.0)
    async with serving(Noting(), limits) as server, AsyncExitStack() as held:
        first = await held.enter_async_context(client_of(server))
        await eventually(lambda: server.connections == 1)
        for _ in range(MAX_BEING_TURNED_AWAY + 10):
            await held.enter_async_context(client_of(server))
        refused = MAX_BEING_TURNED_AWAY + 10
        await eventually(lambda: server.refused["too_many_connections"] == refused)
        await eventually(lambda: server.connections == 1 + MAX_BEING_TURNED_AWAY)
        first.send(GET)
        assert (await first.response()).status == 200
