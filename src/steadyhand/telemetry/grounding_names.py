"""The metrics of grounding. Pure; see ``names.py``."""

from steadyhand.telemetry.metric import Metric, Slot

SAMPLES = Metric(
    "steadyhand_grounding_samples_total",
    "counter",
    "Answers that were drawn to be checked: taken, or dropped because too many waited.",
    ("process", "result"),
)
SAMPLES_FAILURES = Metric(
    "steadyhand_grounding_samples_flush_failures_total",
    "counter",
    "Times that samples could not be written to disk; they wait in memory, within a bound.",
    ("process",),
)
CHECKED = Metric(
    "steadyhand_grounding_checked_total",
    "counter",
    "Sampled answers by what they were found to be: grounded, ungrounded or not_measured, which is "
    "neither. Ungrounded is a proxy for hallucination: the answer does not stand in what the model "
    "was given. The release is empty for the workspace.",
    ("route", "release", "verdict"),
)
UNMEASURED = Metric(
    "steadyhand_grounding_unmeasured_total",
    "counter",
    "Sampled answers that could not be measured, by why: no_context, unsure, refusal, no_claim, "
    "code_only, language, not_plain, too_long.",
    ("route", "reason"),
)
JUDGED = Metric(
    "steadyhand_grounding_judged_total",
    "counter",
    "Questions to the judge by what came of them: grounded, ungrounded, not_told, failed, late, "
    "malformed; and those not asked: over_budget, resting (it had failed).",
    ("outcome",),
)
EXPIRED = Metric(
    "steadyhand_grounding_expired_total",
    "counter",
    "Samples that were deleted because their time was over.",
)
UNREADABLE = Metric(
    "steadyhand_grounding_unreadable_total",
    "counter",
    "Samples that were written and could not be read, or are of a shape unknown here.",
)
FAILURES = Metric(
    "steadyhand_grounding_failures_total",
    "counter",
    "Times that samples had to wait because the database or the disk failed.",
)
LAG = Metric(
    "steadyhand_grounding_lag_seconds",
    "gauge",
    "Age of the oldest sample of the last pass when it was checked; 0 if none waited.",
)

UNGROUNDED = Metric(
    "steadyhand_grounding_ungrounded_ratio",
    "gauge",
    "Share of the measured samples that are ungrounded, of those that are still kept, each weighed "
    "by the probability with which it was drawn. A proxy for hallucination.",
    ("route", "release"),
)
UNGROUNDED_LOW = Metric(
    "steadyhand_grounding_ungrounded_low_ratio",
    "gauge",
    "Lower end of the 95 % interval (Wilson) of steadyhand_grounding_ungrounded_ratio.",
    ("route", "release"),
)
UNGROUNDED_HIGH = Metric(
    "steadyhand_grounding_ungrounded_high_ratio",
    "gauge",
    "Upper end of the 95 % interval (Wilson) of steadyhand_grounding_ungrounded_ratio.",
    ("route", "release"),
)
MEASURED = Metric(
    "steadyhand_grounding_measured_samples",
    "gauge",
    "Samples that steadyhand_grounding_ungrounded_ratio is of.",
    ("route", "release"),
)

OF_GATEWAYS = (SAMPLES, SAMPLES_FAILURES)

METRICS = (
    CHECKED,
    UNMEASURED,
    JUDGED,
    EXPIRED,
    UNREADABLE,
    FAILURES,
    LAG,
    UNGROUNDED,
    UNGROUNDED_LOW,
    UNGROUNDED_HIGH,
    MEASURED,
)

SLOTS = (
    Slot("samples_taken", SAMPLES, label="taken"),
    Slot("samples_dropped", SAMPLES, label="dropped"),
    Slot("samples_flush_failures", SAMPLES_FAILURES),
)
