"""The ladder that a drill climbs: one candidate of a real one, and nobody who stands in for it."""

from steadyhand.core.chat import Modality
from steadyhand.gateway.serving import Ladder
from steadyhand.routing.rungs.base import Deployment, LiveRung, Sticky

SCOPE = "drill:"
"""Before the route's name, where its answers are kept: no route can be named so."""


class OnlyOne:
    """A live rung of one deployment of another; see :class:`steadyhand.routing.rungs.base`."""

    kind = "live"
    sticky: Sticky = ""
    may_hedge = False
    is_drawn = False

    def __init__(self, deployment: Deployment) -> None:
        """Take the deployment."""
        self.deployments = (deployment,)

    def candidates(self, draw: float, unit: str) -> tuple[Deployment, ...]:
        """Return the one."""
        return self.deployments


class NoFloor:
    """No floor: whoever is drilled is not stood in for."""

    kind = "error"

    def speak(self, modality: Modality, schema: bytes | None) -> None:
        """Never answer."""


def ladder_of(ladder: Ladder, number: int, rung: LiveRung) -> Ladder:
    """Return a ladder of one rung of another, over an honest error.

    It has a name of its own: what is said of the real route's rungs (that one is not proven, for
    example) is not said of this one.
    """
    return Ladder(
        route=SCOPE + ladder.route,
        slo=ladder.slo,
        rungs=(rung,),
        floor=NoFloor(),
        instructions=ladder.instructions,
        own_instructions=ladder.own_instructions[number : number + 1],
        wording=ladder.wording.only(number) if ladder.wording is not None else None,
        release=ladder.release,
    )
