"""Writes the reference page of metrics from their names.

``python -m steadyhand.telemetry.reference`` prints ``docs/reference/metrics.md``, which a test
compares.
"""

import sys

from steadyhand.telemetry.model_names import MODEL_METRICS
from steadyhand.telemetry.names import GRID_MS, METRICS

_TOP = """# Metrics

All metrics of one installation are scraped from the control plane, at `/metrics`. This page is
generated from `src/steadyhand/telemetry/names.py`.

`-` stands for a value that there is none of: an unknown route, a rung that calls no provider. A
label takes at most 500 values of its own; what comes later is counted under `other`.

Histograms have an edge at every latency threshold of the workspace's SLO classes, so the share of
answers inside an SLO is exact, and at these milliseconds:
{grid}.
"""


def metrics_page() -> str:
    """Return the page, in Markdown."""
    parts = [_TOP.format(grid=", ".join(f"{edge:,}" for edge in GRID_MS))]
    chapters = {**METRICS, "Models on this machine": MODEL_METRICS}
    for chapter, metrics in chapters.items():
        parts.append(f"\n## {chapter}\n\n| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n")
        for metric in metrics:
            labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
            parts.append(f"| `{metric.name}` | {metric.type} | {labels} | {metric.meaning} |\n")
    return "".join(parts)


if __name__ == "__main__":
    sys.stdout.write(metrics_page())
