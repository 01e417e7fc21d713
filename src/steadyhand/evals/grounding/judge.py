"""Asks a route of this installation about answers that the check cannot tell.

Bounded in number at once, in time and in questions an hour. A judge that fails three times in a row
rests for a minute. Whatever goes wrong, the answer is *not measured* by it, and counted.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from math import inf
from typing import Final

from steadyhand.core.errors import SteadyhandError
from steadyhand.evals.grounding.finding import Finding, Judged, asks_judge, judged
from steadyhand.evals.grounding.judging import PROMPT, Question, Word, question, word
from steadyhand.evals.grounding.settings import JudgeSettings
from steadyhand.evals.grounding.spool import Found
from steadyhand.http.posting import post

logger = logging.getLogger(__name__)

MOST_FAILURES: Final = 3
REST_S: Final = 60.0
HOUR_S: Final = 3_600.0
_PATH: Final = "/v1/chat/completions"


class Judge:
    """One judge; belongs to one event loop."""

    def __init__(
        self,
        route: str,
        settings: JudgeSettings,
        url: str,
        key: Callable[[], str],
        clock_s: Callable[[], float],
    ) -> None:
        """Take whom to ask, at which address, with whose key, and a monotonic clock."""
        self._route = route
        self._settings = settings
        self._url = url
        self._key = key
        self._clock_s = clock_s
        self._room = asyncio.Semaphore(settings.max_at_once)
        self._asked: deque[float] = deque()
        self._failures = 0
        self._rests_until_s = -inf

    async def ask(self, finding: Finding, found: Found) -> Finding:
        """Return ``finding`` with the judge's word if it is to be asked. Never raises."""
        if not asks_judge(finding, self._settings.asks):
            return finding
        asked = question(self._route, found.sample, finding.sources)
        if asked is None:
            return judged(finding, "not_told", self._name(""))
        async with self._room:
            refused = self._refused()
            if refused:
                return judged(finding, refused, self._name(""))
            said = await self._say(asked)
        self._learn(said.outcome)
        return judged(finding, said.outcome, self._name(said.model), said.explanation)

    def _name(self, model: str) -> str:
        return f"{self._route}@{model[:80]}/{PROMPT}"

    def _refused(self) -> Judged:
        """Return why it may not be asked now, or empty; what may be counts at once."""
        now_s = self._clock_s()
        if now_s < self._rests_until_s:
            return "resting"
        while self._asked and now_s - self._asked[0] >= HOUR_S:
            self._asked.popleft()
        if len(self._asked) >= self._settings.most_per_hour:
            return "over_budget"
        self._asked.append(now_s)
        return ""

    async def _say(self, asked: Question) -> Word:
        try:
            key = self._key()
        except SteadyhandError as error:
            logger.warning("the judge of grounding has no key: %s", error)
            return Word("failed")
        headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        url, timeout_s = f"{self._url}{_PATH}", self._settings.timeout_s
        answer = await asyncio.to_thread(post, url, asked.body, headers, timeout_s)
        if answer.problem or answer.status != HTTPStatus.OK:
            return Word("late" if answer.is_late else "failed")
        return word(answer.body, asked.claims)

    def _learn(self, outcome: Judged) -> None:
        self._failures = self._failures + 1 if outcome in {"failed", "late", "malformed"} else 0
        if self._failures >= MOST_FAILURES:
            self._failures = 0
            self._rests_until_s = self._clock_s() + REST_S
            logger.warning("the judge of grounding rests: %s", outcome)
