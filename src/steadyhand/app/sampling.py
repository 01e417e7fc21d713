"""Samples of answers in a gateway process: a log of their own, if a route is sampled."""

from steadyhand.app.state import State
from steadyhand.evals.grounding.sample import draw_key
from steadyhand.evals.grounding.settings import GroundingSettings
from steadyhand.gateway.climb.samples import Samples
from steadyhand.records.log import LogSettings, RecordLog

KIB = 1_024
WINDOW_MS = 500
"""Between two writes: nobody waits for a sample."""


def open_samples(settings: GroundingSettings, state: State) -> RecordLog | None:
    """Return the log that samples are written to; ``None`` if no route is sampled."""
    if not settings.routes:
        return None
    most = settings.spool_max_mib * KIB * KIB
    return RecordLog(
        state.samples,
        LogSettings(WINDOW_MS, max_bytes=most, max_pending_bytes=max(KIB * KIB, most // 8)),
    )


def samples_of(settings: GroundingSettings, log: RecordLog | None, secret: bytes) -> Samples | None:
    """Return what draws samples; ``None`` if no route is sampled."""
    if log is None:
        return None
    key = draw_key(secret)
    return Samples(settings.terms(), key, settings.max_sample_bytes, log.append)
