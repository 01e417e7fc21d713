"""How well scores tell supported claims from the rest."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.grounding.labelled import Checked
from steadyhand.evals.grounding.score import BIAS, FITTED, GROUNDED_FROM, UNGROUNDED_BELOW, score

Numbers = NDArray[np.float64]
DRAWS: Final = 2_000
RIDGE: Final = 1.0


def auroc(scores: Numbers, labels: Numbers) -> float:
    """Return the chance that a supported claim scores above another; ties count half."""
    good, other = scores[labels == 1], scores[labels == 0]
    wins = (good[:, None] > other[None, :]).mean()
    return float(wins + (good[:, None] == other[None, :]).mean() / 2)


def interval(scores: Numbers, labels: Numbers, seed: int) -> tuple[float, float]:
    """Return a bootstrap interval of the AUROC, 95 %."""
    chance = np.random.default_rng(seed)
    found: list[float] = []
    while len(found) < DRAWS:
        drawn = chance.integers(0, len(labels), len(labels))
        if 0 < labels[drawn].sum() < len(labels):
            found.append(auroc(scores[drawn], labels[drawn]))
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def told(claims: Sequence[Checked], seed: int = 7) -> dict[str, Any]:
    """Return the numbers of one set."""
    scores = np.array([score(claim.features) for claim in claims])
    labels = np.array([float(claim.is_supported) for claim in claims])
    low, high = interval(scores, labels, seed)
    below, above = scores < UNGROUNDED_BELOW, scores >= GROUNDED_FROM
    took_ms = np.array([claim.took_s * 1e3 for claim in claims])
    check_ms = np.array([claim.check_s * 1e3 for claim in claims])
    return {
        "claims": len(claims),
        "supported": int(labels.sum()),
        "auroc": auroc(scores, labels),
        "auroc_low": low,
        "auroc_high": high,
        "auroc_coverage_alone": auroc(
            np.array([claim.features.coverage for claim in claims]), labels
        ),
        "ungrounded_share": float(below.mean()),
        "ungrounded_right": float(1 - labels[below].mean()),
        "grounded_share": float(above.mean()),
        "grounded_right": float(labels[above].mean()),
        "not_measured_share": float((~below & ~above).mean()),
        "words_median": float(np.median([claim.words for claim in claims])),
        "with_context_ms": _spread(took_ms),
        "claim_ms": _spread(check_ms),
    }


def fit(claims: Sequence[Checked]) -> dict[str, float]:
    """Return weights by Newton's method with a ridge, the bias first."""
    names = [*FITTED]
    rows = np.array([[getattr(claim.features, name) for name in names] for claim in claims])
    design = np.column_stack([np.ones(len(rows)), rows])
    labels = np.array([float(claim.is_supported) for claim in claims])
    ridge = RIDGE * np.eye(design.shape[1])
    ridge[0, 0] = 0
    weights = np.zeros(design.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (chance - labels) + ridge @ weights
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + ridge
        weights = weights - np.linalg.solve(curve, slope)
    return dict(zip(("bias", *names), map(float, weights), strict=True))


def committed() -> dict[str, float]:
    """Return the weights that are in force."""
    return {"bias": BIAS, **FITTED}


def _spread(values: Numbers) -> dict[str, float]:
    return {
        "mean": float(values.mean()),
        "p50": float(np.quantile(values, 0.5)),
        "p99": float(np.quantile(values, 0.99)),
        "most": float(values.max()),
    }
