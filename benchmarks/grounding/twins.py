"""Rollouts whose sampled answers are judged: how often is a twin taken back, and a worse one?

The product's own draw, fold and verdict, look by look; what is made up is who asks and what the
check finds, which errs for both arms alike. In the first world the candidate is a twin of stable,
so each roll-back is a false one. In the others it is ungrounded more often by a ratio.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from random import Random
from statistics import median
from typing import Any, Final

from benchmarks.knowledge.bounds import lower_bound, upper_bound
from steadyhand.evals.grounding.sample import draw_key, is_drawn
from steadyhand.records.exposures.model import COMPARED, MEASURED, UNGROUNDED, slot_of
from steadyhand.rollouts.assessment import Situation, assess
from steadyhand.rollouts.evidence import Bad, Batch, Evidence, Measured
from steadyhand.rollouts.model import Policy
from steadyhand.routing.exposure import Assigned, assigned, slices

START_S: Final = 1_000_000
LOOK_S: Final = 10
PER_S: Final = 20
LASTS_S: Final = 3_600
WEIGHT: Final = 2_500


@dataclass(frozen=True)
class World:
    """What happens.

    Attributes:
        name: Of the row.
        base: Part of stable's answers that the check calls ungrounded.
        ratio: Times as many of the candidate's.
        sampled: Probability of a sample.
        turns: Answers of one conversation, which is the unit.
    """

    name: str
    base: float
    ratio: float = 1.0
    sampled: float = 0.2
    turns: int = 1


WORLDS: Final = (
    World("twin", 0.2),
    World("twin, rarely ungrounded", 0.02),
    World("twin, conversations of eight", 0.2, turns=8),
    World("twin, every answer sampled", 0.2, sampled=1.0),
    World("ungrounded 1.5 times as often", 0.2, 1.5),
    World("ungrounded twice as often", 0.2, 2.0),
    World("ungrounded three times as often", 0.1, 3.0),
)


@dataclass
class Run:
    """What became of one rollout.

    Attributes:
        rolled_back_s: When it was taken back, seconds; ``None`` for never.
        measured: Samples of the candidate's compared slice by then.
    """

    rolled_back_s: int | None = None
    measured: int = 0


def rollout(world: World, seed: int) -> Run:
    """Let one rollout go on for an hour at its first step, looked at again and again."""
    chance, found = Random(seed), Run()
    policy = Policy(counts_ungrounded=True)
    cut, key = slices(WEIGHT), draw_key(seed.to_bytes(8, "big"))
    evidence = Evidence(policy, is_first=False)
    number = 0
    for second in range(0, LASTS_S, LOOK_S):
        bad: list[Bad] = []
        measured: dict[int, int] = {}
        for _ in range(PER_S * LOOK_S):
            number += 1
            if not is_drawn(key, f"req_{number}", world.sampled):
                continue
            who = assigned(f"salt {seed}", cut, f"conversation {number // world.turns}")
            slot = slot_of(who.arm, who.part)
            measured[slot] = measured.get(slot, 0) + 1
            rate = world.base * (world.ratio if who.arm == "candidate" else 1.0)
            if chance.random() < rate:
                bad.append(_bad(who, slot, START_S + second))
        counts = [Measured(WEIGHT, cut.controls, slot, many) for slot, many in measured.items()]
        found.measured += measured.get(COMPARED, 0)
        evidence.add(Batch(number, (), bad, (), counts), START_S + second)
        now_s = START_S + second
        situation = Situation(now_s, 0, START_S, WEIGHT)
        verdict = assess(evidence.counts(now_s), policy, situation).verdict
        if verdict.decision == "roll_back":
            found.rolled_back_s = second
            return found
    return found


def simulated(runs: int) -> list[dict[str, Any]]:
    """Return a row for each world."""
    return [
        _row(world, [rollout(world, 1_000 * place + run) for run in range(runs)])
        for place, world in enumerate(WORLDS)
    ]


def pooled(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return how many twins were taken back in all, and the exact bound on the chance of it."""
    twins = [row for row in rows if row["world"]["ratio"] == 1.0]
    runs, back = (sum(row[name] for row in twins) for name in ("runs", "rolled_back"))
    return {
        "runs": runs,
        "rolled_back": back,
        "at_most": upper_bound(back, runs) if runs else 1.0,
    }


def _row(world: World, runs: Sequence[Run]) -> dict[str, Any]:
    back = [run for run in runs if run.rolled_back_s is not None]
    return {
        "world": asdict(world),
        "runs": len(runs),
        "rolled_back": len(back),
        "at_most": upper_bound(len(back), len(runs)),
        "at_least": lower_bound(len(back), len(runs)),
        "median_s": median(run.rolled_back_s or 0 for run in back) if back else None,
        "median_measured": median(run.measured for run in back) if back else None,
    }


def _bad(who: Assigned, slot: int, second: int) -> Bad:
    cut = who.slices
    return Bad(who.unit, slot, cut.weight, cut.controls, second, 0, 0, MEASURED | UNGROUNDED)
