"""What reached a simulator and what became of it: the evidence tests and operators ask for."""

import hashlib
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

_KEPT_BODY = 256 * 1024
_MOST_MODELS = 1000
OTHER_MODELS = "(others)"
"""Under it come the models past the first thousand, whose names are up to callers."""


@dataclass(slots=True)
class Seen:
    """One chat completion request as it arrived.

    Attributes:
        body: Its first 256 KiB.
        body_bytes: Its whole length.
        body_sha256: Digest of the whole of it, in hexadecimal.
        outcome: ``in flight``, ``played`` (to the script's end), ``client left`` or ``stopped``.
    """

    path: str
    headers: list[tuple[str, str]]
    body: bytes
    body_bytes: int
    body_sha256: str
    behaviour: str
    stream: bool
    outcome: str = "in flight"

    def header(self, name: str) -> str | None:
        """Return the first value of ``name`` (lower case), or ``None``."""
        return next((value for key, value in self.headers if key == name), None)

    def row(self) -> dict[str, Any]:
        """Return this as JSON can hold it."""
        return {
            "path": self.path,
            "behaviour": self.behaviour,
            "stream": self.stream,
            "outcome": self.outcome,
            "headers": self.headers,
            "body_bytes": self.body_bytes,
            "body_sha256": self.body_sha256,
            "body": self.body.decode(errors="replace"),
        }


@dataclass(slots=True)
class Log:
    """Totals since the start, and the latest requests."""

    connections: int = 0
    in_flight: int = 0
    client_left: int = 0
    by_behaviour: Counter[str] = field(default_factory=Counter)
    by_model: Counter[str] = field(default_factory=Counter)
    latest: deque[Seen] = field(default_factory=lambda: deque(maxlen=100))

    def begin(
        self,
        path: str,
        headers: list[tuple[str, str]],
        body: bytes,
        *,
        behaviour: str,
        model: str,
        stream: bool,
    ) -> Seen:
        """Count a request that has arrived; ``model`` is the one it asks for."""
        digest = hashlib.sha256(body).hexdigest()
        seen = Seen(path, headers, body[:_KEPT_BODY], len(body), digest, behaviour, stream)
        self.latest.append(seen)
        self.by_behaviour[behaviour] += 1
        is_known = model in self.by_model or len(self.by_model) < _MOST_MODELS
        self.by_model[model if is_known else OTHER_MODELS] += 1
        self.in_flight += 1
        return seen

    def end(self, seen: Seen, outcome: str) -> None:
        """Count what became of it."""
        seen.outcome = outcome
        self.in_flight -= 1
        if outcome == "client left":
            self.client_left += 1

    def totals(self) -> dict[str, Any]:
        """Return the totals as JSON can hold them."""
        return {
            "requests": self.by_behaviour.total(),
            "in_flight": self.in_flight,
            "client_left": self.client_left,
            "connections": self.connections,
            "by_behaviour": dict(sorted(self.by_behaviour.items())),
            "by_model": dict(sorted(self.by_model.items())),
        }
