"""Asks a route of this installation about answers that the check cannot tell.

Bounded in number at once, in time and in questions an hour. A judge that fails three times in a row
rests for a minute. Whatever goes wrong, the answer is *not measured* by it, and counted.
"""

import asyncio
import http.client
import logging
import ssl
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from steadyhand.core.errors import SteadyhandError
from steadyhand.evals.grounding.finding import Finding, Judged, asks_judge, judged
from steadyhand.evals.grounding.judging import PROMPT, Question, Word, question, word
from steadyhand.evals.grounding.settings import JudgeSettings
from steadyhand.evals.grounding.spool import Found

logger = logging.getLogger(__name__)

MOST_ANSWER: Final = 65_536
MOST_FAILURES: Final = 3
REST_S: Final = 60.0
HOUR_S: Final = 3_600.0
_PATH: Final = "/v1/chat/completions"


class Sent(NamedTuple):
    """What came back.

    Attributes:
        body: Of a good answer; empty if there was none.
        outcome: Why there was none.
    """

    body: bytes = b""
    outcome: Judged = ""


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
        sent = await asyncio.to_thread(send, self._url, asked.body, key, self._settings.timeout_s)
        return Word(sent.outcome) if sent.outcome else word(sent.body, asked.claims)

    def _learn(self, outcome: Judged) -> None:
        self._failures = self._failures + 1 if outcome in {"failed", "late", "malformed"} else 0
        if self._failures >= MOST_FAILURES:
            self._failures = 0
            self._rests_until_s = self._clock_s() + REST_S
            logger.warning("the judge of grounding rests: %s", outcome)


def send(url: str, body: bytes, key: str, timeout_s: float) -> Sent:
    """Ask, and wait for a whole answer, ``timeout_s`` in all. Blocks."""
    connection, late = _connection(url, timeout_s), threading.Event()
    watch = threading.Timer(timeout_s, _cut, (connection, late))
    watch.start()
    try:
        headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        connection.request("POST", _PATH, body, headers)
        answer = connection.getresponse()
        read = answer.read(MOST_ANSWER + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        is_late = late.is_set() or isinstance(error, TimeoutError)
        return Sent(outcome="late" if is_late else "failed")
    finally:
        watch.cancel()
        connection.close()
    if late.is_set():
        return Sent(outcome="late")
    if answer.status != http.client.OK:
        return Sent(outcome="failed")
    return Sent(outcome="malformed") if len(read) > MOST_ANSWER else Sent(read)


def _connection(url: str, timeout_s: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https":
        return http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=context)


def _cut(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):
        if connection.sock is not None:
            connection.sock.shutdown(2)
