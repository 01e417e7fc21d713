"""What a simulated model can be tuned by, and how tuning is written in its name."""

import math
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from statistics import NormalDist
from typing import cast
from urllib.parse import unquote

from steadyhand.simulation.draws import Draws


@dataclass(frozen=True, slots=True)
class Dials:
    """The parameters of a behaviour; each can stand in a model name as ``name=value``."""

    ttft_ms: float = field(default=0.0, metadata={"does": "wait before the response begins"})
    p50_ms: float = field(
        default=0.0,
        metadata={"does": "median of a lognormal wait that is added to `ttft_ms`; 0 for none"},
    )
    p99_ms: float = field(
        default=0.0, metadata={"does": "99th percentile of that wait; at least `p50_ms`"}
    )
    gap_ms: float = field(
        default=0.0,
        metadata={"does": "wait between tokens; an answer that is not streamed waits for the sum"},
    )
    tokens: int = field(
        default=0, metadata={"does": "length of a text answer; 0 for as long as it turns out"}
    )
    after: int = field(
        default=3, metadata={"does": "events of a stream that are whole before the fault"}
    )
    retry_after_s: float = field(
        default=2.0, metadata={"does": "what `rate-limit` and `error-503` ask the caller to wait"}
    )
    period_s: float = field(
        default=2.0, metadata={"does": "`flap`: seconds healthy, then as many broken"}
    )
    p: float = field(default=0.2, metadata={"does": "`random`: share of requests that fail, 0–1"})
    mb: float = field(default=64.0, metadata={"does": "`oversized`: megabytes of the answer"})
    parallel: int = field(
        default=0, metadata={"does": "1: call every offered tool at once, not only the first"}
    )
    answer: str = field(
        default="", metadata={"does": "the text to answer with; commas and spaces as `%2C`, `%20`"}
    )

    def first_wait_s(self, draws: Draws) -> float:
        """Return the seconds before this response begins."""
        wait_ms = self.ttft_ms
        if self.p50_ms > 0:
            ratio = max(1.0, self.p99_ms / self.p50_ms)
            spread = math.log(ratio) / NormalDist().inv_cdf(0.99)
            wait_ms += self.p50_ms * math.exp(spread * draws.normal("latency"))
        return wait_ms / 1000


class BadDial(ValueError):
    """A model name sets a parameter that does not exist, or to a value that makes no sense."""


_KINDS: dict[str, type[float] | type[int] | type[str]] = {
    dial.name: cast("type[float] | type[int] | type[str]", dial.type) for dial in fields(Dials)
}
_GREATEST = {"p": 1.0, "mb": 1024.0, "tokens": 1_000_000, "after": 1_000_000}


@lru_cache(maxsize=512)
def tuned(dials: Dials, settings: str) -> Dials:
    """Return ``dials`` with ``settings`` (``name=value,name=value``) applied.

    Raises:
        BadDial: The sentence says which one and why.
    """
    changes: dict[str, float | int | str] = {}
    for setting in filter(None, settings.split(",")):
        name, _, text = setting.partition("=")
        changes[name] = _value(name, text)
    return replace(dials, **changes)  # type: ignore[arg-type]  # _value gives each its own type


def _value(name: str, text: str) -> float | int | str:
    kind = _KINDS.get(name)
    if kind is None:
        raise BadDial(f"a simulated model has no parameter {name!r}; it has {', '.join(_KINDS)}")
    if issubclass(kind, str):
        return unquote(text)
    try:
        number = kind(text)
    except ValueError:
        raise BadDial(f"parameter {name!r} is not a number: {text!r}") from None
    if not (math.isfinite(number) and 0 <= number <= _GREATEST.get(name, 3_600_000)):
        raise BadDial(f"parameter {name!r} is out of range: {text!r}")
    if name == "period_s" and number == 0:
        raise BadDial("parameter 'period_s' must be greater than 0")
    return number
