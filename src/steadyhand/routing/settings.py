"""Keys of ``routes/<name>.toml``, ``[slo.<class>]``, ``[ladder]`` and ``[drills]``."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from steadyhand.routing.drilling import Terms

DEFAULT_SLO = "interactive"
"""Class of a route that names none, and of a provider model called directly."""


class SloSettings(BaseModel):
    """One ``[slo.<class>]`` table: a latency budget with a name. 0 means no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_content_ms: int = Field(
        ge=0, description="budget from the last request byte to the first content of a stream"
    )
    whole_ms: int = Field(
        ge=0,
        description="budget from the last request byte to the last byte of an answer that is not "
        "a stream",
    )
    stream_cap_ms: int = Field(
        ge=0, description="longest time a stream may run; past it the stream is cut, and says so"
    )

    @model_validator(mode="after")
    def _cap_leaves_room(self) -> Self:
        if 0 < self.stream_cap_ms < self.first_content_ms:
            raise ValueError("stream_cap_ms is shorter than first_content_ms")
        return self


SLO_CLASSES = {
    "instant": {"first_content_ms": 150, "whole_ms": 150, "stream_cap_ms": 10_000},
    "interactive": {"first_content_ms": 1_500, "whole_ms": 10_000, "stream_cap_ms": 120_000},
    "batch": {"first_content_ms": 0, "whole_ms": 0, "stream_cap_ms": 600_000},
}
"""The classes that every workspace has; a ``[slo.<class>]`` table changes or adds to them."""


class DrillSettings(BaseModel):
    """Keys of ``[drills]``: how rungs are exercised that real traffic does not reach."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = Field(
        default=True, description="whether rungs are drilled; without drills all count as proven"
    )
    interval_s: float = Field(
        default=300.0,
        ge=1,
        le=86_400,
        description="about how long after its last proof, by a request or a drill, a rung is "
        "drilled; ten times sooner after a drill that failed",
    )
    window_s: float = Field(
        default=750.0,
        ge=2,
        le=864_000,
        description="how long a proof lasts; a rung without one is planned around. At least two "
        "intervals",
    )
    timeout_s: float = Field(
        default=20.0, gt=0, le=600, description="longest that one drill may take"
    )
    prompt: str = Field(
        default="Reply with the word ready.",
        min_length=1,
        max_length=4_000,
        description="what a live rung is asked, behind the prompt of its route",
    )
    max_tokens: int = Field(
        default=16, ge=1, le=4_096, description="most that a live rung may answer with"
    )

    @model_validator(mode="after")
    def _a_proof_outlasts_its_drill(self) -> Self:
        if self.window_s < 2 * self.interval_s:
            raise ValueError("window_s is shorter than two intervals: a proof would run out first")
        return self

    def terms(self) -> Terms:
        """Return when drills are due, as the decisions take it."""
        return Terms(self.enabled, self.interval_s, self.window_s)


class RungSettings(BaseModel):
    """One ``[[rungs]]`` table, or the ``[floor]``: a kind and that plugin's own keys."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str = Field(description="which rung: the name of its plugin")

    @property
    def own_keys(self) -> dict[str, Any]:
        """The plugin's own table, ``kind`` left out."""
        return dict(self.model_extra or {})


class RouteSettings(BaseModel):
    """One file of ``routes/``; its name without ``.toml`` is what clients write in ``model``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slo: str = Field(default=DEFAULT_SLO, description="name of its SLO class")
    prompt: str | None = Field(
        default=None,
        description="name of a file in `prompts/` without `.md`; its messages go before the "
        "client's",
    )
    rungs: tuple[RungSettings, ...] = Field(
        default=(), description="what to try, in order, before the floor"
    )
    drill: bool = Field(default=True, description="whether its rungs are drilled; see `[drills]`")
    floor: RungSettings = Field(
        description="the last rung, which cannot fail: `template`, `schema` or `error`"
    )


class LadderSettings(BaseModel):
    """``[ladder]``: what the ladders of one gateway process may spend beside first attempts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hedge_percent: float = Field(
        default=5,
        ge=0,
        le=5,
        description="of the first attempts of a tenant at a provider, how many may be hedged",
    )
    harvest_max_at_once: int = Field(
        default=32,
        ge=0,
        le=4_096,
        description="late answers that are finished for later requests, for each process; 0 "
        "finishes none",
    )
    harvest_timeout_s: float = Field(
        default=30, gt=0, le=600, description="longest time that finishing one may take"
    )
    harvest_max_bytes: int = Field(
        default=1_048_576, ge=1_024, description="longest stream that is read to its end for it"
    )
