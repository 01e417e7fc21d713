"""The error responses of the simulated model, as OpenAI and the proxies before it send them."""

from dataclasses import dataclass

from steadyhand.simulation.chat import encode
from steadyhand.simulation.request import Refusal
from steadyhand.simulation.steps import Header

JSON_TYPE: Header = (b"content-type", b"application/json")
HTML_TYPE: Header = (b"content-type", b"text/html; charset=utf-8")

HTML = b"<html>\r\n<head><title>%s</title></head>\r\n<body><h1>%s</h1></body>\r\n</html>\r\n"


@dataclass(frozen=True, slots=True)
class Complaint:
    """A whole error response."""

    status: int
    body: bytes
    headers: tuple[Header, ...] = (JSON_TYPE,)


def error_object(
    message: str, kind: str, code: str | None = None, param: str | None = None
) -> dict[str, dict[str, str | None]]:
    """Return OpenAI's error object, with true nulls."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _error(
    status: int, message: str, kind: str, code: str | None = None, param: str | None = None
) -> Complaint:
    return Complaint(status, encode(error_object(message, kind, code, param)))


def _page(status: int, title: bytes) -> Complaint:
    return Complaint(status, HTML % (title, title), (HTML_TYPE,))


INVALID = "invalid_request_error"

COMPLAINTS = {
    "rate-limit": _error(
        429,
        "Rate limit reached for simulated model: Limit 500, Used 500, Requested 1.",
        "requests",
        "rate_limit_exceeded",
    ),
    "rate-limit-bare": _error(429, "Rate limit reached.", "requests", "rate_limit_exceeded"),
    "quota": _error(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        "insufficient_quota",
    ),
    "error-400": _error(
        400,
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2.",
        INVALID,
        "decimal_above_max_value",
        "temperature",
    ),
    "context-length": _error(
        400,
        "This model's maximum context length is 8192 tokens. However, your messages resulted in"
        " 9000 tokens. Please reduce the length of the messages.",
        INVALID,
        "context_length_exceeded",
        "messages",
    ),
    "error-401": _error(
        401,
        "Incorrect API key provided: sk-simul****************************ated.",
        INVALID,
        "invalid_api_key",
    ),
    "error-403": _error(403, "You are not allowed to sample from this model.", INVALID),
    "error-404": _error(
        404,
        "The model 'simulated' does not exist or you do not have access to it.",
        INVALID,
        "model_not_found",
    ),
    "error-408": _error(408, "Timed out reading the request.", "timeout"),
    "error-413": _error(413, "Request entity too large.", INVALID, "request_too_large"),
    "error-422": _error(422, "The request could not be processed.", INVALID),
    "error-500": _error(
        500, "The server had an error while processing your request. Sorry!", "server_error"
    ),
    "error-502": _page(502, b"502 Bad Gateway"),
    "error-503": _error(
        503, "The engine is currently overloaded, please try again later.", "server_error"
    ),
    "error-504": Complaint(504, b"", ()),
    "error-529": _error(529, "Overloaded", "overloaded_error"),
}


def complaint(name: str, retry_after_s: float) -> Complaint:
    """Return the error response of behaviour ``name``."""
    found = COMPLAINTS[name]
    if name == "rate-limit":
        return Complaint(found.status, found.body, (*found.headers, *_limits(retry_after_s)))
    if name == "error-503":
        return Complaint(found.status, found.body, (*found.headers, _retry_after(retry_after_s)))
    return found


def refused(refusal: Refusal) -> Complaint:
    """Return the error response for a request that was turned down."""
    return _error(refusal.status, refusal.message, INVALID, refusal.code, refusal.param)


def _retry_after(seconds: float) -> Header:
    return b"retry-after", b"%d" % max(1, round(seconds))


def _limits(seconds: float) -> tuple[Header, ...]:
    return (
        _retry_after(seconds),
        (b"retry-after-ms", b"%d" % round(seconds * 1000)),
        (b"x-ratelimit-limit-requests", b"500"),
        (b"x-ratelimit-remaining-requests", b"0"),
        (b"x-ratelimit-reset-requests", b"%dms" % round(seconds * 1000)),
    )
