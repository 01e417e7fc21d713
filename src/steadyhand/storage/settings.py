"""The workspace's ``[storage]`` table."""

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """Keys of ``[storage]``: the SQL database of the control plane."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    url: str = Field(
        default="",
        description="sqlite:///FILE or postgresql://USER@HOST/NAME; empty for steadyhand.db in "
        "the state directory",
    )
