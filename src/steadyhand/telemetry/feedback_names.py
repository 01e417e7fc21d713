"""The metric of feedback. Pure; see ``names.py``."""

from steadyhand.telemetry.metric import Metric

FEEDBACK = Metric(
    "steadyhand_feedback_total",
    "counter",
    "What callers said of answers: thumbs_up, thumbs_down, rating_1 to rating_5, escalated, "
    "not_escalated, task_completed, task_failed, correction. What is said again counts once.",
    ("signal",),
)

METRICS = (FEEDBACK,)
