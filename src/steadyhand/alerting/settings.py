"""Keys of ``[alerts]``: who is told."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from steadyhand.alerting.grouping import Terms
from steadyhand.alerting.model import Severity
from steadyhand.providers.base import SecretReference


class WebhookSettings(BaseModel):
    """One ``[[alerts.webhooks]]`` table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        pattern="^[a-z0-9][a-z0-9._-]{0,62}$", description="what commands and metrics call it"
    )
    url: SecretReference = Field(
        description="where its address is, since an address often is a secret: `env:NAME` or "
        "`file:PATH`; https, or http on this machine"
    )
    secret: SecretReference | None = Field(
        default=None,
        description="where the secret is that messages are signed with, as Standard Webhooks has "
        "it; without one they are not signed",
    )
    format: Literal["json", "slack"] = Field(default="json", description="form of a message")
    severities: tuple[Severity, ...] = Field(
        default=("page", "ticket"), min_length=1, description="of the alerts that it is told"
    )
    tells_end: bool = Field(default=True, description="whether it is told that an alert is over")
    group_wait_s: float = Field(
        default=5, ge=0, le=600, description="how long a new alert waits for others"
    )
    repeat_s: float = Field(
        default=14_400, ge=60, description="after how long one that goes on is told again"
    )
    timeout_s: float = Field(default=10, gt=0, le=60, description="longest that one try takes")

    def terms(self) -> Terms:
        """Return what it wants, as the decisions take it."""
        wanted = frozenset(self.severities)
        return Terms(wanted, self.tells_end, self.group_wait_s, self.repeat_s)


class AlertSettings(BaseModel):
    """``[alerts]``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    docs_url: str = Field(
        default="",
        pattern="^(https?://[^\\s<>|]+/)?$",
        description="address that runbooks are below, with a slash at its end; empty names files",
    )
    webhooks: tuple[WebhookSettings, ...] = Field(default=(), description="who is told")

    @field_validator("webhooks")
    @classmethod
    def _names_differ(cls, value: tuple[WebhookSettings, ...]) -> tuple[WebhookSettings, ...]:
        if len({one.name for one in value}) != len(value):
            raise ValueError("two webhooks have one name")
        return value
