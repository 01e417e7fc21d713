"""A floor that answers with JSON valid for one schema, checked when the route is loaded.

A request that asks for another schema, for a tool call, or for text is not answered: an answer in
the wrong shape would be worse than an honest error.
"""

import json
from typing import Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import BaseModel, ConfigDict, Field, model_validator

from steadyhand.core.chat import Modality
from steadyhand.routing.ports import RungPorts

IS_FLOOR = True


class Settings(BaseModel):
    """Keys of ``[floor]`` when ``kind = "schema"``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # JSON is the one place where Any is the type: schemas and instances are whatever they are.
    json_schema: dict[str, Any] = Field(description="the JSON schema that clients of it send")
    answer: Any = Field(description="the answer; must be valid under json_schema")

    @model_validator(mode="after")
    def _answer_is_valid(self) -> "Settings":
        """Refuse a floor that could not stand in for a real answer."""
        try:
            Draft202012Validator.check_schema(self.json_schema)
        except SchemaError as broken:
            raise ValueError(f"json_schema is not a JSON schema: {broken.message}") from broken
        error = next(Draft202012Validator(self.json_schema).iter_errors(self.answer), None)
        if error is not None:
            raise ValueError(f"answer is not valid under json_schema: {error.message}")
        return self


class Schema:
    """See :class:`steadyhand.routing.rungs.base.FloorRung`."""

    kind: Literal["schema"] = "schema"

    def __init__(self, schema: dict[str, Any], answer: object) -> None:
        """Write schema and answer once, in canonical form."""
        self.schema = json.dumps(schema, sort_keys=True)
        self._answer = json.dumps(answer, ensure_ascii=False)

    def speak(self, modality: Modality, schema: bytes | None) -> str | None:
        """See :class:`steadyhand.routing.rungs.base.FloorRung`."""
        if modality != "schema" or schema is None:
            return None
        try:
            asked = json.dumps(json.loads(schema), sort_keys=True)
        except (ValueError, RecursionError):  # endless digits or brackets: not ours, whatever it is
            return None
        return self._answer if asked == self.schema else None


def build(settings: Settings, ports: RungPorts) -> Schema:
    """Make a schema floor."""
    return Schema(settings.json_schema, settings.answer)
