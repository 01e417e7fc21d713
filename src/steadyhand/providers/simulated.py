"""A scriptable model in process: no network, the same behaviours as ``steadyhand simulate``.

Time is real and measured against the same limits as a socket's, so a route can be tried, timed and
broken without a provider. ``docs/reference/simulated-models.md`` lists the behaviours.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from math import inf

from pydantic import BaseModel, ConfigDict, Field, field_validator

from steadyhand.core.errors import ConfigurationError
from steadyhand.http.failures import (
    ConnectFailed,
    ConnectionLost,
    ConnectTimedOut,
    FirstByteTimedOut,
    GaveUp,
    IdleTimedOut,
    MalformedResponse,
    ResponseTooLarge,
    TotalTimedOut,
    UpstreamError,
)
from steadyhand.http.messages import Limits
from steadyhand.providers.base import Call, Failure, ProviderPorts, failure
from steadyhand.simulation.behaviour import choose
from steadyhand.simulation.dials import Dials
from steadyhand.simulation.request import Refusal
from steadyhand.simulation.simulator import Simulator
from steadyhand.simulation.steps import (
    Bytes,
    CleanEnd,
    Hang,
    Head,
    Raw,
    Refuse,
    Step,
    Vanish,
    Wait,
)

SHAPES_ANSWERS = frozenset({"seed", "answer"})
"""See :mod:`steadyhand.providers.base`."""


class Settings(BaseModel):
    """Keys of ``[providers.<name>]`` when ``kind = "simulated"``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    behaviour: str = Field(
        default="",
        description="answer every model as this one, for example `error-500` or "
        "`steady:ttft_ms=200`; empty: each model's name is its behaviour",
    )
    behaviours: dict[str, str] = Field(
        default={},
        description="the same for one model: model → behaviour; goes before `behaviour`",
    )
    seed: int = Field(default=0, description="fixes everything that is left to chance")
    ttft_ms: float = Field(default=0, ge=0, description="wait before a response begins")
    p50_ms: float = Field(
        default=0, ge=0, description="median of a lognormal wait added to it; 0 for none"
    )
    p99_ms: float = Field(default=0, ge=0, description="99th percentile of that wait")
    gap_ms: float = Field(default=0, ge=0, description="wait between tokens")
    answer: str = Field(default="", description="text to answer with; empty: repeat the question")
    connect_timeout_s: float = Field(default=5, gt=0, description="to a connection")
    first_byte_timeout_s: float = Field(
        default=60, gt=0, description="from the request to the first byte of the response"
    )
    idle_timeout_s: float = Field(default=60, gt=0, description="between two reads of the body")

    @field_validator("behaviour")
    @classmethod
    def _exists(cls, behaviour: str) -> str:
        """Refuse what no simulated model can do."""
        if behaviour:
            _check(behaviour)
        return behaviour

    @field_validator("behaviours")
    @classmethod
    def _exist(cls, behaviours: dict[str, str]) -> dict[str, str]:
        """Refuse what no simulated model can do."""
        for behaviour in behaviours.values():
            _check(behaviour)
        return behaviours


def _check(behaviour: str) -> None:
    try:
        choose(behaviour, Dials())
    except Refusal as refusal:
        raise ValueError(refusal.message) from None


def check_model(settings: Settings, model: str) -> None:
    """Refuse a model whose name is no behaviour, unless every model has the same one.

    Raises:
        ConfigurationError: Its message names the nearest behaviour.
    """
    try:
        choose(settings.behaviours.get(model) or settings.behaviour or model, Dials())
    except Refusal as refusal:
        raise ConfigurationError(
            refusal.message, hint="docs/reference/simulated-models.md lists what a model can be"
        ) from None


