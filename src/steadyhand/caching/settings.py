"""The workspace's ``[cache]`` table: what the tiers of each process may take."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from steadyhand.core.secrets import PATTERN

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
SCHEMES = frozenset({"redis", "rediss", "unix"})


class Settings(BaseModel):
    """Keys of ``[cache]``; which routes use it is said by their ``cache`` rungs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hot_mib: int = Field(
        default=16,
        ge=0,
        le=65_536,
        description="memory of each gateway process for answers; 0 keeps none in memory",
    )
    redis_url: str | None = Field(
        default=None,
        min_length=1,
        description="a Redis that gateways share: `env:NAME` or `file:PATH` where its address is, "
        "or the address itself if it is on this machine and has no password "
        "(`redis://127.0.0.1:6379/0`); needs the extra `redis`",
    )
    redis_timeout_ms: float = Field(
        default=5.0,
        gt=0,
        le=1_000,
        description="longest that a request waits for Redis; then it goes on without",
    )
    database: bool = Field(
        default=True,
        description="keep answers in the database, too, where they outlive every process",
    )
    database_timeout_ms: float = Field(
        default=25.0,
        gt=0,
        le=1_000,
        description="longest that a request waits for the database; then it goes on without",
    )
    database_mib: int = Field(
        default=256,
        ge=1,
        description="most that answers take in the database; what expires first makes room",
    )
    max_age_s: int = Field(
        default=604_800,
        ge=1,
        description="oldest age of a kept answer, whatever a route says",
    )

    @model_validator(mode="after")
    def _redis_is_named_safely(self) -> Self:
        url = self.redis_url
        if url is None or PATTERN.match(url):
            return self
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES:
            raise ValueError("redis_url: write env:NAME, file:PATH or redis://127.0.0.1:6379/0")
        if parts.password or (parts.scheme != "unix" and parts.hostname not in LOOPBACK):
            raise ValueError(
                "redis_url: the address of another machine, or one with a password, is a secret: "
                "name where it is with env:NAME or file:PATH"
            )
        return self
