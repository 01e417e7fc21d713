"""What a deployment usually takes, learned from its tries and remembered for a second. Pure."""

from typing import Final

from steadyhand.routing.costs import CostSketch
from steadyhand.routing.planning.situation import UNKNOWN

REMEMBERED_S: Final = 1.0
"""Seconds that a cost may be old: walking the sketches costs more than all the rest together."""


class LearnedCosts:
    """Costs of one deployment.

    Attributes:
        stream: To the first content of a stream.
        whole: Of a whole answer.
    """

    __slots__ = ("_sketches", "_until_s", "stream", "whole")

    def __init__(self) -> None:
        """Know nothing; no memory is taken for what is never asked."""
        self.stream = UNKNOWN
        self.whole = UNKNOWN
        self._sketches: dict[bool, CostSketch] = {}
        self._until_s = 0.0

    def took(self, age_s: float, now_s: float, *, stream: bool) -> None:
        """Learn that content came at ``age_s``."""
        sketch = self._sketches.get(stream) or self._sketch(stream)
        sketch.add(int(age_s * 1e6), now_s)

    def left(self, age_s: float, now_s: float, *, stream: bool) -> None:
        """Learn that content had not come at ``age_s``, when nobody waited any more."""
        self._sketch(stream).add_censored(int(age_s * 1e6), now_s)

    def refresh(self, now_s: float) -> None:
        """Work the quantiles out anew, if they are old."""
        if now_s < self._until_s:
            return
        self._until_s = now_s + REMEMBERED_S
        for is_stream, sketch in self._sketches.items():
            if is_stream:
                self.stream = sketch.cost(now_s)
            else:
                self.whole = sketch.cost(now_s)

    def _sketch(self, is_stream: bool) -> CostSketch:  # noqa: FBT001 - the key of the dict
        found = self._sketches.get(is_stream)
        if found is None:
            found = self._sketches[is_stream] = CostSketch()
        return found
