"""Sends what waits in the outbox to a receiver, a batch at a time. Runs in a thread of its own.

The order is what makes it safe to be killed anywhere: entries are taken out of the outbox only
after the receiver has said that it has them, so each is sent at least once, and what is sent twice
has the same ids. A receiver that is slow or gone makes the outbox longer and nothing else: it is
bounded in time and number, and what is given up is counted.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import random
from threading import Event
from typing import Final, NamedTuple

from steadyhand.core.errors import SteadyhandError
from steadyhand.http.posting import Posted
from steadyhand.records.outbox.store import MOST, Outbox, Waiting
from steadyhand.records.record import Record
from steadyhand.telemetry.traces.evaluation import evaluation_span, evaluations_of
from steadyhand.telemetry.traces.known import Known
from steadyhand.telemetry.traces.replies import pause_s, verdict
from steadyhand.telemetry.traces.span import Span
from steadyhand.telemetry.traces.spans import spans_of

logger = logging.getLogger(__name__)

IDLE_S: Final = 1.0
FEW: Final = 100
"""Entries of a batch that is no reason to look again at once."""
HELD_S: Final = 5.0
"""How much longer than a try takes what was taken is ours."""
LOOK_S: Final = 10.0
"""Time between two looks at how much waits, and at what is to be given up."""
RECORD_WAIT_S: Final = 600.0
"""How long an annotation waits for its record."""
_US: Final = 1_000_000


class Terms(NamedTuple):
    """What may be tried, and for how long.

    Attributes:
        timeout_s: Longest that one try takes.
        keep_s: Age at which an entry is given up.
        most: Entries that may wait.
    """

    timeout_s: float
    keep_s: float
    most: int


@dataclass(slots=True)
class Status:
    """Totals since start, and what waits; read it, do not keep it.

    Attributes:
        spans: By what came of them: ``exported``, ``rejected``.
        tries: By how they ended: ``taken``, ``partly``, ``waiting``, ``refused``.
        given_up: Entries that were not sent.
        waiting: Entries that waited at the last look.
        oldest_us: When the oldest of them was stored, 0 for none.
        last_success_us: When the receiver last took something, or nothing was left.
        failures: Tries in a row that have to be made again.
        problem: Why the last try did not succeed; empty if it did.
    """

    spans: Counter[str] = field(default_factory=Counter)
    tries: Counter[str] = field(default_factory=Counter)
    given_up: int = 0
    waiting: int = 0
    oldest_us: int = 0
    last_success_us: int = 0
    failures: int = 0
    problem: str = ""


class Wire(NamedTuple):
    """How spans become an answer.

    Attributes:
        encode: Makes a body of spans.
        post: Sends it.
        rejected: Reads how many spans were not taken, and why.
    """

    encode: Callable[[Sequence[Span]], bytes]
    post: Callable[[bytes], Posted]
    rejected: Callable[[bytes], tuple[int, str]]


class Exporter:
    """Empties one outbox. ``run`` and ``export_once`` belong to one thread."""

    def __init__(
        self,
        outbox: Outbox,
        known: Callable[[], Known],
        wants: Callable[[Record], bool],
        wire: Wire,
        terms: Terms,
        clock_us: Callable[[], int],
        draw: Callable[[], float] = random,
    ) -> None:
        """Take the parts; nothing is read yet. ``wants`` tells which requests become spans."""
        self.status = Status()
        self._outbox = outbox
        self._known = known
        self._wants = wants
        self._wire = wire
        self._terms = terms
        self._clock_us = clock_us
        self._draw = draw
        self._size = MOST
        self._looked_us = 0

    def run(self, stop: Event) -> None:
        """Send until ``stop`` is set, then once more if the receiver is well.

        What is left is sent by whoever comes.
        """
        while not stop.is_set():
            stop.wait(self._step())
        if not self.status.failures:
            self._step()

    def export_once(self) -> float:
        """Send at most one batch; return how long to wait before the next.

        Raises:
            DatabaseUnavailable: Nothing was lost.
        """
        now_us = self._clock_us()
        if now_us - self._looked_us >= LOOK_S * _US:
            self._look(now_us)
        until_us = now_us + round((self._terms.timeout_s + HELD_S) * _US)
        taken = self._outbox.take(now_us, until_us, self._size)
        if not taken:
            self.status.last_success_us = now_us
            return IDLE_S
        ready, spans = self._spans(taken, now_us)
        return self._send(taken, ready, spans)

    def _step(self) -> float:
        try:
            return self.export_once()
        except SteadyhandError as error:
            return self._failed(f"the outbox does not answer: {error}", None)

    def _look(self, now_us: int) -> None:
        status = self.status
        given_up = self._outbox.give_up(now_us - round(self._terms.keep_s * _US), self._terms.most)
        if given_up:
            status.given_up += given_up
            logger.error("%d records were given up and will not be sent as spans", given_up)
        found = self._outbox.state()
        status.waiting, status.oldest_us = found.entries, found.oldest_us
        self._looked_us = now_us

    def _spans(self, taken: Sequence[Waiting], now_us: int) -> tuple[list[Waiting], list[Span]]:
        """Return what can be told now, and the spans that tell it.

        An annotation may be stored before the record that it is about, so it waits for a while.
        """
        known = self._known()
        notes = [each.note for each in taken if each.note is not None]
        judged = self._outbox.records({note.request_id for note in notes})
        ready, spans = [], []
        for each in taken:
            if each.note is None:
                ready.append(each)
                spans += [] if each.record is None else spans_of(each.record, known)
                continue
            record = judged.get(each.note.request_id)
            if record is not None or now_us - each.queued_us > RECORD_WAIT_S * _US:
                ready.append(each)
            if record is not None and self._wants(record):
                for one in evaluations_of(each.note, record):
                    spans.append(evaluation_span(one, record, content=known.content))
        return ready, spans

    def _send(
        self, taken: Sequence[Waiting], ready: Sequence[Waiting], spans: Sequence[Span]
    ) -> float:
        status = self.status
        answer = self._wire.post(self._wire.encode(spans)) if spans else Posted(200)
        found = verdict(0 if answer.problem else answer.status)
        if found == "too_large" and len(taken) > 1:
            self._size = max(1, len(taken) // 2)
            self._outbox.hold(taken, 0)
            return 0.0
        if found == "waiting":
            status.tries["waiting"] += 1
            problem = answer.problem or f"the receiver answered {answer.status}"
            wait_s = self._failed(problem, answer.retry_after_s)
            self._outbox.hold(taken, 0)
            return wait_s
        if found == "taken":
            self._took(len(spans), answer.body)
        else:
            self._refused(len(spans), answer.status)
        self._outbox.told(ready)
        self._size = min(MOST, self._size * 2)
        return IDLE_S if len(taken) < FEW else 0.0

    def _took(self, spans: int, body: bytes) -> None:
        status = self.status
        rejected, why = self._wire.rejected(body) if spans else (0, "")
        rejected = min(rejected, spans)
        status.spans["exported"] += spans - rejected
        if spans:
            status.tries["partly" if rejected else "taken"] += 1
        if rejected:
            status.spans["rejected"] += rejected
            logger.error("the receiver of traces rejected %d spans: %s", rejected, why[:200])
        status.last_success_us = self._clock_us()
        status.failures, status.problem = 0, ""

    def _refused(self, spans: int, code: int) -> None:
        status = self.status
        status.tries["refused"] += 1
        status.spans["rejected"] += spans
        status.failures, status.problem = 0, f"the receiver refused {spans} spans with {code}"
        logger.error("%s; they are not sent again", status.problem)

    def _failed(self, problem: str, wish_s: float | None) -> float:
        status = self.status
        status.failures += 1
        status.problem = problem
        if status.failures == 1:
            logger.warning("traces wait: %s", problem)
        return pause_s(status.failures, wish_s, self._draw())
