"""What every server does around its handler: count, and answer where the handler did not."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from steadyhand.http.messages import Handler, Headers, Reply, Request

_logger = logging.getLogger(__name__)

RenderError = Callable[[int, str, str], tuple[Headers, bytes]]
"""Makes headers and body of an error that the server answers itself: status, code, message."""


class Answering(Protocol):
    """A server, as far as answering one request concerns it.

    Attributes:
        handler: What answers.
        render_error: What makes the answer to a failure.
        in_flight: Requests whose handler runs.
        failures: Handlers that raised, or returned without having ended their reply.
    """

    handler: Handler
    render_error: RenderError
    in_flight: int
    failures: int


class EndingReply(Reply, Protocol):
    """A reply whose server can tell whether it has ended."""

    @property
    def ended(self) -> bool:
        """Nothing more can be written to it."""
        ...


async def answer(server: Answering, request: Request, reply: EndingReply) -> None:
    """Let the handler answer; whatever it does, the reply has ended afterwards."""
    server.in_flight += 1
    try:
        await server.handler(request, reply)
    except asyncio.CancelledError:
        reply.abort()
        raise
    except Exception:
        _logger.exception("the request handler failed")
        _answer_failure(server, reply)
    else:
        if not reply.ended:
            _answer_failure(server, reply)
    finally:
        server.in_flight -= 1


def _answer_failure(server: Answering, reply: EndingReply) -> None:
    server.failures += 1
    if reply.started:
        reply.abort()
    else:
        headers, body = server.render_error(500, "internal_error", "internal error")
        reply.send(500, headers, body)
