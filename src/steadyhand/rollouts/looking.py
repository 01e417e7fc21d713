"""Look at the evidence of open rollouts, and keep what was seen."""

from collections.abc import Callable, Collection
from typing import Final

from steadyhand.rollouts.assessment import Situation, assess
from steadyhand.rollouts.certificate import Look
from steadyhand.rollouts.evidence import Evidence
from steadyhand.rollouts.exposures.store import Exposures
from steadyhand.rollouts.model import Rollout
from steadyhand.rollouts.store import RolloutStore

LOOK_S: Final = 2.0
LOOK_PART: Final = 0.01
"""Looks are kept so often while counts grow, or once in this part of the time that the rollout has
lasted, whichever is longer, and whenever the verdict changes: a week has a few hundred."""

_US: Final = 1e6


class Looker:
    """Holds the evidence of every open rollout; made again from the records after a start."""

    def __init__(
        self,
        store: RolloutStore,
        exposures: Exposures,
        budget_left: Callable[[str], float | None],
    ) -> None:
        """Take the parts; nothing is read yet. ``budget_left`` is asked for a route."""
        self._budget_left = budget_left
        self._store = store
        self._exposures = exposures
        self._evidence: dict[str, Evidence] = {}

    def look(self, rollout: Rollout, now_us: int) -> Look:
        """Read what has become known, and say what it means.

        Raises:
            DatabaseUnavailable: It cannot be read; what was read stays.
        """
        evidence = self._evidence.get(rollout.id)
        if evidence is None:
            evidence = Evidence(rollout.policy, is_first=rollout.is_first)
            self._evidence[rollout.id] = evidence
        now_s = int(now_us / _US)
        self._exposures.bring_on(evidence, rollout.salt, rollout.policy, now_s)
        counts = evidence.counts(now_s)
        situation = Situation(
            now_s=now_us / _US,
            step=rollout.step,
            step_s=rollout.step_us / _US,
            weight=rollout.weight,
            is_first=rollout.is_first,
            breach_s=rollout.breach_us / _US,
            budget_left=self._budget_left(rollout.route),
        )
        return Look(now_us, counts, situation, assess(counts, rollout.policy, situation))

    def keep(self, rollout: Rollout, look: Look) -> None:
        """Store a look if it says something new and the last one is not fresh."""
        number, last = self._store.last_look(rollout.id)
        if last is not None:
            is_same = last.assessment.verdict.reason == look.assessment.verdict.reason
            is_known = last.counts == look.counts
            apart_us = max(LOOK_S * _US, LOOK_PART * (look.at_us - rollout.opened_us))
            if is_same and (is_known or look.at_us - last.at_us < apart_us):
                return
        self._store.add_look(rollout.id, number + 1, look)

    def forget(self, but: Collection[str]) -> None:
        """Drop the evidence of every rollout that is not among these ids."""
        for gone in [id_ for id_ in self._evidence if id_ not in but]:
            del self._evidence[gone]
