"""A floor that says, in time, that there is no answer: a typed 503 with Retry-After."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from steadyhand.core.chat import Modality
from steadyhand.routing.ports import RungPorts

IS_FLOOR = True


class Settings(BaseModel):
    """``[floor]`` with ``kind = "error"`` has no further keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Error:
    """See :class:`steadyhand.routing.rungs.base.FloorRung`."""

    kind: Literal["error"] = "error"

    def speak(self, modality: Modality, schema: bytes | None) -> None:
        """Never answer; the stage then raises the typed error."""


def build(settings: Settings, ports: RungPorts) -> Error:
    """Make an error floor."""
    return Error()
