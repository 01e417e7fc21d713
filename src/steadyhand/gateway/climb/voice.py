"""Who speaks in the end."""

import msgspec

from steadyhand.gateway.climb.run import Run
from steadyhand.providers.base import Failure
from steadyhand.routing.rungs.base import StoredAnswer


class Stored(msgspec.Struct, frozen=True):
    """A stored rung speaks.

    Attributes:
        kind: Of the rung.
        answer: What it says.
        reason: Why it, and not the one before.
    """

    kind: str
    answer: StoredAnswer
    reason: str


class Silence(msgspec.Struct, frozen=True):
    """No rung speaks: the floor has to.

    Attributes:
        failure: Why the last one did not.
    """

    failure: Failure


Voice = Run | Stored | Silence
