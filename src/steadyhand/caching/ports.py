"""What the REST of the cache needs; ``app`` fills it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from steadyhand.caching.epochs import Epochs
from steadyhand.caching.store import Stock
from steadyhand.telemetry.status import Status


@dataclass(frozen=True, slots=True)
class CachePorts:
    """What the router needs.

    Attributes:
        statuses: Returns what each gateway process says of itself, by number.
        stock: Returns what the database holds; may block; raises if it does not answer.
        epochs: Returns the flushes in force; ``None`` if their file cannot be read.
        flush: Begins a new epoch for (route, tenant), and returns the flushes in force.
        delete: Deletes entries of (route, tenant) from the database; may block; returns how many.
        routes: Returns the names of the routes in force.
        tenants: Returns the tenants of the keys in force.
    """

    statuses: Callable[[], Mapping[int, Status]]
    stock: Callable[[], Stock]
    epochs: Callable[[], Epochs | None]
    flush: Callable[[str, str], Epochs]
    delete: Callable[[str, str], int]
    routes: Callable[[], Collection[str]]
    tenants: Callable[[], Collection[str]]
