"""The two kinds of rung: one that calls a model, one that always has an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from steadyhand.core.chat import Modality
from steadyhand.http.messages import UpstreamReply
from steadyhand.providers.base import Call, Failure, Provider


@dataclass(frozen=True, slots=True)
class RungPorts:
    """What a rung may reach.

    Attributes:
        providers: Name in the workspace → provider.
    """

    providers: Mapping[str, Provider]


class LiveRung(Protocol):
    """A rung that asks a deployment of a model.

    Attributes:
        provider: Name of the provider in the workspace.
        model: The deployment's model.
        give_up_ms: The route's own limit for this rung in milliseconds, or ``None``.
    """

    provider: str
    model: str
    give_up_ms: float | None

    async def open(self, call: Call, give_up_at_s: float, cap_s: float) -> UpstreamReply:
        """Send ``call``; the reply must start to speak before ``give_up_at_s`` (monotonic).

        ``cap_s`` bounds the whole exchange in seconds, ``inf`` for no bound.

        Raises:
            UpstreamError: The transport failed or a limit passed.
        """
        ...

    def classify(self, status: int, headers: Mapping[bytes, bytes], body: bytes) -> Failure:
        """See :meth:`steadyhand.providers.base.Provider.classify`."""
        ...


class FloorRung(Protocol):
    """The last rung: computed from memory, cannot fail, never late."""

    @property
    def kind(self) -> str:
        """``template``, ``schema`` or ``error``."""
        ...

    def speak(self, modality: Modality, schema: bytes | None) -> str | None:
        """Return the content of an answer, or ``None`` if it may not answer such a request.

        ``schema`` is the requested JSON schema as the client wrote it, for ``modality`` ``schema``.
        """
        ...
