"""A live rung: one deployment of a model at one provider."""

from collections.abc import Mapping
from math import inf

from pydantic import BaseModel, ConfigDict, Field

from steadyhand.core.errors import ConfigurationError
from steadyhand.http.messages import Limits, UpstreamReply
from steadyhand.providers.base import Call, Failure, Provider
from steadyhand.routing.rungs.base import RungPorts

IS_FLOOR = False


class Settings(BaseModel):
    """Keys of ``[[rungs]]`` when ``kind = "live"``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str = Field(description="name of a [providers.<name>] table")
    model: str = Field(min_length=1, description="the provider's name of the model")
    give_up_ms: float | None = Field(
        default=None,
        gt=0,
        description="move on after this long without content (without a whole answer, if it is "
        "not a stream); default: an equal share of the time left",
    )


class Live:
    """See :class:`steadyhand.routing.rungs.base.LiveRung`."""

    def __init__(self, settings: Settings, provider: Provider) -> None:
        """Bind a deployment to its provider."""
        self.provider = settings.provider
        self.model = settings.model
        self.give_up_ms = settings.give_up_ms
        self._provider = provider

    async def open(self, call: Call, give_up_at_s: float, cap_s: float) -> UpstreamReply:
        """See :class:`steadyhand.routing.rungs.base.LiveRung`."""
        # Connect, first-byte and idle times are the provider's own settings; it takes the least.
        return await self._provider.open(call, Limits(inf, inf, inf, cap_s, give_up_at_s))

    def classify(self, status: int, headers: Mapping[bytes, bytes], body: bytes) -> Failure:
        """See :class:`steadyhand.routing.rungs.base.LiveRung`."""
        return self._provider.classify(status, headers, body)


def build(settings: Settings, ports: RungPorts) -> Live:
    """Make a live rung.

    Raises:
        ConfigurationError: No provider of that name.
    """
    provider = ports.providers.get(settings.provider)
    if provider is None:
        raise ConfigurationError(
            f"no provider {settings.provider!r}", hint=f"add [providers.{settings.provider}]"
        )
    return Live(settings, provider)
