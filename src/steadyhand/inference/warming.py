"""Reads the routes' prompts into a model's prefix cache, one at a time, when slots are free.

A warm-up that was ended for a request is begun again later. A prompt that the engine refuses, or
that a process died over twice, is left cold: it must not keep the model from answering.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from steadyhand.inference.process import Generation, ProcessEnded
from steadyhand.inference.request import warm_up

MOST_DEATHS = 2


@dataclass(eq=False, slots=True)
class Slot:
    """A place in the engine that one request, or one warm-up, holds."""

    since_s: float
    generation: Generation
    is_warm_up: bool = False


class EndWarmUp(Protocol):
    """Takes a warm-up's slot back."""

    def __call__(self, slot: Slot, *, is_done: bool) -> None:
        """``is_done`` tells whether the prompt is in the cache now."""
        ...


class Warmer:
    """Knows which prompts shall be warm, and which are."""

    def __init__(self) -> None:
        """Nothing is wanted yet."""
        self._wanted: tuple[str, ...] = ()
        self._cold: list[str] = []
        self._deaths: Counter[str] = Counter()
        self._woken = asyncio.Event()

    def want(self, prefixes: Sequence[str]) -> None:
        """Keep these warm from now on."""
        new = [prefix for prefix in prefixes if prefix not in self._wanted]
        self._wanted = tuple(dict.fromkeys(prefixes))
        self._cold = [cold for cold in (*self._cold, *new) if cold in self._wanted]
        self.wake()

    def all_cold(self) -> None:
        """Begin anew: the model was loaded again."""
        self._cold = [one for one in self._wanted if self._deaths[one] < MOST_DEATHS]
        self.wake()

    def wake(self) -> None:
        """Look again: a slot may be free."""
        self._woken.set()

    async def run(self, begin: Callable[[bytes], Slot | None], end: EndWarmUp) -> None:
        """Warm up until cancelled; ``begin`` gives a slot, or ``None`` if there is none now."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._cold and (slot := begin(warm_up(self._cold[0]))) is not None:
                await self._follow(self._cold[0], slot, end)

    async def _follow(self, prefix: str, slot: Slot, end: EndWarmUp) -> None:
        is_done = False
        try:
            while (chunk := await slot.generation.next()) is not None:
                is_done = is_done or b'"usage"' in chunk
        except ProcessEnded:
            self._deaths[prefix] += 1
            return
        finally:
            if is_done or slot.generation.refused is not None:
                self._cold = [cold for cold in self._cold if cold != prefix]
            end(slot, is_done=is_done)
