"""All settings of a workspace, checked and immutable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from steadyhand.alerting.settings import AlertSettings
from steadyhand.caching.settings import Settings as CacheSettings
from steadyhand.evals.grounding.settings import GroundingSettings
from steadyhand.knowledge.model import Entry
from steadyhand.objectives.settings import ObjectivesSettings
from steadyhand.prompts.model import Prompt
from steadyhand.records.prices import Prices
from steadyhand.routing.settings import DrillSettings, LadderSettings, RouteSettings, SloSettings
from steadyhand.settings.prompts import PromptFile
from steadyhand.settings.tables import (
    ControlSettings,
    FollowSettings,
    RecordsSettings,
    RegistrySettings,
    RolloutSettings,
    ServerSettings,
)
from steadyhand.snapshot.model import ProviderEntry
from steadyhand.telemetry.settings import TraceSettings
from steadyhand.tenancy.settings import KeySettings


@dataclass(frozen=True, slots=True)
class Settings:
    """What :func:`steadyhand.settings.load.load` returns.

    Every name that one part uses exists in another: routes' providers, prompts and classes,
    keys' routes, prompts' passages.

    Attributes:
        workspace: The directory; paths in settings are relative to it.
        server: ``[server]``.
        records: ``[records]``.
        control: ``[control]``.
        slo_classes: Name → class, the built-in ones included.
        providers: Name → kind and table, validated by the plugin.
        keys: Name → key.
        routes: Name → route, each rung's table validated by its plugin, defaults filled in.
        prompts: Name → prompt and its files.
        cache: ``[cache]``.
        drills: ``[drills]``.
        collections: Name → curated answers, in the order of their paths.
        ladder: ``[ladder]``.
        registry: ``[registry]``.
        rollouts: ``[rollouts]``.
        follow: ``[follow]``.
        objectives: ``[objectives]``.
        prices: ``[prices]``.
        alerts: ``[alerts]``.
        traces: ``[traces]``.
        grounding: ``[grounding]``.
    """

    workspace: Path
    server: ServerSettings
    records: RecordsSettings
    control: ControlSettings
    slo_classes: Mapping[str, SloSettings]
    providers: Mapping[str, ProviderEntry]
    keys: Mapping[str, KeySettings]
    routes: Mapping[str, RouteSettings]
    prompts: Mapping[str, PromptFile]
    cache: CacheSettings = field(default_factory=CacheSettings)
    collections: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    drills: DrillSettings = field(default_factory=DrillSettings)
    ladder: LadderSettings = field(default_factory=LadderSettings)
    registry: RegistrySettings = field(default_factory=RegistrySettings)
    rollouts: RolloutSettings = field(default_factory=RolloutSettings)
    follow: FollowSettings = field(default_factory=FollowSettings)
    objectives: ObjectivesSettings = field(default_factory=ObjectivesSettings)
    prices: Prices = field(default_factory=dict)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    traces: TraceSettings = field(default_factory=TraceSettings)
    grounding: GroundingSettings = field(default_factory=GroundingSettings)

    @property
    def compiled_prompts(self) -> dict[str, Prompt]:
        """Name → prompt, as requests meet it."""
        return {name: found.prompt for name, found in self.prompts.items()}

    @property
    def state_dir(self) -> Path:
        """Folder for whatever the processes write."""
        return self.workspace / self.server.state_dir

    @property
    def database_url(self) -> str:
        """Address of the database; may be a secret reference, which its opener resolves."""
        return self.records.database_url or f"sqlite:///{self.state_dir / 'steadyhand.db'}"
