"""Models on this machine: a GGUF file, run by a process of its own beside the gateways.

The gateway speaks to that process's host over a Unix socket, in OpenAI's wire and with the same
client as to any provider, and says with each request how long an answer is of use. What the host
refuses it refuses at once, by name (``model_loading``, ``model_busy`` ...): the ladder goes on.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from math import inf
from pathlib import Path
from time import monotonic

import msgspec
from pydantic import BaseModel, ConfigDict, Field, field_validator

from steadyhand.core.errors import ConfigurationError
from steadyhand.core.plugins import kinds
from steadyhand.core.splice import ask_usage, set_model
from steadyhand.http.limits import PoolLimits
from steadyhand.http.messages import Limits, UpstreamReply
from steadyhand.http.origin import Origin
from steadyhand.http.pool import Pool
from steadyhand.http.transport import Transport
from steadyhand.inference import gguf
from steadyhand.inference.service import PATH, REMAINING
from steadyhand.providers.base import Call, Failure, ProviderPorts, UnusableFile, failure

CONNECT_S = 5.0
MAX_CONNECTIONS = 1024
EXTRA = {"llama": "xllamacpp"}
"""Engine of ours → the module that it needs."""

SHAPES_ANSWERS = frozenset({"model_file", "engine", "context_tokens", "chat_template_file"})
"""See :mod:`steadyhand.providers.base`."""


class Settings(BaseModel):
    """Keys of ``[providers.<name>]`` when ``kind = "local"``."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model_file: str = Field(min_length=1, description="GGUF file; relative to the workspace")
    engine: str = Field(
        default="llama", description="what runs it; `llama` needs the extra `steadyhand[local]`"
    )
    context_tokens: int = Field(
        default=4096, ge=128, description="prompt and answer together, of each request"
    )
    parallel: int = Field(
        default=2,
        ge=1,
        le=64,
        description="requests generated at once; each has memory for `context_tokens`",
    )
    threads: int = Field(
        default=0, ge=0, le=1024, description="for computing; 0 takes one for each usable CPU"
    )
    batch_tokens: int = Field(
        default=128,
        ge=8,
        description="prompt tokens read at once; a request can be stopped between two batches",
    )
    gpu_layers: int = Field(default=0, ge=0, description="layers to put on a GPU; 0 for none")
    prefix_cache_mib: int = Field(
        default=256, ge=0, description="memory for prompts that were read before; 0 for none"
    )
    keep_warm: bool = Field(
        default=True,
        description="read the prompts of the routes with this model ahead of requests, after each "
        "load",
    )
    chat_template_file: str = Field(
        default="",
        description="Jinja template instead of the model's own; relative to the workspace",
    )
    max_queue: int = Field(
        default=16, ge=0, description="requests that may wait; one more is refused at once"
    )
    stall_timeout_s: float = Field(
        default=60,
        gt=0,
        description="a process that works and says nothing for so long is killed; more than one "
        "batch takes",
    )

    @field_validator("engine")
    @classmethod
    def _exists(cls, engine: str) -> str:
        """Refuse what is not installed."""
        known = kinds("steadyhand.inference.engines")
        if engine not in known:
            raise ValueError(f"no engine {engine!r}; there are {', '.join(known)}")
        return engine


def check_workspace(settings: Settings, workspace: Path) -> None:
    """Refuse a model that could not be started.

    Raises:
        ConfigurationError: The extra is not installed.
        UnusableFile: A file is not there, or is no model.
    """
    try:
        gguf.check(workspace / settings.model_file)
    except ConfigurationError as error:
        raise UnusableFile("model_file", error.message, hint=error.hint) from error
    template = settings.chat_template_file
    if template and not (workspace / template).is_file():
        raise UnusableFile(
            "chat_template_file",
            f"there is no chat template {template}",
            hint="name a Jinja file, relative to the workspace, or leave the key out",
        )
    module = EXTRA.get(settings.engine)
    if module is not None and find_spec(module) is None:
        raise ConfigurationError(
            f"the engine {settings.engine!r} is not installed",
            hint="pip install 'steadyhand[local]'",
        )


class LocalProvider:
    """See :class:`steadyhand.providers.base.Provider`."""

    def __init__(self, transport: Transport) -> None:
        """Make the endpoint ready.

        A request that the host died over is not sent again: it may have been the reason.
        """
        self._transport = transport
        fields = [(b"content-type", b"application/json")]
        self._endpoint = transport.endpoint(b"POST", PATH, fields, replayable=False)

    async def open(self, call: Call, limits: Limits) -> UpstreamReply:
        """See :class:`steadyhand.providers.base.Provider`."""
        body = set_model(call.body, msgspec.json.encode(call.model), call.model_at)
        if call.stream and not call.asks_usage:
            body = ask_usage(body)
        headers = list(call.headers)
        left_s = min(limits.give_up_at_s - monotonic(), limits.total_s)
        if left_s < inf:
            headers.append((REMAINING, b"%.1f" % (left_s * 1000)))
        bounds = msgspec.structs.replace(limits, connect_s=min(CONNECT_S, limits.connect_s))
        return await self._endpoint.send(headers, body, bounds)

    def classify(self, status: int, headers: Mapping[bytes, bytes], body: bytes) -> Failure:
        """See :class:`steadyhand.providers.base.Provider`."""
        found = failure(status, headers, body)
        if (found.code or "").startswith("model_"):  # the host's word is more exact than a status
            return msgspec.structs.replace(found, reason=found.code or "", callers_own=False)
        return found

    async def close(self) -> None:
        """See :class:`steadyhand.providers.base.Provider`."""
        await self._transport.close()


def build(settings: Settings, ports: ProviderPorts) -> LocalProvider:
    """Make a provider; nothing is connected before the first request.

    Raises:
        ConfigurationError: There is no host: models run beside ``steadyhand serve``.
    """
    del settings  # the host reads the same table
    if ports.socket_of is None:
        raise ConfigurationError(
            "a local model needs a process beside the gateways", hint="run: steadyhand serve"
        )
    limits = PoolLimits(max_connections=MAX_CONNECTIONS, max_idle=MAX_CONNECTIONS)
    origin = Origin.at_socket(ports.socket_of(ports.name))
    return LocalProvider(Pool(origin, limits, None, ports.traffic))
