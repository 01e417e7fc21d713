"""What the planner tells the engine to do, each with its reason."""

from typing import Literal

import msgspec

ActionKind = Literal[
    "start",  # ask the candidate, and wait for it until `until_us`
    "hedge",  # the same beside a running one; ask the hedge budget first: event hedged or no_hedge
    "prepare",  # fetch a stored answer before its turn: event started
    "harvest",  # ask it, wait for nobody: event harvested
    "give_up",  # its time is up: event gave_up; go on listening if the policy lingers
    "wait",  # for an event, or until `wake_us`
    "speak",  # send the candidate's answer: event spoke
    "floor",  # send the floor's answer: event spoke
    "stop",  # cancel what runs: the client left, or something has spoken
]


class Action(msgspec.Struct, frozen=True, gc=False):
    """The next thing to do.

    After ``wait`` the planner is asked again when something happens or at ``wake_us``; after
    everything else once it is done and its event noted (``start`` says ``wake_us`` already).

    Attributes:
        kind: See :data:`ActionKind`.
        candidate: Its place in the situation, or ``FLOOR``.
        until_us: When the candidate will be given up; :data:`~.situation.NEVER_US` for never.
        wake_us: When to ask again at the latest.
        reason: Why this, and why now.
    """

    kind: ActionKind
    candidate: int
    until_us: int
    wake_us: int
    reason: str


class Step(msgspec.Struct, frozen=True, gc=False):
    """One candidate in a plan.

    Attributes:
        candidate: Its place in the situation.
        action: ``start``, ``prepare``, ``hedge``, ``harvest``, or ``skip`` if it is planned
            around.
        start_us: When it is started, if all before it say nothing.
        until_us: When it is given up.
        reason: Why.
    """

    candidate: int
    action: str
    start_us: int
    until_us: int
    reason: str


class Plan(msgspec.Struct, frozen=True, gc=False):
    """What will happen if nobody says anything.

    Attributes:
        steps: In order of time; candidates that are planned around last.
        floor_at_us: When the last answer is given; ``NEVER_US`` if there is no deadline.
        reason: How the time was shared: ``equal_shares``, ``learned_costs``, ``no_deadline``.
    """

    steps: tuple[Step, ...]
    floor_at_us: int
    reason: str
