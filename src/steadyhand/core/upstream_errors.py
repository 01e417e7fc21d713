"""Read what a provider says when it refuses, whatever shape it says it in, and name the reason.

Most speak OpenAI's ``{"error": {...}}``. Seen besides (2026-11): the object within an array
(Gemini's compatibility endpoint), a plain string under ``error``, the fields at the top (vLLM),
``detail`` (FastAPI), plain text, a proxy's HTML, nothing. Provider text may echo credentials, so
``scrub`` goes over all of it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

import msgspec

CALLERS_OWN = frozenset({400, 413, 415, 422})
_LONGEST = 1000
_CONTEXT = re.compile(r"maximum context length|context window|context length exceeded", re.I)
_DEAD_KEY = re.compile(r"API key not valid|API_KEY_INVALID|Incorrect API key", re.I)
_TITLE = re.compile(r"<title>\s*(.*?)\s*</title>", re.I | re.S)
_CREDENTIAL = re.compile(
    r"\bBearer\s+\S+"
    r"|\b(?:sk|pk|rk|gsk|xai|hf|pplx|nvapi|csk|fw|r8|tgp)[-_][\w*.…-]{6,}"
    r"|\b(?:org|proj)[-_]\w{6,}"  # whose account it is concerns the operator, not the caller
    r"|\bAIza[\w-]{10,}"
    r"|\beyJ[\w-]{8,}(?:\.[\w-]+)*"
    r"|(?<=key=)[^\s&\"']{6,}",
    re.I,
)
_FILTERS = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})
_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_BY_WORD = {
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "RESOURCE_EXHAUSTED": 429,
    "overloaded_error": 529,
    "UNAVAILABLE": 503,
    "invalid_request_error": 400,
    "INVALID_ARGUMENT": 400,
    "authentication_error": 401,
    "model_not_found": 404,
    "server_error": 500,
    "api_error": 500,
    "INTERNAL": 500,
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error body, read.

    Attributes:
        found: Whether the body said anything in a shape that is known.
        message: Its sentence, not scrubbed yet; empty if it has none.
        type: OpenAI's ``type``, or ``None``.
        param: The field at fault, or ``None``.
        code: Word for the error, or ``None``.
        number: An HTTP status that stands in the body, or ``None``.
        retry_s: Seconds to wait by Google's ``RetryInfo``, or ``None``.
    """

    found: bool = False
    message: str = ""
    type: str | None = None
    param: str | None = None
    code: str | None = None
    number: int | None = None
    retry_s: float | None = None


def read(body: bytes) -> Complaint:
    """Read an error body of any shape; never fails."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Complaint(message=_prose(body.decode(errors="replace")))
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        return Complaint(found=True, message=value)
    if not isinstance(value, dict):
        return Complaint()
    error = value.get("error", value.get("detail", value if "message" in value else None))
    if isinstance(error, list):
        error = {"message": "; ".join(str(e.get("msg", "")) for e in error if isinstance(e, dict))}
    if isinstance(error, str):
        return Complaint(found=True, message=error)
    return _object(error) if isinstance(error, dict) else Complaint()


def _object(error: Mapping[str, Any]) -> Complaint:
    code = error.get("code")
    number = code if isinstance(code, int) else None
    if isinstance(code, str) and code.isdecimal():
        number = int(code)
    word = _word(code) if number is None else _word(error.get("status"))
    return Complaint(
        found=True,
        message=str(error.get("message") or ""),
        type=_word(error.get("type")),
        param=_word(error.get("param")),
        code=word,
        number=number,
        retry_s=_retry_info(error.get("details")),
    )


def reason(status: int, complaint: Complaint) -> tuple[str, bool]:
    """Name the failure, and tell whether the request itself is at fault.

    Under 200 the body's own words decide, and the caller is never to blame: what a provider wraps
    in success is not to be relayed as if it had been a clear refusal.
    """
    if status < 400:
        if not complaint.found:
            return "malformed", False
        return _reason(_inner_status(complaint), complaint)[0], False
    return _reason(status, complaint)


def _inner_status(complaint: Complaint) -> int:
    if complaint.number is not None and complaint.number >= 400:
        return complaint.number
    return _BY_WORD.get(complaint.code or "", _BY_WORD.get(complaint.type or "", 500))


def _reason(status: int, complaint: Complaint) -> tuple[str, bool]:
    words = {complaint.code, complaint.type}
    if status == 402 or words & _QUOTA:
        return "quota_exhausted", False
    if status in (401, 403) or "invalid_api_key" in words or _DEAD_KEY.search(complaint.message):
        return "auth_failed", False
    if status in CALLERS_OWN:
        return _own(complaint), True
    if status == 404:
        return "model_not_found", False
    if status == 429:
        return "rate_limited", False
    if status in (503, 529) or "overloaded_error" in words:
        return "overloaded", False
    refused = 400 <= status < 500 and status not in (408, 409)
    return ("invalid_request" if refused else "server_error"), False


def _own(complaint: Complaint) -> str:
    """Name a fault of the request more closely."""
    if complaint.code == "context_length_exceeded" or _CONTEXT.search(complaint.message):
        return "context_length_exceeded"
    return "content_filter" if complaint.code in _FILTERS else "invalid_request"


def retry_after_s(headers: Mapping[bytes, bytes], complaint: Complaint) -> float | None:
    """Return the seconds that the provider asks to wait, or ``None`` if it does not say.

    A date is taken relative to the response's own ``Date``, so no clock is read and skew between
    the two machines does not matter.
    """
    milliseconds = _seconds(headers.get(b"retry-after-ms", b""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get(b"retry-after", b"")
    seconds = _seconds(text)
    if seconds is None and text:
        seconds = _between(headers.get(b"date", b""), text)
    return complaint.retry_s if seconds is None else seconds


def scrub(text: str, secrets: Iterable[str] = ()) -> str:
    """Return ``text`` without ``secrets`` and whatever else looks like a credential; bounded."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[removed]")
    return _CREDENTIAL.sub("[removed]", text)[:_LONGEST]


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _prose(text: str) -> str:
    """Return the title of a page, or the beginning of a text without its markup."""
    title = _TITLE.search(text)
    found = title.group(1) if title else re.sub(r"<[^>]*>", " ", text[:_LONGEST])
    return " ".join(found.split())[:200]


def _retry_info(details: object) -> float | None:
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        if isinstance(delay, str):
            return _seconds(delay.rstrip("s").encode())
    return None


def _seconds(text: bytes) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) and value >= 0 else None


def _between(sent: bytes, until: bytes) -> float | None:
    try:
        first, last = (parsedate_to_datetime(text.decode("latin-1")) for text in (sent, until))
        return max(0.0, (last - first).total_seconds())
    except (ValueError, TypeError):  # not dates, or only one of them has a zone
        return None
