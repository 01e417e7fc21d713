"""How an upstream exchange fails, each with the reason that records and metrics carry."""

from typing import ClassVar


class UpstreamError(Exception):
    """Base of the transport's failures.

    Attributes:
        reason: Stable identifier, used as a metric label.
    """

    reason: ClassVar[str] = "upstream_error"


class ConnectFailed(UpstreamError):
    """No connection: refused, unreachable, or closed as soon as it stood."""

    reason = "connect_failed"


class OutOfFiles(ConnectFailed):
    """No connection, because this process or machine may open no more files.

    Raise the limit (``LimitNOFILE`` of systemd, ``ulimit -n``), or take fewer clients.
    """

    reason = "out_of_files"


class NameNotFound(ConnectFailed):
    """No connection: the name of the host could not be resolved, and no address was known."""

    reason = "dns_failed"


class TlsFailed(ConnectFailed):
    """No connection: the TLS handshake failed, or the certificate is not to be trusted."""

    reason = "tls_failed"


class ConnectTimedOut(UpstreamError):
    """``connect_s`` passed before the connection stood."""

    reason = "connect_timeout"


class FirstByteTimedOut(UpstreamError):
    """``first_byte_s`` passed before the first byte of the response."""

    reason = "first_byte_timeout"


class IdleTimedOut(UpstreamError):
    """``idle_s`` passed within the body without a byte."""

    reason = "idle_timeout"


class TotalTimedOut(UpstreamError):
    """``total_s`` passed before the last byte."""

    reason = "total_timeout"


class GaveUp(UpstreamError):
    """``give_up_at_s`` passed: an answer would have come too late to be of use."""

    reason = "gave_up"


class ConnectionLost(UpstreamError):
    """The connection was closed or reset before the response was complete."""

    reason = "connection_lost"


class MalformedResponse(UpstreamError):
    """What came back is not HTTP that we accept."""

    reason = "malformed_response"


class ResponseTooLarge(UpstreamError):
    """The head or body is longer than the limit."""

    reason = "response_too_large"


class PoolExhausted(UpstreamError):
    """All connections to the origin were busy for as long as the caller could wait."""

    reason = "pool_exhausted"
