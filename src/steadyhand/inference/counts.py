"""What the host of one model has counted; its board shows it (``app/models.py``)."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """What has happened since the host started; see ``telemetry/model_names.py``."""

    restarts: int = 0
    load_failures: int = 0
    stalls: int = 0
    answered: int = 0
    stopped: int = 0
    crashed: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    warm_ups: int = 0
    refused: dict[str, int] = field(default_factory=dict)
