"""What holds for every test: the hypothesis profiles and the rule that CI skips nothing."""

import os

from hypothesis import settings

from tests.support.examples import DEFAULT, NIGHTLY

pytest_plugins = [
    "pytester",
    "tests.support.no_skips",
    "tests.support.installed",
    "tests.support.spread",
]

# ci: the same examples on every run, so that a red build is red for everyone.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=DEFAULT)
# nightly: new examples each time, and many; a find becomes an @example.
settings.register_profile("nightly", deadline=None, max_examples=NIGHTLY, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
