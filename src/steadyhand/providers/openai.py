"""Hosts that speak OpenAI's chat completions: OpenAI, vLLM, TGI, Ollama, llama.cpp and most others.

The client's body goes upstream as it came but for two splices: the deployment's model, and for a
stream the wish for its usage. The head is ours: the upstream's host, our key, nothing of the
client's but what the gateway forwards on purpose. All of it that does not change is made once.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from ssl import SSLContext
from typing import Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from steadyhand import __version__
from steadyhand.core.errors import ConfigurationError, SecretUnavailable
from steadyhand.core.splice import ask_usage, set_model
from steadyhand.http.limits import PoolLimits
from steadyhand.http.messages import Header, Limits, UpstreamReply
from steadyhand.http.origin import Origin
from steadyhand.http.tls import client_context
from steadyhand.http.transport import Transport
from steadyhand.http.transports import (
    Kind,
    check_installed,
    make_transport,
    read_proxy,
    read_proxy_url,
)
from steadyhand.providers.base import (
    Call,
    Failure,
    ProviderPorts,
    SecretReference,
    UnusableFile,
    failure,
)

_PATH = b"/chat/completions"
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = {
    *("accept", "accept-encoding", "connection", "content-length", "content-type", "cookie"),
    *("expect", "host", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"),
}
_CREDENTIALS = {"api-key", "authorization", "proxy-authorization", "x-api-key"}

SHAPES_ANSWERS = frozenset({"base_url", "headers"})
"""See :mod:`steadyhand.providers.base`."""


class Settings(BaseModel):
    """Keys of ``[providers.<name>]`` when ``kind = "openai"``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field(
        default="https://api.openai.com/v1",
        description="address that `/chat/completions` is put after",
    )
    api_key: SecretReference | None = Field(
        default=None,
        description="where the key is: env:NAME or file:PATH; none for servers that ask for none",
    )
    organization: str = Field(default="", description="value of `openai-organization`")
    project: str = Field(default="", description="value of `openai-project`")
    headers: dict[str, str] = Field(
        default_factory=dict, description="further headers to send with every request; no secrets"
    )
    connect_timeout_s: float = Field(
        default=5, gt=0, description="to a connection, TLS included, and to a free one of the pool"
    )
    first_byte_timeout_s: float = Field(
        default=120, gt=0, description="from the request sent to the first byte of the response"
    )
    idle_timeout_s: float = Field(default=60, gt=0, description="between two reads of the body")
    max_connections: int = Field(
        default=1024, gt=0, description="open connections, for each gateway process"
    )
    max_connecting: int = Field(
        default=64, gt=0, description="connections being opened at once; other requests wait"
    )
    dns_ttl_s: float = Field(
        default=30,
        gt=0,
        description="how long addresses of the host's name are used before it is "
        "looked up again; longer, if the resolver does not answer",
    )
    ca_file: Path | None = Field(
        default=None,
        description="PEM file of the authorities to trust instead of the system's; this path and "
        "those below are relative to the workspace",
    )
    client_cert: Path | None = Field(
        default=None,
        description="PEM file of the certificate chain to show to the upstream (mutual TLS)",
    )
    client_key: Path | None = Field(
        default=None, description="PEM file of its private key, without a pass phrase"
    )
    transport: Kind = Field(
        default="native",
        description="what carries requests: `native`, or `aiohttp` to go through a proxy; the "
        "latter needs the extra `steadyhand[aiohttp]`",
    )
    proxy_url: str = Field(
        default="", description="HTTP proxy to go through, as `http://host:port`; no credentials"
    )
    proxy_credentials: SecretReference | None = Field(
        default=None,
        description="where `user:password` for the proxy is: env:NAME or file:PATH",
    )

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, base_url: str) -> str:
        """Refuse what no request could go to."""
        try:
            Origin.parse(base_url)
        except ConfigurationError as error:
            raise ValueError(str(error)) from None
        return base_url

    @field_validator("proxy_url")
    @classmethod
    def _is_proxy(cls, proxy_url: str) -> str:
        """Refuse what is no proxy."""
        return read_proxy_url(proxy_url) if proxy_url else ""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Refuse keys that do nothing without others."""
        if (self.client_cert is None) != (self.client_key is None):
            raise ValueError("client_cert and client_key go together: give both or neither")
        if self.proxy_url and self.transport == "native":
            raise ValueError("proxy_url: set transport = 'aiohttp' as well")
        if self.proxy_credentials and not self.proxy_url:
            raise ValueError("proxy_credentials: set proxy_url as well")
        check_installed(self.transport)
        return self

    @field_validator("headers")
    @classmethod
    def _are_sendable(cls, headers: dict[str, str]) -> dict[str, str]:
        """Refuse headers that are the provider's own, secret, or would break the head."""
        for name, value in headers.items():
            if not _NAME.fullmatch(name) or not (value.isascii() and value.isprintable()):
                raise ValueError(f"{name!r} is no header, or its value is not printable ASCII")
            if name.lower() in _OURS:
                raise ValueError(f"{name!r} is set by the gateway")
            if name.lower() in _CREDENTIALS:
                raise ValueError(f"{name!r} holds a secret: set api_key = 'env:NAME' instead")
        return headers

    @field_validator("organization", "project")
    @classmethod
    def _is_sendable(cls, value: str) -> str:
        """Refuse values that would break the head."""
        if not (value.isascii() and value.isprintable()):
            raise ValueError("not printable ASCII")
        return value


