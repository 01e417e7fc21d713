"""The simulated model behind both players: settings, override, counter; requests to steps."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from steadyhand.simulation.behaviour import choose
from steadyhand.simulation.dials import Dials
from steadyhand.simulation.draws import Draws
from steadyhand.simulation.request import Refusal, StreamOptions, read
from steadyhand.simulation.script import script, turned_down
from steadyhand.simulation.steps import Step


@dataclass(frozen=True, slots=True)
class Play:
    """One request's part.

    Attributes:
        behaviour: The one that was chosen.
        stream: Whether a stream was asked for.
        steps: What to do.
        model: The name that was asked for, which an override may have replaced.
    """

    behaviour: str
    stream: bool
    steps: Iterator[Step]
    model: str = ""


class Simulator:
    """Chooses and scripts; two simulators with the same seed and requests say the same."""

    def __init__(self, seed: int, dials: Dials, clock_s: Callable[[], float]) -> None:
        """Take the seed, what model names leave open, and a wall clock in seconds."""
        self._seed = seed
        self._dials = dials
        self._clock_s = clock_s
        self._calls = 0
        self._override: str | None = None
        self._overrides: dict[str, str] = {}

    @property
    def overrides(self) -> Mapping[str, str]:
        """What replaces model names now: model → behaviour, ``*`` for every model."""
        every = {"*": self._override} if self._override else {}
        return every | self._overrides

    def override(self, behaviour: str | None, model: str | None = None) -> None:
        """Answer ``model`` (or every model) as ``behaviour``, or no longer.

        Raises:
            Refusal: There is no such behaviour.
        """
        if behaviour is not None:
            choose(behaviour, self._dials)
        if model is None:
            self._override = behaviour
        elif behaviour is None:
            self._overrides.pop(model, None)
        else:
            self._overrides[model] = behaviour

    def play(self, body: bytes, *, model: str | None = None, usage: bool = False) -> Play:
        """Script the answer to one request body.

        ``model`` replaces the body's own; ``usage`` asks for usage as ``include_usage`` would.
        """
        self._calls += 1
        try:
            request = read(body)
            if model is not None:
                request.model = model
            if usage and request.stream:
                request.stream_options = StreamOptions(include_usage=True)
            wanted = self._overrides.get(request.model) or self._override or request.model
            chosen = choose(wanted, self._dials)
        except Refusal as refusal:
            return Play("refused-request", stream=False, steps=turned_down(refusal))
        draws = Draws(self._seed, self._calls, body)
        steps = script(chosen, request, draws, self._clock_s())
        return Play(chosen.name, bool(request.stream), steps, request.model)
