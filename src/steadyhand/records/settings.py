"""The workspace's ``[records]`` table."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from steadyhand.records.log import LogSettings

MEBIBYTE = 1024 * 1024
STRICT_RESERVE_BYTES = 2 * MEBIBYTE
"""Of each segment, made beforehand: nine seconds of records at 500 requests a second."""

STRICT_SEGMENT_AGE_S = 10.0
"""Least age at which a segment is closed: a new one costs several syncs, and answers wait."""


class Settings(BaseModel):
    """Keys of ``[records]``: how the record log of each gateway process is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    durability: Literal["batched", "strict"] = Field(
        default="batched",
        description="`batched`: answers do not wait for the disk, and a killed process loses its "
        "last window. `strict`: an answer leaves once its record is on disk, or not at all",
    )
    sync_timeout_ms: int = Field(
        default=1_000,
        ge=10,
        le=60_000,
        description="under `strict`, the longest that an answer waits for the disk, if its "
        "deadline is not nearer; past it 503 `records_unavailable`",
    )
    window_ms: int = Field(
        default=100,
        ge=10,
        le=10_000,
        description="time between two group commits; what a killed process may lose",
    )
    segment_mib: int = Field(
        default=8, ge=1, le=1024, description="a segment is closed once it is this long"
    )
    segment_age_s: float = Field(
        default=2.0,
        gt=0,
        le=3600,
        description="a segment is closed once it is this old; under `strict` at 10 s or later",
    )
    max_mib: int = Field(
        default=1024,
        ge=16,
        description="most of one process's log on disk and not yet shipped; past it records are "
        "dropped and counted",
    )
    max_pending_mib: int = Field(
        default=64,
        ge=1,
        le=4096,
        description="most of one process's log in memory while the disk stalls; past it records "
        "are dropped and counted",
    )

    def log_settings(self) -> LogSettings:
        """Return these bounds as the log takes them."""
        is_strict = self.durability == "strict"
        least_age_s = STRICT_SEGMENT_AGE_S if is_strict else 0.0
        return LogSettings(
            window_ms=self.window_ms,
            segment_bytes=self.segment_mib * MEBIBYTE,
            segment_age_s=max(self.segment_age_s, least_age_s),
            max_bytes=self.max_mib * MEBIBYTE,
            max_pending_bytes=self.max_pending_mib * MEBIBYTE,
            reserve_bytes=STRICT_RESERVE_BYTES if is_strict else 0,
        )