class OpenAIProvider:
    """Speaks one wire to one host. See :class:`steadyhand.providers.base.Provider`."""

    def __init__(self, settings: Settings, api_key: str, transport: Transport) -> None:
        """Prepare both endpoints; ``api_key`` may be empty."""
        self._own_limits_s = (
            settings.connect_timeout_s,
            settings.first_byte_timeout_s,
            settings.idle_timeout_s,
        )
        self._api_key = api_key
        self._transport = transport
        self._plain, self._stream = (
            transport.endpoint(b"POST", _PATH, _headers(settings, api_key, kind), replayable=True)
            for kind in (b"application/json", b"text/event-stream")
        )

    async def open(self, call: Call, limits: Limits) -> UpstreamReply:
        """See :class:`steadyhand.providers.base.Provider`."""
        body = set_model(call.body, _quoted(call.model), call.model_at)
        if call.stream and not call.asks_usage:
            body = ask_usage(body)
        connect_s, first_byte_s, idle_s = self._own_limits_s
        bounds = Limits(
            connect_s if connect_s < limits.connect_s else limits.connect_s,
            first_byte_s if first_byte_s < limits.first_byte_s else limits.first_byte_s,
            idle_s if idle_s < limits.idle_s else limits.idle_s,
            limits.total_s,
            limits.give_up_at_s,
        )
        endpoint = self._stream if call.stream else self._plain
        return await endpoint.send(call.headers, body, bounds)

    def classify(self, status: int, headers: Mapping[bytes, bytes], body: bytes) -> Failure:
        """See :class:`steadyhand.providers.base.Provider`."""
        return failure(status, headers, body, secrets=(self._api_key,))

    async def close(self) -> None:
        """See :class:`steadyhand.providers.base.Provider`."""
        await self._transport.close()


def _headers(settings: Settings, api_key: str, accept: bytes) -> list[Header]:
    """Return the header fields of every request."""
    headers: list[Header] = [
        (b"content-type", b"application/json"),
        (b"accept", accept),
        (b"accept-encoding", b"identity"),  # the body is relayed as it comes
        (b"user-agent", b"steadyhand/%b" % __version__.encode()),
    ]
    if api_key:
        headers.append((b"authorization", b"Bearer %b" % api_key.encode()))
    if settings.organization:
        headers.append((b"openai-organization", settings.organization.encode()))
    if settings.project:
        headers.append((b"openai-project", settings.project.encode()))
    headers += [(name.lower().encode(), text.encode()) for name, text in settings.headers.items()]
    return headers


@lru_cache(maxsize=1024)
def _quoted(model: str) -> bytes:
    return msgspec.json.encode(model)


def build(settings: Settings, ports: ProviderPorts) -> OpenAIProvider:
    """Make a provider; nothing is connected before the first request.

    Raises:
        SecretUnavailable: The key is absent, empty, or cannot stand in a header.
        ConfigurationError: The file of authorities cannot be read.
    """
    api_key = ports.resolve_secret(settings.api_key) if settings.api_key else ""
    if not (api_key.isascii() and api_key.isprintable()):
        raise SecretUnavailable(
            f"the key at {settings.api_key} holds characters that no key has",
            hint="write the key alone, on one line",
        )
    origin = Origin.parse(settings.base_url)
    tls = _tls(settings, ports.workspace) if origin.scheme == "https" else None
    limits = PoolLimits(
        max_connections=settings.max_connections,
        max_idle=settings.max_connections,
        max_connecting=settings.max_connecting,
        dns_ttl_s=settings.dns_ttl_s,
    )
    proxy = read_proxy(settings.proxy_url, settings.proxy_credentials, ports.resolve_secret)
    transport = make_transport(settings.transport, origin, limits, tls, ports.traffic, proxy)
    return OpenAIProvider(settings, api_key, transport)


def check_workspace(settings: Settings, workspace: Path) -> None:
    """Refuse files that are not there, or hold no certificate or key.

    Raises:
        UnusableFile: Its ``key`` is the setting that names the file.
    """
    for key in ("ca_file", "client_cert", "client_key"):
        path: Path | None = getattr(settings, key)
        if path is not None and not (workspace / path).is_file():
            raise UnusableFile(
                key,
                f"{key} {path} is not there",
                hint=f"put the PEM file at {workspace / path}, or name another",
            )
    if settings.ca_file or settings.client_cert:
        _tls(settings, workspace)


def _tls(settings: Settings, workspace: Path) -> SSLContext:
    ca_file, identity = None, None
    if settings.ca_file is not None:
        ca_file = workspace / settings.ca_file
    if settings.client_cert is not None and settings.client_key is not None:
        identity = workspace / settings.client_cert, workspace / settings.client_key
    try:
        context = client_context(ca_file)
    except OSError as error:
        raise UnusableFile(
            "ca_file",
            f"ca_file {settings.ca_file} cannot be used: {error}",
            hint="name a PEM file with the certificates of the authorities to trust",
        ) from error
    if identity is None:
        return context
    try:
        return client_context(ca_file, identity)
    except OSError as error:
        raise UnusableFile(
            "client_cert",
            f"client_cert {settings.client_cert} and client_key {settings.client_key} cannot be "
            f"used: {error}",
            hint="name two PEM files: a certificate, and the key that belongs to it",
        ) from error
