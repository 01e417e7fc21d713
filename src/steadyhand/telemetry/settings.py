"""Keys of ``[traces]``: whether spans are sent, where, and which."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from steadyhand.http.guarded import is_guarded
from steadyhand.providers.base import SecretReference

PATH = "/v1/traces"


class TraceSettings(BaseModel):
    """``[traces]``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: str | None = Field(
        default=None,
        description="address of an OTLP receiver that takes HTTP with protobuf; `/v1/traces` is "
        "added unless it ends so. Without one, no spans are made",
    )
    insecure: bool = Field(
        default=False,
        description="whether an endpoint elsewhere may be `http`: names of tenants then travel in "
        "the clear",
    )
    headers: dict[str, SecretReference] = Field(
        default_factory=dict,
        description="headers that the receiver wants, each where its value is: `env:NAME` or "
        "`file:PATH`",
    )
    sample_percent: float = Field(
        default=100,
        ge=0,
        le=100,
        description="how many of the traces that begin here are sent; who began one elsewhere "
        "decides by the flag in its `traceparent`",
    )
    troubles: bool = Field(
        default=True,
        description="whether failures and late answers are sent even if they were not drawn",
    )
    drills: bool = Field(default=False, description="whether drills are sent, too")
    content: bool = Field(
        default=False,
        description="whether words are sent that a caller wrote: corrections in feedback. Records "
        "hold neither questions nor answers, so these are never sent",
    )
    service_name: str = Field(
        default="steadyhand", min_length=1, max_length=200, description="`service.name` of spans"
    )
    timeout_s: float = Field(default=10, gt=0, le=120, description="longest that one try takes")
    keep_days: float = Field(
        default=1,
        gt=0,
        le=30,
        description="how long what a receiver does not take waits before it is given up",
    )
    max_waiting: int = Field(
        default=1_000_000, ge=1_000, description="most that waits; then the oldest is given up"
    )

    @field_validator("endpoint")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an http or https address")
        if parts.query or parts.fragment or parts.username is not None:
            raise ValueError("must have no query, fragment or user: secrets belong in `headers`")
        return value

    @model_validator(mode="after")
    def _is_guarded(self) -> Self:
        if self.endpoint is not None and not self.insecure and not is_guarded(self.endpoint):
            raise ValueError("`http` to another machine needs `insecure = true`")
        return self

    @property
    def url(self) -> str:
        """Where spans are posted; empty for nowhere."""
        if self.endpoint is None:
            return ""
        base = self.endpoint.rstrip("/")
        return base if base.endswith(PATH) else base + PATH
