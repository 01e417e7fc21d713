"""How many examples a property test tries: few in every run, fifty times as many at night."""

from hypothesis import settings

DEFAULT = 100
NIGHTLY = 5_000


def in_proportion(count: int) -> int:
    """Return how many examples a test tries that affords ``count`` where others try ``DEFAULT``."""
    profile = settings.default
    assert profile is not None
    return max(1, count * profile.max_examples // DEFAULT)
