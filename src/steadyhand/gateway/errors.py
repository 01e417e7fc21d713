"""What clients see on error: OpenAI's shape, with true nulls, whatever went wrong.

Source: OpenAI's public API description, error object, read 2026-11.
"""

from math import ceil

import msgspec

from steadyhand.core.errors import MethodNotAllowed, SteadyhandError
from steadyhand.gateway.provenance import passed_on
from steadyhand.http.messages import Header
from steadyhand.providers.base import Failure

JSON: Header = (b"content-type", b"application/json")

TYPES = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}
"""Error ``type`` by status; other 4xx are ``invalid_request_error``, 5xx ``server_error``."""

RELAYED = frozenset({400, 404, 408, 409, 413, 415, 422, 429})
"""Upstream statuses that tell the caller something to act on and are kept exactly."""


RETRY_AFTER_S = 1.0
"""What a caller is told to wait when no provider said anything better."""


class RelayedFailure(SteadyhandError):
    """The provider refused in a way that the caller should see as it was said."""

    code = "upstream_refused"

    def __init__(self, failure: Failure) -> None:
        """Take over status, words, ``type``, ``param``, ``code``, and when to come again."""
        is_limited = failure.reason == "rate_limited"
        super().__init__(
            failure.message or f"the provider answered {failure.status}",
            param=failure.param,
            retry_after_s=failure.retry_after_s or (RETRY_AFTER_S if is_limited else None),
        )
        self.status = failure.status or 502
        self.retryable = is_limited
        self.failure = failure


class ErrorBody(msgspec.Struct):
    """The ``error`` object; ``None`` is written as JSON null."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorEnvelope(msgspec.Struct):
    """The whole body."""

    error: ErrorBody


def error_type(status: int) -> str:
    """Return the ``type`` that goes with ``status``."""
    return TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")


def body(status: int, code: str | None, message: str, param: str | None = None) -> bytes:
    """Return an error body in the client's shape."""
    return msgspec.json.encode(ErrorEnvelope(ErrorBody(message, error_type(status), param, code)))


def relayed(failure: Failure, status: int, message: str) -> bytes:
    """Return a body with the provider's ``type``, ``param`` and ``code``."""
    kind = failure.type or error_type(status)
    return msgspec.json.encode(ErrorEnvelope(ErrorBody(message, kind, failure.param, failure.code)))


def render(error: SteadyhandError) -> tuple[int, list[Header], bytes]:
    """Return status, headers and body for ``error``."""
    headers: list[Header] = [JSON]
    if error.retry_after_s is not None:
        headers += retry_headers(error.retry_after_s)
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", error.allowed.encode()))
    if isinstance(error, RelayedFailure):
        failure = error.failure
        headers += passed_on(failure.headers)
        if error.status == 429 and not error.retryable:
            headers.append((b"x-should-retry", b"false"))  # a quota: OpenAI's SDKs obey
        return error.status, headers, relayed(failure, error.status, error.message)
    return error.status, headers, body(error.status, error.code, str(error), error.param)


def retry_headers(retry_after_s: float) -> list[Header]:
    """Return ``Retry-After`` in whole seconds, rounded up, and its millisecond form."""
    return [
        (b"retry-after", b"%d" % ceil(retry_after_s)),
        (b"retry-after-ms", b"%d" % ceil(retry_after_s * 1000)),
    ]


def server_error(status: int, code: str, message: str) -> tuple[list[Header], bytes]:
    """Return headers and body for what the server refuses before a handler sees it."""
    headers = [JSON]
    if status in (429, 503):
        headers += retry_headers(RETRY_AFTER_S)
    return headers, body(status, code, message)
