"""What a metric is, and a number on a gateway's board. Pure."""

from dataclasses import dataclass
from typing import Literal

Type = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: As scraped; unit and ``_total`` included.
        type: Prometheus type.
        meaning: One sentence, ends with a full stop.
        labels: In the order of their values.
    """

    name: str
    type: Type
    meaning: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """One number that a gateway process publishes on its board.

    Attributes:
        name: What the gateway calls it; ``_us`` are microseconds, as everywhere in the gateway.
        metric: What it is scraped as.
        per_unit: Divide by this for the metric's unit.
        label: Value of the metric's second label, if it has one.
    """

    name: str
    metric: Metric
    per_unit: int = 1
    label: str | None = None
