"""Counts what objectives are about, and evaluates their rules. Runs in the control process."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Final, NamedTuple

from steadyhand.objectives.evaluation import Alert, Evaluation
from steadyhand.objectives.model import Key, Objective, is_good
from steadyhand.objectives.rules import rule_set
from steadyhand.objectives.series import Counted
from steadyhand.objectives.store import BUCKET_S, ObjectiveStore
from steadyhand.records.annotation import Annotation, LateUsage, body_of
from steadyhand.records.prices import Prices, Spend, spent, spent_late
from steadyhand.records.record import DRILL, Record
from steadyhand.telemetry.tallies import Values

KEEP_EACH_S: Final = 60.0
"""Counts go to the database this often; a killed process loses no more of a budget."""
_NOTHING: Final = Counted(0.0, 0.0)


class Terms(NamedTuple):
    """What is promised.

    Attributes:
        objectives: Of every route in force.
        prices: Of models.
        period_s: Over which budgets are given.
        sample_s: Time between two looks.
    """

    objectives: Sequence[Objective]
    prices: Prices
    period_s: float
    sample_s: float


class Standing(NamedTuple):
    """How one objective stands.

    Attributes:
        objective: It.
        counted: In the period.
        left_ratio: Part of its budget that is left; ``None`` if nothing was counted.
        burn: Window in seconds → share of bad events over the share that may be; ``None`` if
            nothing was counted in it.
        alerts: That hold.
    """

    objective: Objective
    counted: Counted
    left_ratio: float | None
    burn: Mapping[int, float | None]
    alerts: Sequence[Alert]


class Shown(NamedTuple):
    """What is scraped.

    Attributes:
        rows: Objective, what was counted since the process began, and what is left of its budget.
        usd: (tenant, route, provider, model) → US dollars.
        keep_failures: Times that counts could not be kept.
    """

    rows: Sequence[tuple[Objective, Counted, float | None]]
    usd: Mapping[tuple[str, str, str, str], float]
    keep_failures: int


class Book:
    """All that is counted of objectives. Safe between threads."""

    def __init__(self, terms: Callable[[], Terms], store: ObjectiveStore | None = None) -> None:
        """Take what tells what is promised, and where counts outlast the process."""
        self._terms = terms
        self._store = store
        self._lock = Lock()
        self._held = terms()
        self._by_route: Mapping[str, Sequence[Objective]] = {}
        self._counts: dict[Key, Counted] = {}
        self._before: dict[Key, Counted] = {}
        self._unkept: dict[Key, Counted] = {}
        self._left: dict[Key, float | None] = {}
        self._kept_s = 0.0
        self._failures = 0
        self._spent: defaultdict[tuple[str, str, str, str], float] = defaultdict(float)
        self._values = Values()
        self._evaluation = self._made(self._held)
        self._sort()

    def restore(self, now_s: float) -> None:
        """Take up what was counted before this process began.

        Raises:
            DatabaseUnavailable: It cannot be read; nothing was taken up.
        """
        if self._store is None:
            return
        history = self._store.history(now_s - self._held.period_s)
        with self._lock:
            for key, buckets in history.items():
                events = bad = 0.0
                series = self._evaluation.series(key)
                if buckets:
                    series.add(buckets[0][0] - BUCKET_S, 0.0, 0.0)
                for ended_s, counted in buckets:
                    events, bad = events + counted.events, bad + counted.bad
                    series.add(min(ended_s, now_s), events, bad)
                self._before[key] = Counted(events, bad)

    def consume(self, records: Sequence[Record]) -> None:
        """Count ``records``; each must be given once."""
        with self._lock:
            for record in records:
                self._count(record)

    def consume_annotations(self, annotations: Sequence[Annotation]) -> None:
        """Count what tokens cost that were spent after their record."""
        with self._lock:
            for note in annotations:
                usage = body_of(note)
                if isinstance(usage, LateUsage):
                    paid = spent_late(usage, self._held.prices)
                    if paid is not None:
                        self._pay(usage.tenant, usage.route, paid)

    def judged(self, route: str, *, is_grounded: bool) -> None:
        """Count a sampled answer that could be measured."""
        with self._lock:
            if any(one.kind == "grounded" for one in self._by_route.get(route, ())):
                self._note(Key(route, "grounded"), is_good=is_grounded)

    def look(self, now_s: float) -> Sequence[Alert]:
        """Evaluate the rules at this moment; return every alert that is pending or fires.

        Raises:
            DatabaseUnavailable: Counts could not be kept; they wait for the next look.
        """
        wanted = self._terms()
        with self._lock:
            if wanted != self._held:
                self._take_over(wanted)
            total = {key: self._total(key) for key in self._keys()}
            alerts = self._evaluation.step(now_s, wanted.objectives, total)
            self._left = {
                Key(one.route, one.kind): self._evaluation.seen(now_s, one).left_ratio
                for one in wanted.objectives
            }
        if now_s - self._kept_s >= KEEP_EACH_S or now_s < self._kept_s:
            self.keep(now_s)
        return alerts

    def keep(self, now_s: float) -> None:
        """Write what was counted since the last time.

        Raises:
            DatabaseUnavailable: It waits for the next time.
        """
        if self._store is None:
            return
        with self._lock:
            more, self._unkept = self._unkept, {}
            period_s = self._held.period_s
        try:
            self._store.add(now_s, more, period_s)
        except BaseException:
            with self._lock:
                self._failures += 1
                for key, counted in more.items():
                    self._unkept[key] = _sum(self._unkept.get(key, _NOTHING), counted)
            raise
        self._kept_s = now_s

    def standings(self, now_s: float) -> Sequence[Standing]:
        """Return how every objective stands."""
        with self._lock:
            return [self._standing(now_s, one) for one in self._held.objectives]

    def left(self, route: str) -> float | None:
        """Return what is left of the budget of a route that has least; ``None`` if unknown."""
        with self._lock:
            known = [left for key, left in self._left.items() if key.route == route]
        return min((left for left in known if left is not None), default=None)

    @property
    def alerts(self) -> Sequence[Alert]:
        """Every alert that held at the last look."""
        return self._evaluation.alerts

    @property
    def terms(self) -> Terms:
        """What is promised, as it was looked at last."""
        return self._held

    def shown(self) -> Shown:
        """Return what is scraped, all of one moment."""
        with self._lock:
            rows = [
                (one, self._counts.get(key, _NOTHING), self._left.get(key))
                for one, key in zip(self._held.objectives, self._keys(), strict=True)
            ]
            return Shown(rows, dict(self._spent), self._failures)

    def _count(self, record: Record) -> None:
        if record.wire == DRILL:
            return
        for objective in self._by_route.get(record.route, ()):
            good = is_good(objective, record, self._held.prices)
            if good is not None:
                self._note(Key(objective.route, objective.kind), is_good=good)
        for paid in spent(record, self._held.prices):
            self._pay(record.tenant, record.route, paid)

    def _note(self, key: Key, *, is_good: bool) -> None:
        one = Counted(1.0, 0.0 if is_good else 1.0)
        self._counts[key] = _sum(self._counts.get(key, _NOTHING), one)
        self._unkept[key] = _sum(self._unkept.get(key, _NOTHING), one)

    def _pay(self, tenant: str, route: str, paid: Spend) -> None:
        shown = self._values
        where = (shown[tenant], shown[route], shown[paid.provider], shown[paid.model])
        self._spent[where] += paid.usd

    def _standing(self, now_s: float, objective: Objective) -> Standing:
        key = Key(objective.route, objective.kind)
        seen = self._evaluation.seen(now_s, objective)
        burn: dict[int, float | None] = {}
        for window_s in self._evaluation.rules.windows_s:
            ratio = seen.ratio(window_s)
            burn[window_s] = None if ratio is None else ratio / objective.budget_ratio
        counted = self._evaluation.series(key).since(now_s, self._held.period_s)
        alerts = [alert for alert in self._evaluation.alerts if alert.key == key]
        return Standing(objective, counted, seen.left_ratio, burn, alerts)

    def _total(self, key: Key) -> Counted:
        return _sum(self._before.get(key, _NOTHING), self._counts.get(key, _NOTHING))

    def _keys(self) -> Sequence[Key]:
        return [Key(one.route, one.kind) for one in self._held.objectives]

    def _take_over(self, wanted: Terms) -> None:
        """Take other promises; what was counted stays, where the objective does."""
        old, self._held = self._held, wanted
        if (old.period_s, old.sample_s) != (wanted.period_s, wanted.sample_s):
            before, self._evaluation = self._evaluation, self._made(wanted)
            for key in self._keys():
                series = self._evaluation.series(key)
                for sample in before.series(key).samples():
                    series.add(*sample)
        self._sort()

    def _sort(self) -> None:
        by_route: dict[str, list[Objective]] = {}
        for objective in self._held.objectives:
            by_route.setdefault(objective.route, []).append(objective)
        self._by_route = by_route

    @staticmethod
    def _made(terms: Terms) -> Evaluation:
        return Evaluation(rule_set(terms.period_s, terms.sample_s), terms.period_s)


def _sum(one: Counted, other: Counted) -> Counted:
    return Counted(one.events + other.events, one.bad + other.bad)
