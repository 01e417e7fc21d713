"""A floor that answers with fixed text. It never answers requests for a tool call or for JSON."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from steadyhand.core.chat import Modality
from steadyhand.routing.ports import RungPorts

IS_FLOOR = True


class Settings(BaseModel):
    """Keys of ``[floor]`` when ``kind = "template"``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(min_length=1, description="the answer, word for word")


class Template:
    """See :class:`steadyhand.routing.rungs.base.FloorRung`."""

    kind: Literal["template"] = "template"

    def __init__(self, text: str) -> None:
        """Hold the text."""
        self._text = text

    def speak(self, modality: Modality, schema: bytes | None) -> str | None:
        """See :class:`steadyhand.routing.rungs.base.FloorRung`."""
        return self._text if modality == "text" and schema is None else None


def build(settings: Settings, ports: RungPorts) -> Template:
    """Make a template floor."""
    return Template(settings.text)
