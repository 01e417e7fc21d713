"""The metrics of releases. Pure; see ``names.py``."""

from steadyhand.telemetry.metric import Metric

RELEASED_REQUESTS = Metric(
    "steadyhand_released_requests_total",
    "counter",
    "Requests on channels that the registry feeds, by the arm that was assigned and by how they "
    "ended.",
    ("channel", "route", "arm", "outcome"),
)
REGISTRY_CHANGES = Metric(
    "steadyhand_registry_changes_total",
    "counter",
    "Commits that the control process made in the release registry, by what they did: release, "
    "approve, promote, try, give-up, roll-back, revoke, ask-waiver, waive, environments.",
    ("action",),
)
NOT_IN_FORCE = Metric(
    "steadyhand_releases_not_in_force",
    "gauge",
    "Channels that could not be brought to where they point, and keep what they served.",
)
REGISTRY_SYNCS = Metric(
    "steadyhand_registry_syncs_total",
    "counter",
    "Looks at the registry's remote, by how they ended: ok, refused (what it has breaks a rule and "
    "is not taken over), failed (it cannot be reached: nothing can be released).",
    ("outcome",),
)
FOLLOWED_AGE = Metric(
    "steadyhand_followed_age_seconds",
    "gauge",
    "How long ago the control plane that is followed was last heard; past max_age_s only floors "
    "answer. Absent where none is followed.",
)

METRICS = (RELEASED_REQUESTS, REGISTRY_CHANGES, NOT_IN_FORCE, REGISTRY_SYNCS, FOLLOWED_AGE)
