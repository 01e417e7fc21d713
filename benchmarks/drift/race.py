"""Detectors on traces: when each sees what happens, and how often it sees what does not."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from heapq import heappop, heappush
from math import inf
from typing import Any

from benchmarks.drift.detectors import Detector, Ewma, LogEwma, Ours, OursAlone, Outliers, Score
from benchmarks.drift.traces import (
    DAY_S,
    Scenario,
    diurnal,
    flapping,
    ramp,
    steady,
    step,
    tries,
)

CHANGE_S = 300.0
"""Second of the trace in which the change comes."""

QUIET = (
    Scenario("stationary", steady),
    Scenario("wandering", steady, is_correlated=True),
    Scenario("diurnal", diurnal),
    Scenario("mix of sizes", steady, is_mixed=True),
)
"""Nothing is to be seen here."""

CHANGED = {
    Scenario("step ×3", step(CHANGE_S, 3), CHANGE_S): 60.0,
    Scenario("step ×1.5", step(CHANGE_S, 1.5), CHANGE_S): 300.0,
    Scenario("silence", step(CHANGE_S, 1e9), CHANGE_S): 60.0,
    Scenario("ramp ×3 in 60 s", ramp(CHANGE_S, 60, 3), CHANGE_S): 120.0,
    Scenario("ramp ×3 in 600 s", ramp(CHANGE_S, 600, 3), CHANGE_S): 700.0,
    Scenario("flapping ×10", flapping(CHANGE_S, 10), CHANGE_S): 120.0,
}
"""What is to be seen, and the seconds after which it counts as missed."""

SWEPT = "step ×3"
"""The change on which every threshold is tried."""

BASES_S = (0.05, 1.0)
RATES = (100.0, 5.0)
PIECE_S = DAY_S / 2  # of a long quiet trace: a process takes one at a time

FAMILIES: tuple[tuple[Callable[[float], Detector], tuple[float, ...], float], ...] = (
    (Ours, (6.0, 9.0, 12.0, 16.0, 24.0), 16.0),
    (Ewma, (1.5, 2.0, 3.0, 5.0, 10.0), 2.0),
    (LogEwma, (1.3, 1.5, 1.7, 2.0, 2.5), 1.5),
    (Score, (1.25, 1.5, 2.0, 3.0), 1.5),
    (Outliers, (1.5, 5.0, 15.0), 15.0),
)
"""What makes a detector, its thresholds, and the one that tables show."""


@dataclass(frozen=True, slots=True)
class Job:
    """One trace.

    Attributes:
        scenario: Its name.
        base_s: Healthy latency.
        rate: Tries a second.
        seed: Of the generator.
        seconds: How long, at most; it ends sooner if everybody has seen the change.
        field: ``all`` thresholds, the one of each family ``shown`` in tables, or only ``ours``.
    """

    scenario: str
    base_s: float
    rate: float
    seed: int
    seconds: float
    field: str


def run(job: Job) -> dict[str, Any]:
    """Return the job and, for each detector, its alarms and the delay of its first true one."""
    scenario = next(each for each in (*QUIET, *CHANGED) if each.name == job.scenario)
    detectors = field(job.field)
    race = _Race(detectors, inf if scenario.changes_s is None else scenario.changes_s)
    race.play(tries(scenario, job.base_s, job.rate, job.seed), job.seconds)
    return {
        **asdict(job),
        "found": [
            _row(each, early, delay)
            for each, early, delay in zip(detectors, race.early, race.delays_s, strict=True)
        ],
    }


def field(which: str) -> list[Detector]:
    """Return the detectors that :attr:`Job.field` names."""
    if which == "ours":
        return [OursAlone(FAMILIES[0][2])]
    return [
        make(threshold)
        for make, thresholds, shown in FAMILIES
        for threshold in (thresholds if which == "all" else (shown,))
    ]


def _row(detector: Detector, alarms: int, delay_s: float | None) -> dict[str, Any]:
    return {
        "family": detector.family,
        "threshold": detector.threshold,
        "alarms": alarms,
        "delay_s": delay_s,
    }


class _Race:
    """Plays one trace to all detectors.

    Attributes:
        early: For each detector, its alarms before the change.
        delays_s: For each detector, from the change to its next alarm; ``None`` if none came.
    """

    def __init__(self, detectors: Sequence[Detector], changes_s: float) -> None:
        self._detectors = detectors
        self._changes_s = changes_s
        self._unseen = set(range(len(detectors)))
        self._is_changed = False
        self._ends: list[tuple[float, int, float, list[object]]] = []
        self.early = [0] * len(detectors)
        self.delays_s: list[float | None] = [None] * len(detectors)

    def play(self, trace: Iterator[tuple[float, float, int]], seconds: float) -> None:
        """Play until ``seconds``, or until everybody has seen the change."""
        began = [each.began for each in self._detectors]
        for number, (now_s, latency_s, input_bytes) in enumerate(trace):
            if now_s > seconds or not self._unseen:
                break
            self._end(now_s)
            begun = [begin(now_s, input_bytes) for begin in began]
            heappush(self._ends, (now_s + latency_s, number, latency_s, begun))
            self._note(now_s)
        if not self._is_changed:
            self.early = [each.alarms for each in self._detectors]

    def _end(self, now_s: float) -> None:
        ends = self._ends
        while ends and ends[0][0] <= now_s:
            end_s, _, latency_s, begun = heappop(ends)
            for detector, token in zip(self._detectors, begun, strict=True):
                detector.ended(token, end_s, latency_s)
            self._note(end_s)

    def _note(self, now_s: float) -> None:
        if not self._is_changed:
            if now_s >= self._changes_s:
                self._is_changed = True
                self.early = [each.alarms for each in self._detectors]
            return
        for index in tuple(self._unseen):
            if self._detectors[index].alarms > self.early[index]:
                self.delays_s[index] = now_s - self._changes_s
                self._unseen.discard(index)


def jobs(days: float, seeds: int) -> list[Job]:
    """Return every trace of a run, those that a promise is about first.

    Args:
        days: Simulated days of stationary latency at 100 tries a second, for each base; more at 5,
            less of the other traces in which nothing is to be seen.
        seeds: Traces of each change, for each base and rate.
    """
    made = []
    for base_s in BASES_S:
        quiet = (
            ("stationary", 100.0, days),
            ("stationary", 5.0, 4 * days),
            ("diurnal", 100.0, max(1.0, days / 3)),
            ("diurnal", 5.0, max(1.0, days)),
            ("mix of sizes", 100.0, days / 6),
            ("wandering", 100.0, days / 6),
        )
        for name, rate, long in quiet:
            piece_s = DAY_S if name == "diurnal" else PIECE_S
            for part in range(max(1, round(long * DAY_S / piece_s))):
                made.append(Job(name, base_s, rate, 1000 + part, piece_s, "ours"))
            made.append(Job(name, base_s, rate, 1, min(piece_s, days / 72 * DAY_S), "all"))
        made += [
            Job(change.name, base_s, rate, seed, CHANGE_S + after_s, field_of(change.name))
            for change, after_s in CHANGED.items()
            for rate in RATES
            for seed in range(seeds)
        ]
    return sorted(made, key=lambda job: (job.scenario != "stationary", job.field == "ours"))


def field_of(change: str) -> str:
    """Return which detectors are tried on a change."""
    return "all" if change == SWEPT else "shown"
