"""What is made of an ASGI scope, as servers of different habits fill it."""

import asyncio
from typing import Any

import pytest

from steadyhand.http.asgi_request import BodyReader, ClientLeft, check_head, target_of
from steadyhand.http.limits import ServerLimits
from steadyhand.http.refusal import Refusal


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ({"path": "/v1/models", "raw_path": b"/v1/models"}, b"/v1/models"),
        ({"path": "/v1/a/b", "raw_path": b"/v1/a%2Fb"}, b"/v1/a%2Fb"),
        ({"path": "/v1", "raw_path": b"/v1?x=1"}, b"/v1"),  # the query does not belong there
        ({"path": "/v1/ü"}, b"/v1/%C3%BC"),  # no raw path
        ({"path": "/llm/v1", "raw_path": b"/llm/v1", "root_path": "/llm"}, b"/v1"),
        ({"path": "/llm/v1", "raw_path": b"/llm/v1", "root_path": "/llm/"}, b"/v1"),
        ({"path": "/llm", "raw_path": b"/llm", "root_path": "/llm"}, b"/"),
        ({"path": "/l m/v1", "raw_path": b"/l%20m/v1", "root_path": "/l m"}, b"/v1"),
        ({"path": "/llm/v1", "raw_path": b"/%6clm/v1", "root_path": "/llm"}, b"/v1"),
        ({"path": "/v1", "raw_path": b"/v1", "root_path": "/llm"}, b"/v1"),  # taken off already
        ({"path": "/llmx/v1", "raw_path": b"/llmx/v1", "root_path": "/ll"}, b"/llmx/v1"),
    ],
)
def test_the_path_below_the_mount(scope: dict[str, Any], path: bytes) -> None:
    assert target_of(scope) == path


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({b"host": b"a, b"}, 400),
        ({b"host": b"h", b"content-length": b"1a"}, 400),
        ({b"host": b"h", b"content-length": b"1001"}, 413),
        ({b"host": b"h", b"content-length": b"9" * 5_000}, 431),
        ({b"host": b"h", b"content-length": b"9" * 100}, 413),
        ({b"host": b"h", b"content-encoding": b"br"}, 415),
        ({b"host": b"h", b"expect": b"more"}, 417),
        ({b"host": b"h", b"x": b"a" * 4_000}, 431),
        ({b"host": b"h", b"a": b"", b"b": b"", b"c": b""}, 431),
    ],
)
def test_heads_are_refused_as_by_our_own_server(headers: dict[bytes, bytes], status: int) -> None:
    limits = ServerLimits(max_head_bytes=4_000, max_fields=3, max_body_bytes=1_000)
    scope = {"http_version": "1.1", "raw_path": b"/", "query_string": b""}
    with pytest.raises(Refusal) as caught:
        check_head(scope, headers, limits)
    assert caught.value.status == status


def test_a_client_of_http2_needs_no_host_field() -> None:
    check_head({"http_version": "2", "raw_path": b"/"}, {}, ServerLimits())
    check_head({"http_version": "1.1", "raw_path": b"/"}, {b"host": b"h"}, ServerLimits())


async def test_a_client_that_leaves_while_its_body_is_thrown_away_ends_it() -> None:
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"abc", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    await BodyReader(receive, ServerLimits()).discard()
    messages[:] = [{"type": "http.disconnect"}]
    with pytest.raises(ClientLeft):
        await BodyReader(receive, ServerLimits()).read({})


async def test_what_a_refused_client_goes_on_sending_is_not_waited_for_long() -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async with asyncio.timeout(10):
        await BodyReader(receive, ServerLimits(linger_s=0.05)).discard()
