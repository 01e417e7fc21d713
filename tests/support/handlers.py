"""Request handlers for tests of the listener."""

import asyncio

from steadyhand.http.messages import Reply, Request


class Noting:
    """Answers what it was asked, and notes it.

    Attributes:
        paths: Of the requests that it was called for.
    """

    def __init__(self) -> None:
        self.paths: list[bytes] = []

    async def __call__(self, request: Request, reply: Reply) -> None:
        self.paths.append(request.path)
        reply.send(200, (), request.path + b" " + request.body)


class Waiting:
    """Waits until told, then answers; ``/stream`` says something first.

    Attributes:
        go_on: What it waits for.
        cancelled: Set when its client left.
        paths: Of the requests that it was called for.
    """

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.paths: list[bytes] = []

    async def __call__(self, request: Request, reply: Reply) -> None:
        self.paths.append(request.path)
        if request.path == b"/stream":
            reply.start(200, ())
            reply.write(b"first")
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        if reply.started:
            reply.write(b"last")
            reply.end()
        else:
            reply.send(200, (), b"answer to " + request.path)
