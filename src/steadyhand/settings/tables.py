"""Sections of ``steadyhand.toml`` that belong to the running processes rather than to a slice."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from steadyhand.providers.base import SecretReference

Port = Annotated[int, Field(ge=0, le=65_535)]
_MEBIBYTE = 1_048_576


class ServerSettings(BaseModel):
    """``[server]``: the listeners and the processes behind them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(
        default="127.0.0.1", description="address of the AI API; `0.0.0.0` opens it to others"
    )
    port: Port = Field(default=8080, description="port of the AI API; 0 takes any free one")
    control_host: str = Field(default="127.0.0.1", description="address of the control API")
    control_port: Port = Field(
        default=8081, description="port of the control API; 0 takes any free one"
    )
    processes: int = Field(
        default=0, ge=0, le=256, description="gateway processes; 0 makes one for each usable CPU"
    )
    state_dir: str = Field(
        default=".steadyhand",
        min_length=1,
        description="folder for snapshots, log, database and keys; relative to the workspace",
    )
    max_body_bytes: int = Field(
        default=32 * _MEBIBYTE, ge=1_024, description="largest request body; a larger one gets 413"
    )
    max_head_bytes: int = Field(
        default=65_536, ge=1_024, description="largest request line and headers; more gets 431"
    )
    max_connections: int = Field(
        default=10_000, ge=1, description="open client connections of one process; more wait"
    )
    max_requests: int = Field(
        default=4_096,
        ge=1,
        description="requests that one process works on at once; more get 503 with Retry-After",
    )
    head_timeout_s: float = Field(
        default=10.0, gt=0, description="time a client has to send the whole head of a request"
    )
    body_timeout_s: float = Field(
        default=60.0, gt=0, description="time a client has to send the whole body of a request"
    )
    keep_alive_s: float = Field(
        default=75.0, gt=0, description="time an idle client connection is kept open"
    )
    drain_s: float = Field(
        default=30.0, ge=0, description="time that requests have to finish when a process stops"
    )
    tls_cert: str | None = Field(
        default=None,
        description="PEM file with the certificate chain; relative to the workspace. With it and "
        "`tls_key` the AI API speaks HTTPS only",
    )
    tls_key: str | None = Field(
        default=None, description="PEM file with the private key; relative to the workspace"
    )
    cors_origins: tuple[str, ...] = Field(
        default=(), description="origins of web pages that may call the AI API; `*` allows any"
    )

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together: give both or neither")
        return self


class RecordsSettings(BaseModel):
    """``[records]``: the log of requests and the database that it is shipped to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
        default=2.0, gt=0, le=3600, description="a segment is closed once it is this old"
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
    database_url: str | None = Field(
        default=None,
        description="SQLAlchemy address of the database, or `env:NAME` or `file:PATH` to read it "
        "from; by default SQLite in the state directory",
    )


class ControlSettings(BaseModel):
    """``[control]``: who may speak to the control API."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretReference | None = Field(
        default=None,
        description="where the bootstrap user's bearer token is: `env:NAME` or `file:PATH`; by "
        "default a file that is made in the state directory",
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=("127.0.0.1", "localhost", "[::1]"),
        description="values of the Host header that are answered, without port",
    )
    allowed_origins: tuple[str, ...] = Field(
        default=(), description="origins of other web pages that may call the control API"
    )
