"""The request path: the stages, in order, in one tuple."""

from collections.abc import Awaitable, Callable

from steadyhand.gateway.exchange import Exchange
from steadyhand.gateway.stages.admit import admit
from steadyhand.gateway.stages.answer import answer
from steadyhand.gateway.stages.resolve import resolve
from steadyhand.gateway.stages.screen import screen
from steadyhand.gateway.stages.settle import settle

Stage = Callable[[Exchange], Awaitable[Exchange]]
"""Returns the exchange extended, or raises a ``SteadyhandError`` that ends the request."""

STAGES: tuple[Stage, ...] = (admit, resolve, screen, answer, settle)