class Timer:
    """Waits of one exchange, each ended by whichever limit passes first."""

    def __init__(self, limits: Limits, settings: Settings) -> None:
        """Start the clock; of two limits for the same thing the smaller holds."""
        now_s = time.monotonic()
        self.began_s = now_s
        self.connect_s = min(limits.connect_s, settings.connect_timeout_s)
        self.first_byte_s = min(limits.first_byte_s, settings.first_byte_timeout_s)
        self.idle_s = min(limits.idle_s, settings.idle_timeout_s)
        self._total_at_s = now_s + limits.total_s
        self._give_up_at_s = limits.give_up_at_s
        self._waiting: asyncio.Future[None] | None = None

    def give_up_at(self, at_s: float) -> None:
        """Move the point; a wait in progress takes notice."""
        self._give_up_at_s = at_s
        self.wake()

    def wake(self) -> None:
        """Let a wait in progress look at its limits again."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def until(self, due_s: float, phase_at_s: float, late: type[UpstreamError]) -> None:
        """Return at ``due_s``.

        Raises:
            UpstreamError: ``late`` if ``phase_at_s`` passed first, or another limit's own.
        """
        while True:
            limits: tuple[tuple[float, type[UpstreamError]], ...] = (
                (phase_at_s, late),
                (self._total_at_s, TotalTimedOut),
                (self._give_up_at_s, GaveUp),
            )
            limit_s, error = min(limits, key=_when)
            now_s = time.monotonic()
            if now_s >= limit_s:
                raise error(f"nothing more came within {now_s - self.began_s:.3f} s")
            if now_s >= due_s:
                return
            await self._sleep(min(due_s, limit_s) - now_s)

    async def _sleep(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        timer = loop.call_later(seconds, self.wake) if seconds < inf else None
        try:
            await self._waiting
        finally:
            self._waiting = None
            if timer is not None:
                timer.cancel()


def _when(limit: tuple[float, type[UpstreamError]]) -> float:
    return limit[0]


class SimulatedReply:
    """See :class:`steadyhand.http.messages.UpstreamReply`. Nothing is held, so nothing leaks."""

    def __init__(self, steps: Iterator[Step], timer: Timer) -> None:
        """Play ``steps``; ``begin`` comes first."""
        self._steps = steps
        self._timer = timer
        self._due_s = timer.began_s  # when the script is at; a slow reader finds more ready
        self._left: int | None = None
        self._closed = False
        self.status = 0
        self.headers: dict[bytes, bytes] = {}

    async def begin(self) -> None:
        """Play up to the head.

        Raises:
            UpstreamError: There will be none.
        """
        timer = self._timer
        first_byte_at_s = timer.began_s + timer.first_byte_s
        for step in self._steps:
            if isinstance(step, Wait):
                self._due_s += step.seconds
                await timer.until(self._due_s, first_byte_at_s, FirstByteTimedOut)
            elif isinstance(step, Head):
                self.status = step.status
                self.headers = dict(step.headers)
                self._left = step.length
                if step.length is not None:
                    self.headers[b"content-length"] = b"%d" % step.length
                return
            else:
                await self._break(step, first_byte_at_s, FirstByteTimedOut)

    async def read(self) -> bytes:
        """See :class:`steadyhand.http.messages.UpstreamReply`."""
        idle_at_s = time.monotonic() + self._timer.idle_s
        while self._left != 0 and not self._closed:
            step = next(self._steps, CleanEnd())
            if isinstance(step, Wait):
                self._due_s += step.seconds
            elif isinstance(step, CleanEnd):
                if self._left:
                    raise ConnectionLost(f"{self._left} bytes are missing from the body")
                break
            else:
                await self._timer.until(self._due_s, idle_at_s, IdleTimedOut)
                if not isinstance(step, Bytes):
                    await self._break(step, idle_at_s, IdleTimedOut)
                elif step.data:
                    return self._taken(step.data)
        return b""

    def _taken(self, data: bytes) -> bytes:
        """Count ``data`` off the declared length; what is past it is not the body."""
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        return data

    async def _break(self, step: Step, at_s: float, late: type[UpstreamError]) -> None:
        timer = self._timer
        if isinstance(step, Refuse):
            raise ConnectFailed("simulated: connection refused")
        if isinstance(step, Raw):
            raise MalformedResponse("simulated: not HTTP")
        if isinstance(step, Vanish):
            await timer.until(inf, timer.began_s + timer.connect_s, ConnectTimedOut)
        if isinstance(step, Hang):
            await timer.until(inf, at_s, late)
        raise ConnectionLost("simulated: the connection was closed")

    async def read_all(self, max_bytes: int) -> bytes:
        """See :class:`steadyhand.http.messages.UpstreamReply`."""
        pieces, size = [], 0
        while piece := await self.read():
            pieces.append(piece)
            size += len(piece)
            if size > max_bytes:
                self.close()
                raise ResponseTooLarge(f"the body is longer than {max_bytes} bytes")
        return b"".join(pieces)

    def give_up_at(self, at_s: float) -> None:
        """See :class:`steadyhand.http.messages.UpstreamReply`."""
        self._timer.give_up_at(at_s)

    def close(self) -> None:
        """See :class:`steadyhand.http.messages.UpstreamReply`."""
        self._closed = True


class SimulatedProvider:
    """See :class:`steadyhand.providers.base.Provider`."""

    def __init__(self, settings: Settings, simulator: Simulator) -> None:
        """Play what ``simulator`` scripts."""
        self._settings = settings
        self._simulator = simulator

    async def open(self, call: Call, limits: Limits) -> SimulatedReply:
        """See :class:`steadyhand.providers.base.Provider`."""
        play = self._simulator.play(call.body, model=call.model, usage=call.stream)
        reply = SimulatedReply(play.steps, Timer(limits, self._settings))
        await reply.begin()
        return reply

    def classify(self, status: int, headers: Mapping[bytes, bytes], body: bytes) -> Failure:
        """See :class:`steadyhand.providers.base.Provider`."""
        return failure(status, headers, body)

    async def close(self) -> None:
        """See :class:`steadyhand.providers.base.Provider`."""


def build(settings: Settings, ports: ProviderPorts) -> SimulatedProvider:
    """Make a provider; ``ports`` are not needed, there is nothing to keep secret."""
    del ports
    dials = Dials(
        ttft_ms=settings.ttft_ms,
        p50_ms=settings.p50_ms,
        p99_ms=settings.p99_ms,
        gap_ms=settings.gap_ms,
        answer=settings.answer,
    )
    simulator = Simulator(settings.seed, dials, time.time)
    simulator.override(settings.behaviour or None)
    for model, behaviour in settings.behaviours.items():
        simulator.override(behaviour, model)
    return SimulatedProvider(settings, simulator)
