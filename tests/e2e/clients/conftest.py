"""Runs the clients' programs, two at a time, for as many clients as tests were chosen for."""

from collections.abc import Iterator

import pytest

from tests.support.clients import Client, Conversations
from tests.support.installations import Installation


@pytest.fixture(scope="module")
def conversations(house: Installation, request: pytest.FixtureRequest) -> Iterator[Conversations]:
    chosen: list[Client] = []
    for item in request.session.items:
        call = getattr(item, "callspec", None)
        client = call.params.get("client") if call else None
        if isinstance(client, Client) and client not in chosen:
            chosen.append(client)
    made = Conversations(house, chosen)
    yield made
    made.close()
