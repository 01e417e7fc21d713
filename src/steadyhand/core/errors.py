"""The tree of errors raised on purpose; whatever else escapes is a bug.

Each error is written to the person on call: what happened with its values, whether the same
request may succeed later, and what can be done now. ``docs/reference/errors.md`` lists the codes.
"""

from typing_extensions import override


class SteadyhandError(Exception):
    """Base of every error raised on purpose.

    Attributes:
        code: Stable identifier; clients and scripts match on it.
        status: HTTP status sent to a caller.
        retryable: Whether the same request may succeed later, unchanged.
        hint: What the reader can do now; empty if there is nothing.
        param: The request field at fault, or ``None``.
        retry_after_s: Seconds a caller should wait, or ``None`` if unknown.
    """

    code: str = "internal_error"
    status: int = 500
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        param: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        """Keep the sentence, and what can be done about it."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.param = param
        self.retry_after_s = retry_after_s

    @override
    def __str__(self) -> str:
        """Read as one line: the sentence, then the hint in brackets."""
        return f"{self.message} ({self.hint})" if self.hint else self.message


class InvalidRequest(SteadyhandError):
    """The caller's request cannot be understood or breaks a stated rule."""

    code, status = "invalid_request", 400


class InvalidJson(InvalidRequest):
    """The body is not one JSON object in UTF-8."""

    code = "invalid_json"


class MissingField(InvalidRequest):
    """A field that the request needs is absent."""

    code = "missing_required_parameter"


class InvalidValue(InvalidRequest):
    """A field has a value or type outside what is allowed."""

    code = "invalid_value"


class Refused(SteadyhandError):
    """The listener refuses a request before it can be read; there is no record of it."""

    code, status = "bad_request", 400


class RequestTooSlow(Refused):
    """The request did not arrive within the listener's times."""

    code, status = "request_timeout", 408


class BodyTooLarge(Refused):
    """The body is longer than the listener accepts, or grows beyond it when decoded."""

    code, status = "request_too_large", 413


class UnsupportedEncoding(Refused):
    """The body's content encoding is one that we do not decode."""

    code, status = "unsupported_content_encoding", 415


class ExpectationFailed(Refused):
    """The request expects something else than ``100-continue``."""

    code, status = "expectation_failed", 417


class HeadTooLarge(Refused):
    """Request line and headers are longer than the listener accepts."""

    code, status = "request_head_too_large", 431


class TooManyConnections(Refused):
    """One client connection more than the listener holds open."""

    code, status, retryable = "too_many_connections", 503, True


class NotRunning(SteadyhandError):
    """The gateway is mounted in an application that has not started it, or has stopped it."""

    code, status, retryable = "gateway_not_running", 503, True


class TooManyConnectionsOfClient(Refused):
    """One connection more than one client address may hold open."""

    code, status, retryable = "too_many_connections_of_client", 429, True


class Overloaded(Refused):
    """More requests came than this process can answer in time; this one was not begun.

    Nothing of it was read or sent to a provider. Clients should wait as long as ``Retry-After``
    says; more gateway processes or machines help for good.
    """

    code, status, retryable = "overloaded", 503, True


class InvalidKey(SteadyhandError):
    """The API key is absent, malformed or unknown."""

    code, status = "invalid_api_key", 401


class RouteForbidden(SteadyhandError):
    """The key is good but may not use this route."""

    code, status = "route_forbidden", 403


class NotFound(SteadyhandError):
    """No such path or object."""

    code, status = "not_found", 404


class RouteNotReleased(NotFound):
    """The route exists, but no release of it is on the channel of this key.

    The workspace feeds the channel ``dev`` only; every other one serves what was promoted to it.
    """

    code = "route_not_released"


class ModelNotFound(NotFound):
    """``model`` names neither a route nor an allowed provider model."""

    code = "model_not_found"


class MethodNotAllowed(SteadyhandError):
    """The path exists but not with this method."""

    code, status = "method_not_allowed", 405

    def __init__(self, message: str, *, hint: str = "", allowed: str = "") -> None:
        """``allowed`` is the value of the ``Allow`` header."""
        super().__init__(message, hint=hint)
        self.allowed = allowed


class NoAnswer(SteadyhandError):
    """Every rung of the ladder failed and its floor is ``error``: a typed answer, in time."""

    code, status, retryable = "no_answer", 503, True


class ShuttingDown(SteadyhandError):
    """The process stops and its drain time is over; another process can answer.

    A stream that was cut by it ends with this error as its last event.
    """

    code, status, retryable = "shutting_down", 503, True


class RecordsUnavailable(SteadyhandError):
    """The answer's record cannot be made durable now, and durability is `strict`: no answer."""

    code, status, retryable = "records_unavailable", 503, True


class ConfigurationError(SteadyhandError):
    """The workspace or the settings cannot be used as they stand."""

    code = "invalid_configuration"


class UnknownPlugin(ConfigurationError):
    """Configuration names a kind of plugin that is not installed."""

    code = "unknown_plugin"


class SecretUnavailable(ConfigurationError):
    """A secret reference names an environment variable or file that is absent or empty."""

    code = "secret_unavailable"
