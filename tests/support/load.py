"""Clients that ask without pause, each on a connection that it keeps as long as it holds."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic, sleep

from tests.support.chats import DONE
from tests.support.installations import Installation, chat_request
from tests.support.raw_client import Answer, Line


@dataclass
class Load:
    """What the clients have seen.

    Attributes:
        answered: Request ids of whole answers under 200, with the second each was complete.
        broken: Seconds at which a connection broke or was refused.
        refused: Answers that were not 200.
    """

    answered: dict[str, float] = field(default_factory=dict)
    broken: list[float] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def since(self, at_s: float) -> int:
        """Return how many answers were complete after a point in time."""
        return sum(done_s > at_s for done_s in list(self.answered.values()))

    def client(self, house: Installation, kind: str = "kept") -> None:
        """Ask until told to stop; a connection that breaks is opened again.

        ``kept`` keeps its connection until an answer says ``close``, ``fresh`` opens one for each
        request, ``stream`` keeps its connection and asks for streams.
        """
        model = "up/steady" if kind != "stream" else "up/steady:tokens=8,gap_ms=20"
        request = chat_request(model, stream=kind == "stream")
        while not self.stop.is_set():
            try:
                with Line(house.port) as line:
                    while not self.stop.is_set():
                        line.send(request)
                        answer = line.answer()
                        self._count(answer, kind)
                        if kind == "fresh" or answer.headers.get("connection") == "close":
                            break
            except (OSError, AssertionError):
                self.broken.append(monotonic())
                sleep(0.02)

    def _count(self, answer: Answer, kind: str) -> None:
        is_good = answer.status == 200 and answer.is_whole
        if is_good and (kind != "stream" or answer.body.endswith(DONE)):
            self.answered[answer.request_id] = monotonic()
        else:
            self.refused.append(answer.status)


@contextmanager
def loaded(house: Installation, clients: int, kinds: Sequence[str] = ("kept",)) -> Iterator[Load]:
    """Keep clients asking until the block ends: so many of each kind."""
    load = Load()
    threads = [
        threading.Thread(target=load.client, args=(house, kind)) for kind in [*kinds] * clients
    ]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stop.set()
        for thread in threads:
            with suppress(RuntimeError):
                thread.join(40)
