"""Clients that ask without pause, each on a connection that it keeps as long as it holds."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic, sleep

from tests.support.installations import Installation, chat_request
from tests.support.raw_client import Line


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

    def client(self, house: Installation) -> None:
        """Ask until told to stop; a connection that breaks is opened again."""
        request = chat_request("up/steady")
        while not self.stop.is_set():
            try:
                with Line(house.port) as line:
                    while not self.stop.is_set():
                        line.send(request)
                        answer = line.answer()
                        if answer.status == 200 and answer.is_whole:
                            self.answered[answer.request_id] = monotonic()
                        else:
                            self.refused.append(answer.status)
            except (OSError, AssertionError):
                self.broken.append(monotonic())
                sleep(0.02)


@contextmanager
def loaded(house: Installation, clients: int) -> Iterator[Load]:
    """Keep clients asking until the block ends."""
    load = Load()
    threads = [threading.Thread(target=load.client, args=(house,)) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.stop.set()
        for thread in threads:
            with suppress(RuntimeError):
                thread.join(40)
