"""Checks samples off the request path, keeps what was found, and deletes what has expired.

A pass takes what gateways have written, checks it in a thread, asks the judge where it is to be
asked, keeps all of it in one transaction, and only then says what was found and lets the spool go
on. Killed in between, it begins again with what is left; a sample that is kept already is not said
again. So a verdict is said at most once, and is lost only if the process dies between the two.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from steadyhand.core.errors import SteadyhandError
from steadyhand.evals.grounding.finding import Finding, Source, annotated, checked
from steadyhand.evals.grounding.rate import Rate
from steadyhand.evals.grounding.sample import Sample
from steadyhand.evals.grounding.spool import Batch, Found, Spool
from steadyhand.evals.grounding.store import Kept, SampleStore
from steadyhand.records.annotation import Annotation, annotation

logger = logging.getLogger(__name__)

BATCH: Final = 50
"""Samples of one writer in one pass."""
IDLE_S: Final = 1.0
WAIT_S: Final = 5.0
"""After the database or the disk failed."""
EXPIRE_EACH_S: Final = 60.0
COUNT_EACH_S: Final = 10.0
"""Rates are counted over all that is kept, so not after each pass."""

Ask = Callable[[Finding, Found], Awaitable[Finding]]
"""Returns a finding with the judge's word, if it is to be asked. Never raises."""

Look = Callable[[Sample], Sequence[Source]]
"""Returns curated answers on what a sample was asked. May block; runs in a thread."""


@dataclass(slots=True)
class CheckerStatus:
    """Totals since start.

    Attributes:
        checked: Samples that were checked.
        expired: Samples that were deleted because their time was over.
        unreadable: Frames of the spool that could not be read.
        failures: Passes that had to wait because the database or the disk failed.
        lag_us: Age of the oldest sample of the last pass, when it was checked.
        judged: What came of asking the judge → how often.
        rates: (route, release) → how many of the samples that are kept were ungrounded.
    """

    checked: int = 0
    expired: int = 0
    unreadable: int = 0
    failures: int = 0
    lag_us: int = 0
    judged: dict[str, int] = field(default_factory=dict)
    rates: Mapping[tuple[str, str], Rate] = field(default_factory=dict)


class Checker:
    """Belongs to the control process; one pass at a time."""

    def __init__(
        self,
        spool: Spool,
        store: SampleStore,
        annotate: Callable[[Annotation], object],
        clock_us: Callable[[], int],
        ask: Ask | None = None,
        look: Look = lambda _sample: (),
    ) -> None:
        """Take where samples come from, where they are kept, and who is told what was found."""
        self.status = CheckerStatus()
        self._spool = spool
        self._store = store
        self._annotate = annotate
        self._clock_us = clock_us
        self._ask = ask
        self._look = look
        self._expired_us = 0
        self._counted_us = 0
        self._is_counted = False

    async def run(self) -> None:
        """Check until cancelled."""
        while True:
            failures = self.status.failures
            found = await self.step()
            pause_s = WAIT_S if self.status.failures > failures else IDLE_S
            await asyncio.sleep(0 if found >= BATCH else pause_s)

    async def step(self) -> int:
        """Take one batch of each writer; return how many samples were new. Never raises."""
        try:
            await self._expire()
            batches = await asyncio.to_thread(self._spool.batches, BATCH)
            oldest_us = min((one.made_us for batch in batches for one in batch.samples), default=0)
            self.status.lag_us = max(0, self._clock_us() - oldest_us) if oldest_us else 0
            new = sum([await self._take(batch) for batch in batches])
            await self._count(is_new=new > 0)
        except (SteadyhandError, OSError) as error:
            self.status.failures += 1
            logger.warning("samples wait to be checked: %s", error)
        except Exception:
            self.status.failures += 1
            logger.exception("samples wait to be checked")
        else:
            return new
        return 0

    async def _take(self, batch: Batch) -> int:
        fresh = await asyncio.to_thread(self._fresh, batch)
        found = await asyncio.to_thread(self._checked, fresh)
        lost = len(fresh) - len(found)
        fresh, findings = [one for one, _ in found], [finding for _, finding in found]
        if self._ask is not None:
            asked = (self._ask(*both) for both in zip(findings, fresh, strict=True))
            findings = list(await asyncio.gather(*asked))
        rows = [
            Kept(finding, one.sample, _expires_us(one))
            for finding, one in zip(findings, fresh, strict=True)
        ]
        await asyncio.to_thread(self._store.add, rows)
        self._say(rows)
        await asyncio.to_thread(self._spool.done, batch)
        self.status.unreadable += batch.unreadable + lost
        return len(rows)

    def _fresh(self, batch: Batch) -> list[Found]:
        """Return the samples that are neither kept already nor past their time."""
        now_us = self._clock_us()
        ids = [one.request_id for one in batch.samples]
        known = self._store.known(ids)
        fresh = {one.request_id: one for one in batch.samples if one.request_id not in known}
        alive = [one for one in fresh.values() if _expires_us(one) > now_us]
        self.status.expired += len(fresh) - len(alive)
        return alive

    def _checked(self, samples: Sequence[Found]) -> list[tuple[Found, Finding]]:
        """Check samples; one that the check cannot bear is left out, and keeps no other waiting."""
        found = []
        for one in samples:
            try:
                sources = self._look(one.sample)
                found.append((one, checked(one.request_id, one.made_us, one.sample, sources)))
            except Exception as error:  # noqa: BLE001 - of what anybody may write; without content
                logger.error("no verdict on %s: %s", one.request_id, type(error).__name__)  # noqa: TRY400
        return found

    def _say(self, rows: Sequence[Kept]) -> None:
        now_us = self._clock_us()
        for finding, sample, _ in rows:
            self.status.checked += 1
            if finding.judged:
                count = self.status.judged.get(finding.judged, 0)
                self.status.judged[finding.judged] = count + 1
            body = annotated(finding, sample)
            self._annotate(annotation(finding.request_id, now_us, body))

    async def _expire(self) -> None:
        now_us = self._clock_us()
        if 0 <= now_us - self._expired_us < EXPIRE_EACH_S * 1e6:
            return
        expired = await asyncio.to_thread(self._store.expire, now_us)
        self.status.expired += expired
        self._expired_us = now_us
        self._is_counted = self._is_counted and not expired

    async def _count(self, *, is_new: bool) -> None:
        now_us = self._clock_us()
        self._is_counted = self._is_counted and not is_new
        if self._is_counted or 0 <= now_us - self._counted_us < COUNT_EACH_S * 1e6:
            return
        self.status.rates = await asyncio.to_thread(partial(self._store.rates, now_us=now_us))
        self._counted_us, self._is_counted = now_us, True


def _expires_us(one: Found) -> int:
    return one.made_us + round(one.sample.keep_s * 1e6)
