"""Sections of ``steadyhand.toml`` that belong to the running processes rather than to a slice."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from steadyhand.providers.base import SecretReference
from steadyhand.records.settings import Settings as LogSettings
from steadyhand.tenancy.settings import SshKey

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
        default=16_384,
        ge=1,
        description="open client connections of one process; one more gets 503 and is closed",
    )
    max_connections_per_client: int = Field(
        default=4_096,
        ge=0,
        description="open connections of one client (an IPv4 address or an IPv6 /64) to one "
        "process; one more gets 429 and is closed; 0 sets no bound, for use behind a proxy",
    )
    head_timeout_s: float = Field(
        default=10.0, gt=0, description="time a client has to send the whole head of a request"
    )
    body_timeout_s: float = Field(
        default=30.0,
        gt=0,
        description="time a client has to send the body of a request, plus one second for each "
        "16 KiB received",
    )
    keep_alive_s: float = Field(
        default=75.0, gt=0, description="time an idle client connection is kept open"
    )
    drain_s: float = Field(
        default=30.0,
        ge=0,
        description="time that requests have to finish when a process stops; what still runs then "
        "is cut, and told so",
    )
    readiness_lead_s: float = Field(
        default=0.0,
        ge=0,
        description="time between SIGTERM, when `/readyz` turns to 503, and the end of accepting; "
        "as long as the load balancer in front takes to notice",
    )
    max_in_flight: int = Field(
        default=2_048,
        ge=1,
        description="requests that one process answers at once; one more gets 503 `overloaded`",
    )
    overload_target_ms: float = Field(
        default=25.0,
        ge=0,
        description="length of a turn of a process's event loop that is still good; a request sees "
        "three or four turns. While turns are longer, as many requests get 503 `overloaded` as do "
        "not fit. 0 refuses none for that reason",
    )
    overload_interval_ms: float = Field(
        default=250.0,
        gt=0,
        description="for how long turns must be too long before requests are refused",
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


class RecordsSettings(LogSettings):
    """``[records]``: the record log, and the database that it is shipped to."""

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
        default=("127.0.0.1", "localhost", "::1"),
        description="names in the Host header that are answered, without port; `*` allows any",
    )
    allowed_origins: tuple[str, ...] = Field(
        default=(), description="origins of other web pages that may call the control API"
    )


class PriceSettings(BaseModel):
    """``[prices."<provider>/<model>"]``: what a million tokens of a model cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_usd_per_mtok: float = Field(ge=0, description="US dollars for a million prompt tokens")
    output_usd_per_mtok: float = Field(
        ge=0, description="US dollars for a million completion tokens"
    )
    cached_input_usd_per_mtok: float | None = Field(
        default=None,
        ge=0,
        description="US dollars for a million prompt tokens read from the provider's cache; by "
        "default as the others",
    )


class RegistrySettings(BaseModel):
    """``[registry]``: where the releases are kept beside the control plane's own disk."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    remote: str | None = Field(
        default=None,
        min_length=1,
        description="repository that has the last word: `https://…`, `ssh://…`, `git@host:path`, "
        "or a path relative to the workspace. What is pushed to its branch `main` is taken over if "
        "the rules allow it, and every change of ours goes there before it counts",
    )
    remote_user: str = Field(default="git", description="name to log in with there")
    remote_token: SecretReference | None = Field(
        default=None, description="password or token for `https://`: `env:NAME` or `file:PATH`"
    )
    remote_key: str | None = Field(
        default=None,
        description="private key for SSH, its `.pub` beside it; relative to the workspace. Without "
        "it the SSH agent is asked",
    )
    poll_s: float = Field(
        default=2.0, ge=0.2, le=3_600, description="time between two looks at the remote"
    )
    trusted_keys: tuple[SshKey, ...] = Field(
        default=(),
        description="public keys of other control planes that commit to the same remote",
    )


class RolloutSettings(BaseModel):
    """``[rollouts]``: how a roll-back reaches gateways; what decides it is in the registry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    driver: Literal["embedded", "argocd"] = Field(
        default="embedded",
        description="`embedded`: this installation's gateways follow the registry by themselves. "
        "`argocd`: Argo CD deploys from the registry's remote, and is made to look at once",
    )
    argocd_server: str = Field(default="", description="address: `https://argocd.example`")
    argocd_token: SecretReference | None = Field(
        default=None, description="bearer token of an account there: `env:NAME` or `file:PATH`"
    )
    argocd_application: str = Field(default="", description="name of the application")
    argocd_namespace: str = Field(
        default="", description="namespace of the application; empty for Argo CD's own"
    )
    argocd_project: str = Field(default="", description="project of the application")
    argocd_ca_file: str = Field(
        default="", description="certificates to trust; empty for those of the machine"
    )
    argocd_break_glass: bool = Field(
        default=False,
        description="if the revert cannot be pushed, switch auto-sync off and have Argo CD deploy "
        "what was before; a person merges the revert, and auto-sync is on again then",
    )
    argocd_refresh_s: float = Field(
        default=2.0, ge=0.5, le=60, description="time between two requests to look at Git"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """Refuse a driver that does not know where to go."""
        told = (self.argocd_server, self.argocd_token, self.argocd_application)
        if self.driver == "argocd" and not all(told):
            raise ValueError(
                "driver = 'argocd' takes argocd_server, argocd_token and argocd_application"
            )
        return self


class FollowSettings(BaseModel):
    """``[follow]``: gateways here serve what a control plane elsewhere has in force."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str | None = Field(
        default=None,
        min_length=1,
        description="address of that control plane; with it this workspace needs no routes, keys "
        "or prompts, and its own are not served",
    )
    token: SecretReference | None = Field(
        default=None,
        description="token of a principal there with the role `gateway`: `env:NAME` or `file:PATH`",
    )
    public_key: str | None = Field(
        default=None,
        description="public key of that control plane, as `steadyhand registry key` prints it "
        "there: what is not signed with it is not served",
    )
    max_age_s: float = Field(
        default=86_400.0,
        gt=0,
        description="for how long what was served last is served on without a word from there; "
        "then only floors answer, and nothing starts",
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.url is not None and (self.token is None or self.public_key is None):
            raise ValueError("url: give token and public_key as well")
        return self
