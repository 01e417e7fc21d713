"""A bare proxy of our server and our client, to measure what HTTP alone costs.

    python benchmarks/http_passthrough.py --port 8080 --upstream http://127.0.0.1:19000

It copies method, path, content type and authorisation up, status and content type down, and
relays event streams as they come. No admission, no routing, no record.
"""

import argparse
import asyncio
import gc
import signal
import sys
from math import inf

import uvloop

from steadyhand.http.failures import UpstreamError
from steadyhand.http.limits import PoolLimits, ServerLimits
from steadyhand.http.messages import Handler, Headers, Limits, Reply, Request
from steadyhand.http.origin import Origin, request_head
from steadyhand.http.pool import Pool
from steadyhand.http.server import Server

_LIMITS = Limits(connect_s=2, first_byte_s=60, idle_s=60, total_s=600, give_up_at_s=inf)
_PASSED_UP = (b"content-type", b"authorization", b"accept")
_MAX_BODY = 32 * 1024 * 1024


def render_error(status: int, code: str, message: str) -> tuple[Headers, bytes]:
    """Make a plain text error."""
    return ((b"content-type", b"text/plain"),), f"{status} {code}: {message}\n".encode()


def proxy(pool: Pool) -> Handler:
    """Return a handler that passes requests to the pool's origin."""

    async def handle(request: Request, reply: Reply) -> None:
        headers = request.headers
        head = request_head(
            request.method,
            request.path,
            pool.origin,
            [(name, headers[name]) for name in _PASSED_UP if name in headers],
            len(request.body),
        )
        try:
            upstream = await pool.send(head, request.body, _LIMITS)
        except UpstreamError as error:
            reply.send(502, *render_error(502, error.reason, str(error)))
            return
        try:
            kind = upstream.headers.get(b"content-type", b"application/octet-stream")
            if kind.startswith(b"text/event-stream"):
                reply.start(upstream.status, ((b"content-type", kind),))
                while part := await upstream.read():
                    reply.write(part)
                    await reply.drain()
                reply.end()
            else:
                body = await upstream.read_all(_MAX_BODY)
                reply.send(upstream.status, ((b"content-type", kind),), body)
        except UpstreamError:
            reply.abort()
        finally:
            upstream.close()

    return handle


async def serve(port: int, upstream: str) -> None:
    """Serve until told to stop."""
    pool = Pool(Origin.parse(upstream), PoolLimits())
    server = await Server.start(proxy(pool), "127.0.0.1", port, ServerLimits(), render_error)
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    gc.freeze()
    await stopped.wait()
    await server.close(drain_s=1)
    await pool.close()
    sys.stderr.write(
        f"requests {server.requests} opened {pool.traffic.opened} reused {pool.traffic.reused}"
        f" failures {server.failures} disconnects {server.disconnects}\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--upstream", default="http://127.0.0.1:19000")
    arguments = parser.parse_args()
    uvloop.run(serve(arguments.port, arguments.upstream))
