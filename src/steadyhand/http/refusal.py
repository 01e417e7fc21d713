"""What the listener answers itself, without a handler: the refusal, and the ones said often."""

from steadyhand.http.limits import ServerLimits

CODES = (
    "bad_request",
    "expectation_failed",
    "method_not_allowed",
    "overloaded",
    "request_head_too_large",
    "request_timeout",
    "request_too_large",
    "too_many_connections",
    "too_many_connections_of_client",
    "unsupported_content_encoding",
)
"""What can be refused; each is counted."""


def nothing_refused() -> dict[str, int]:
    """Return the counters of refusals by code, at zero."""
    return dict.fromkeys(CODES, 0)


class Refusal(Exception):
    """A request or connection that the server answers itself, closing the connection."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Keep what the error renderer and the counter need."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def bad_request(message: str) -> Refusal:
    """Return the refusal of bytes that are no request, or more than one kind of request."""
    return Refusal(400, "bad_request", message)


def head_too_large(limits: ServerLimits) -> Refusal:
    """Return the refusal of a head, of trailers or of chunk framing past its bound."""
    return Refusal(
        431, "request_head_too_large", f"the request head passes {limits.max_head_bytes} bytes"
    )


def too_many_fields(limits: ServerLimits) -> Refusal:
    """Return the refusal of a head with more fields than anybody needs."""
    return Refusal(
        431, "request_head_too_large", f"the request has more than {limits.max_fields} fields"
    )


def body_too_large(limits: ServerLimits) -> Refusal:
    """Return the refusal of a body past its bound, declared, received or decoded."""
    return Refusal(
        413, "request_too_large", f"the request body passes {limits.max_body_bytes} bytes"
    )


def too_slow() -> Refusal:
    """Return the refusal of a request that does not arrive in time."""
    return Refusal(408, "request_timeout", "the request came too slowly")


def overloaded() -> Refusal:
    """Return the refusal of a request that comes when there are too many."""
    return Refusal(
        503,
        "overloaded",
        "too many requests are being answered here now; this one was not begun",
    )
