"""What a record does not say of itself, and the control process knows. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from steadyhand.records.prices import Prices
from steadyhand.records.record import Record

Steps = Sequence[tuple[int, str, str, str, str, str, int]]
"""What a decision says happened: microseconds after the last byte of the request, kind of event
(see ``routing/planning/situation.py``), its detail, kind, provider and model of the rung, and the
place of the candidate, -1 for the floor."""


def no_steps(decision: bytes) -> Steps:
    """Return nothing: who cannot read decisions knows nothing of them."""
    del decision
    return ()


class Prompt(NamedTuple):
    """The named prompt of a route, in one version."""

    name: str
    version: str


def no_prompt(record: Record) -> Prompt | None:
    """Return nothing: no route has a prompt."""
    del record
    return None


class Known(NamedTuple):
    """What spans are made of besides records.

    Attributes:
        prices: Of models.
        providers: Name in the workspace → the convention's name.
        steps: Reads the decision of a record.
        prompt: Returns the prompt that a record's answer was made with, if that is known.
        content: Whether words of callers may be told.
    """

    prices: Prices
    providers: Mapping[str, str]
    steps: Callable[[bytes], Steps] = no_steps
    prompt: Callable[[Record], Prompt | None] = no_prompt
    content: bool = False
