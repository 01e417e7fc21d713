"""Keys of ``keys.toml``."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
"""A name that people give: safe in files, URLs, metric labels and TOML headers."""

RouteName = Annotated[str, Field(pattern=r"^(\*|[a-z0-9][a-z0-9._-]{0,62})$")]
ModelPattern = Annotated[str, Field(pattern=r"^[^/\s]+/\S+$")]

SshKey = Annotated[
    str,
    Field(
        pattern=r"^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*( .*)?$",
        max_length=4_000,
    ),
]
HASH_SCHEME = "sha256:"
Role = Literal["author", "approver", "operator", "reader", "gateway", "alert"]
"""What a principal may do on the control plane."""


class KeySettings(BaseModel):
    """One ``[keys.<name>]`` table of ``keys.toml``: what the bearer of a key may do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hash: str = Field(
        pattern=r"^sha256:[0-9a-f]{64}$",
        description="`sha256:` and the SHA-256 of the key in hex; `steadyhand key create` writes "
        "it. The key itself is never stored",
    )
    tenant: Name = Field(description="whose requests these are; in every record and metric")
    channel: Name = Field(default="dev", description="which channel of a route's releases it gets")
    routes: tuple[RouteName, ...] = Field(
        default=(), description='routes it may call; `["*"]` allows every route'
    )
    models: tuple[ModelPattern, ...] = Field(
        default=(),
        description="provider models it may call past the routes, as `provider/model` with `*` "
        "for any run of characters, for example `openai/*`",
    )


class PrincipalSettings(BaseModel):
    """One ``[principals.<name>]`` table of ``principals.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hash: str = Field(
        pattern=r"^sha256:[0-9a-f]{64}$",
        description="`sha256:` and the SHA-256 of the token in hex; `steadyhand principal create` "
        "writes it",
    )
    roles: tuple[Role, ...] = Field(
        default=("reader",),
        description="`author` puts releases, `approver` approves those of others, `operator` moves "
        "channels and gives orders to the installation, `reader` sees; each may see. `gateway` "
        "fetches snapshots: every prompt and every key's rights, of its `tenants`",
    )
    ssh_keys: tuple[SshKey, ...] = Field(
        default=(),
        description="public keys as `ssh-keygen` writes them: whoever signs a commit of the "
        "registry with one of them is this principal",
    )
    tenants: tuple[Name, ...] = Field(
        default=(),
        description="for `gateway`: whose keys its snapshots have, and what these can reach; empty "
        "for all tenants",
    )
