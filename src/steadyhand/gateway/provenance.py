"""What every answer says about itself: which rung spoke, why, from which release."""

from collections.abc import Mapping
from urllib.parse import quote

from steadyhand.gateway.exchange import Exchange
from steadyhand.http.messages import Header

PASSED_ON = (
    b"openai-processing-ms",
    b"openai-version",
    b"x-ratelimit-limit-requests",
    b"x-ratelimit-limit-tokens",
    b"x-ratelimit-remaining-requests",
    b"x-ratelimit-remaining-tokens",
    b"x-ratelimit-reset-requests",
    b"x-ratelimit-reset-tokens",
)
"""Response headers of the provider that the client may use. Never cookies."""

_PASSED_ON = frozenset(PASSED_ON)


def identity(exchange: Exchange) -> list[Header]:
    """Return the headers that name the request: the client's own id echoed, ours, and the trace."""
    ours = exchange.request_id.encode()
    theirs = exchange.client_request_id.encode() or ours
    headers = [
        (b"x-request-id", theirs),
        (b"x-steadyhand-request-id", ours),
        *exchange.reply_headers,
    ]
    if exchange.trace is not None:
        headers.append(exchange.trace.answer_header())
    return headers


def provenance(
    exchange: Exchange, content_type: bytes, upstream: Mapping[bytes, bytes] | None = None
) -> list[Header]:
    """Return all headers of an answer; the trail must already say who speaks."""
    trail = exchange.trail
    headers = [
        (b"content-type", content_type),
        *identity(exchange),
        (b"x-steadyhand-rung", trail.rung.encode()),
        (b"x-steadyhand-reason", trail.reason.encode()),
        (b"x-steadyhand-release", release_label(exchange)),
    ]
    if trail.provider:
        headers.append((b"x-steadyhand-deployment", f"{trail.provider}/{trail.model}".encode()))
    if trail.age_ms >= 0:
        headers.append((b"x-steadyhand-age-ms", b"%d" % trail.age_ms))
    if trail.confidence >= 0:
        headers.append((b"x-steadyhand-confidence", b"%.3f" % trail.confidence))
    if trail.source:
        headers.append((b"x-steadyhand-source", header_text(trail.source)))
    if upstream and not _PASSED_ON.isdisjoint(upstream):
        headers += passed_on(upstream)
    return headers


def release_label(exchange: Exchange) -> bytes:
    """Return the digest of what answers: of a release, or of all that the workspace says."""
    ladder = exchange.ladder
    if ladder is not None and ladder.digest:
        return ladder.digest.encode()
    return exchange.serving.release_label


def header_text(text: str) -> bytes:
    """Return ``text`` as a header can carry it: what is not printable ASCII, percent-encoded."""
    return quote(text, safe=" !#$&'()*+,/:;=?@[]~").encode()


def passed_on(upstream: Mapping[bytes, bytes]) -> list[Header]:
    """Return those of the provider's headers that the client may use."""
    return [(name, upstream[name]) for name in PASSED_ON if name in upstream]
