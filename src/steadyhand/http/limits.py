"""Bounds of the listener and of the upstream pools, as plain frozen values.

Sizes are bytes, times are seconds. Who reads them from a file validates them; nothing is
checked here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What one listener accepts and how long it waits.

    Attributes:
        max_connections: Open client connections; one more is answered 503 and closed.
        max_connections_per_client: Open connections of one IPv4 address or IPv6 /64; one more is
            answered 429 and closed. 0 counts nobody.
        max_head_bytes: Request line and header fields; also what a chunked body may take up for
            extensions and trailers, beside eight bytes for each byte of body.
        max_fields: Header fields with names of their own, and repeated ones, of a request.
        max_body_bytes: Body after decoding.
        max_expansion: A compressed body may grow by this factor beyond its first MiB; JSON text
            stays far below, bombs far above.
        max_ahead_bytes: Bytes of later requests taken in while one is being answered; beyond,
            the connection is not read.
        head_timeout_s: From the first byte of a request to the end of its head; TLS handshake.
        body_timeout_s: From the end of the head to the end of the body, plus one second for each
            ``body_rate_bytes`` received: a slow line is given time, a trickle is not.
        body_rate_bytes: Bytes a second below which a sender is too slow.
        keep_alive_s: Between requests, and before the first.
        stall_s: A client that takes nothing of an answer for so long is cut.
        linger_s: How long a closing connection may take to deliver its last bytes.
        write_high_water: Unsent bytes above which ``Reply.drain`` waits.
        backlog: Connections the kernel holds before they are accepted.
    """

    max_connections: int = 16_384
    max_connections_per_client: int = 4_096
    max_head_bytes: int = 64 * 1024
    max_fields: int = 256
    max_body_bytes: int = 32 * 1024 * 1024
    max_expansion: int = 100
    max_ahead_bytes: int = 64 * 1024
    head_timeout_s: float = 10.0
    body_timeout_s: float = 30.0
    body_rate_bytes: int = 16 * 1024
    keep_alive_s: float = 75.0
    stall_s: float = 60.0
    linger_s: float = 2.0
    write_high_water: int = 256 * 1024
    backlog: int = 2048


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """What one origin's connections may hold.

    Attributes:
        max_connections: Open or opening at once; further callers wait in order.
        max_connecting: Opening at once; the others are opened as these come to stand.
        dns_ttl_s: How long addresses of a name are used before it is looked up again.
        max_idle: Kept open without a request.
        idle_s: Age at which an idle connection is closed; below what servers usually keep, so
            that we close before they do.
        max_head_bytes: Status line and header fields of a response.
        buffer_bytes: Unread body above which the connection is not read; reading resumes when
            the caller takes what is there.
    """

    max_connections: int = 1024
    max_connecting: int = 64
    dns_ttl_s: float = 30.0
    max_idle: int = 1024
    idle_s: float = 45.0
    max_head_bytes: int = 64 * 1024
    buffer_bytes: int = 256 * 1024
