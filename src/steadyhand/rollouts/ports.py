"""What rollouts ask of others: the registry, the gateways, whoever listens. Filled by ``app``."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from steadyhand.rollouts.drivers.base import Driver
from steadyhand.rollouts.model import Policy


class Pointer(NamedTuple):
    """Where a channel points.

    Attributes:
        stable: Digest; empty before the first release.
        candidate: Digest; empty for none.
        weight: Of the candidate, basis points.
        salt: Of the draw.
    """

    stable: str = ""
    candidate: str = ""
    weight: int = 0
    salt: str = ""


class Registry(Protocol):
    """The registry, as the principal ``rollouts``. Each call may block, and be made twice.

    Every method but ``pointer`` and ``policy`` raises what the registry raises: a rule forbids it,
    or it cannot be reached; nothing has changed then.
    """

    def find(self, digest: str, route: str) -> str:
        """Return the whole digest of a release that exists."""
        ...

    def policy(self, environment: str) -> Policy:
        """Return what ``environment`` says about rollouts.

        Raises:
            PolicyInvalid: It makes no sense.
            SteadyhandError: There is no such environment.
        """
        ...

    def pointer(self, environment: str, route: str) -> Pointer:
        """Return where a channel points now."""
        ...

    def expose(self, digest: str, environment: str, weight: int, by: str, note: str) -> None:
        """Give a candidate a weight, in basis points."""
        ...

    def promote(self, digest: str, environment: str, by: str, note: str, watched: str = "") -> None:
        """Make a release the stable one; ``watched`` is the salt under which a first one is."""
        ...

    def give_up(self, route: str, environment: str, by: str, note: str) -> None:
        """End the trial of the candidate."""
        ...

    def take_back(self, digest: str, environment: str, reason: str) -> str:
        """Revoke a release and take it out of every channel; return the commit that did it."""
        ...

    def note(self, commit: str, text: str) -> None:
        """Put a certificate beside a commit, as a Git note; the last one counts."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """What a controller is given.

    Attributes:
        registry: See :class:`Registry`.
        driver: Carries roll-backs to where gateways run.
        expose: Renews the lease of candidates, but for the salts that it is given.
        is_gone: Tells of (route, environment, digest) whether no gateway serves it any more.
        keys: Returns how many keys of (environment, route) there are.
        tell: Says (kind, what) to whoever listens.
        sign: Signs a certificate; returns the signature, armored.
        holder: Names this controller in the lease; another one for each.
        clock: Wall clock, seconds since 1970.
        budget_left: Returns what is left of a route's error budget, by its worst objective;
            ``None`` for unknown.
        checkpoint: Called with the name of each step that has been done; tests die there.
    """

    registry: Registry
    driver: Driver
    expose: Callable[[Collection[str]], None]
    is_gone: Callable[[str, str, str], bool]
    keys: Callable[[str, str], int]
    tell: Callable[[str, Mapping[str, Any]], None]
    sign: Callable[[bytes], bytes]
    holder: str
    clock: Callable[[], float]
    budget_left: Callable[[str], float | None] = lambda route: None
    checkpoint: Callable[[str], None] = lambda name: None
