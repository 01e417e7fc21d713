"""The port every provider implements, and the values that cross it.

A provider takes a chat-completions body (OpenAI's shape is the house's inner wire) and returns a
reply in the same shape. Retries, fallback and deadlines belong to the ladder, never to a provider.

A plugin may have ``check_model(settings, model)`` and ``check_workspace(settings, workspace)``,
which raise ``ConfigurationError`` for what could never work; ``validate`` calls them.
``SHAPES_ANSWERS`` names the keys of its table that decide what its models say: a change of another
one (a credential, a time-out) leaves stored answers valid. Without it, each change flushes them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

import msgspec
from pydantic import Field

from steadyhand.core import upstream_errors
from steadyhand.core.errors import ConfigurationError
from steadyhand.core.secrets import PATTERN
from steadyhand.core.splice import Span
from steadyhand.http.messages import Header, Limits, UpstreamReply
from steadyhand.http.traffic import Traffic

SecretReference = Annotated[
    str,
    Field(pattern=PATTERN.pattern, description="where the secret is: env:NAME or file:PATH"),
]


@dataclass(frozen=True, slots=True)
class ProviderPorts:
    """What a plugin's ``build`` may reach.

    Attributes:
        resolve_secret: Turns ``env:NAME`` or ``file:PATH`` into the secret.
        workspace: What relative paths in settings are relative to.
        traffic: What the transports of this process count into.
        socket_of: Names the Unix socket at which the host of a provider's own model answers;
            ``None`` where nothing hosts models.
        name: Of the provider in the workspace.
    """

    resolve_secret: Callable[[str], str]
    workspace: Path
    traffic: Traffic
    socket_of: Callable[[str], Path] | None = None
    name: str = ""


class UnusableFile(ConfigurationError):
    """A file that a provider's settings name is not there, or is not what it should be.

    Attributes:
        key: The setting that names it.
    """

    def __init__(self, key: str, message: str, *, hint: str) -> None:
        """Keep the key, so that ``validate`` can point at its line."""
        super().__init__(message, hint=hint)
        self.key = key


class Call(msgspec.Struct, frozen=True):
    """One chat completion to make upstream.

    Attributes:
        body: The client's JSON object with only the house's own edits; its ``model`` is not yet
            the deployment's.
        model: The deployment's model name, which the provider splices into ``body``.
        stream: Whether ``body`` asks for a stream.
        asks_usage: For a stream, whether the client itself asked for ``include_usage``. If not, the
            provider adds it and the relay takes the usage out again.
        headers: Request headers to pass on (``traceparent`` and the like); never credentials.
        model_at: Where ``model`` stands in ``body``, if that is known already.
    """

    body: bytes
    model: str
    stream: bool
    asks_usage: bool
    headers: tuple[Header, ...] = ()
    model_at: Span | None = None


class Failure(msgspec.Struct, frozen=True):
    """Why one attempt gave no answer.

    Attributes:
        reason: Stable identifier, used as a metric label (``rate_limited``, ``server_error``,
            ``first_byte_timeout`` ...).
        callers_own: Whether the request itself is at fault (400, 413, 422 ...), says this provider:
            if no other answers, the caller must see it as it was said.
        status: HTTP status upstream, or ``None`` if there was none.
        message: The provider's sentence, with secrets removed.
        type: The provider's error type, or ``None``.
        param: The field at fault, or ``None``.
        code: The provider's code, or ``None``.
        retry_after_s: Seconds the provider asked to wait, or ``None``.
        headers: Of the provider's response, lower-case names; empty if there was none.
    """

    reason: str
    callers_own: bool = False
    status: int | None = None
    message: str = ""
    type: str | None = None
    param: str | None = None
    code: str | None = None
    retry_after_s: float | None = None
    headers: Mapping[bytes, bytes] = msgspec.field(default_factory=dict)


def failure(
    status: int, headers: Mapping[bytes, bytes], body: bytes, *, secrets: Iterable[str] = ()
) -> Failure:
    """Read an error in OpenAI's shape, or in one of those that are near it.

    ``secrets`` are taken out of the provider's sentence, and so is all that looks like one.
    """
    said = upstream_errors.read(body)
    reason, callers_own = upstream_errors.reason(status, said)
    return Failure(
        reason=reason,
        callers_own=callers_own,
        status=status,
        message=upstream_errors.scrub(said.message, secrets),
        type=said.type,
        param=said.param,
        code=said.code,
        retry_after_s=upstream_errors.retry_after_s(headers, said),
        headers=headers,
    )


class Provider(Protocol):
    """Speaks one wire to one host."""

    async def open(self, call: Call, limits: Limits) -> UpstreamReply:
        """Send ``call`` and return the reply once its head has arrived.

        Raises:
            UpstreamError: The transport failed or a limit passed; nothing is left open.
        """
        ...

    def classify(self, status: int, headers: Mapping[bytes, bytes], body: bytes) -> Failure:
        """Name the failure that an error status, or an error body under 200, stands for. Pure."""
        ...

    async def close(self) -> None:
        """Close every connection; called when a snapshot without this provider takes over."""
        ...
