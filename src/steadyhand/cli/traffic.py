"""Made traffic for rehearsals: streamed questions, each a conversation of its own."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from itertools import count
from typing import Final, NamedTuple

MOST_AT_ONCE: Final = 64
TIMEOUT_S: Final = 30.0
OWN_BYTES: Final = 220
"""About what a request without padding takes."""


class Planned(NamedTuple):
    """A request that is to be sent.

    Attributes:
        at_s: When, in seconds from the beginning.
        is_stream: Whether a stream is asked for.
        request_bytes: About as large as this its body is made.
    """

    at_s: float
    is_stream: bool = True
    request_bytes: int = 0


class Traffic:
    """Asks one route of one gateway from threads of its own, until it is stopped."""

    def __init__(
        self,
        address: tuple[str, int],
        key: str,
        route: str,
        per_s: float,
        plan: Sequence[Planned] = (),
    ) -> None:
        """Take whom to ask; nothing is asked yet.

        Args:
            address: Host and port of the gateway.
            key: Of the channel that is rehearsed.
            route: What to ask for.
            per_s: Questions a second, without a plan.
            plan: What to send when; then it ends. Empty for streams at a steady rate.
        """
        self.outcomes: Counter[str] = Counter()
        self._address = address
        self._key = key
        self._route = route
        self._per_s = per_s
        self._plan = plan
        self._numbers = count()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._began_s = 0.0
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to ask."""
        self._began_s = time.monotonic()
        self._threads = [
            threading.Thread(target=self._ask_on, daemon=True) for _ in range(MOST_AT_ONCE)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End: what is under way is waited for, a few seconds."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=3.0)

    def _ask_on(self) -> None:
        connection = http.client.HTTPConnection(*self._address, timeout=TIMEOUT_S)
        while True:
            number = next(self._numbers)
            if self._plan and number >= len(self._plan):
                return
            planned = self._plan[number] if self._plan else Planned(number / self._per_s)
            due_s = self._began_s + planned.at_s
            if self._stop.wait(max(0.0, due_s - time.monotonic())):
                return
            try:
                outcome = self._ask(connection, number, planned)
            except (OSError, http.client.HTTPException):
                outcome = "unreachable"
                connection.close()
            with self._lock:
                self.outcomes[outcome] += 1

    def _ask(self, connection: http.client.HTTPConnection, number: int, planned: Planned) -> str:
        """Ask once; return which rung spoke, or the status of a refusal."""
        question = (
            f"Rehearsal {self._began_s:.3f}, question {number}: what does setting {number} do?"
        )
        padding = " and why" * max(0, (planned.request_bytes - OWN_BYTES) // len(" and why"))
        body = {
            "model": self._route,
            "stream": planned.is_stream,
            "messages": [{"role": "user", "content": f"{question}{padding}"}],
            "steadyhand": {"conversation": f"rehearsal {self._began_s:.3f} {number}"},
        }
        headers = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        response = connection.getresponse()
        response.read()
        if response.status != http.client.OK:
            return f"status {response.status}"
        return response.headers.get("x-steadyhand-rung", "unknown")
