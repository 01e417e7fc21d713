"""The transports there are, by the name that settings give them; each imported only where named."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Literal

from steadyhand.core.errors import ConfigurationError, SecretUnavailable
from steadyhand.http.limits import PoolLimits
from steadyhand.http.origin import Origin
from steadyhand.http.pool import Pool
from steadyhand.http.traffic import Traffic
from steadyhand.http.transport import Transport

Kind = Literal["native", "aiohttp"]


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy; https upstreams are reached through it by CONNECT.

    Attributes:
        url: Without credentials.
        credentials: ``user:password`` for Basic authentication, or empty.
    """

    url: str
    credentials: str = field(default="", repr=False)


def check_installed(kind: Kind) -> None:
    """Do nothing if what ``kind`` needs is installed.

    Raises:
        ConfigurationError: It is not.
    """
    if kind == "aiohttp" and find_spec("aiohttp") is None:
        raise ConfigurationError(
            "transport 'aiohttp' needs the package aiohttp, which is not installed",
            hint="install it where steadyhand runs: pip install 'steadyhand[aiohttp]'",
        )


def make_transport(
    kind: Kind,
    origin: Origin,
    limits: PoolLimits,
    tls: ssl.SSLContext | None,
    traffic: Traffic,
    proxy: Proxy | None = None,
) -> Transport:
    """Return a transport to ``origin``; nothing is connected yet.

    Raises:
        ConfigurationError: What it needs is not installed.
    """
    if kind == "native":
        return Pool(origin, limits, tls, traffic)
    check_installed(kind)
    plugin = import_module("steadyhand.http.aiohttp_transport")
    made: Transport = plugin.AiohttpTransport(origin, limits, tls, traffic, proxy)
    return made


def read_proxy(
    url: str, credentials: str | None, resolve_secret: Callable[[str], str]
) -> Proxy | None:
    """Return the proxy at ``url``, or ``None`` for none.

    Raises:
        SecretUnavailable: What ``credentials`` names is not there, or is not ``user:password``.
    """
    if not url:
        return None
    if credentials is None:
        return Proxy(url)
    found = resolve_secret(credentials)
    if ":" not in found or not found.isprintable():
        raise SecretUnavailable(
            f"what {credentials} holds is not user:password",
            hint="write user, a colon and the password alone, on one line",
        )
    return Proxy(url, found)


def read_proxy_url(url: str) -> str:
    """Return the address of a proxy if it is one.

    Raises:
        ValueError: It is not ``http://host[:port]``, or it holds credentials.
    """
    try:
        origin = Origin.parse(url)
    except ConfigurationError as error:
        raise ValueError(str(error)) from None
    if origin.scheme != "http" or origin.base_path:
        raise ValueError("an HTTP proxy is written as http://host:port")
    return url
