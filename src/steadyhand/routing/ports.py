"""What rungs may reach beyond their slice: named here, filled in by ``app``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import msgspec

from steadyhand.core.chat import Usage
from steadyhand.providers.base import Provider
from steadyhand.routing.load import Loads
from steadyhand.routing.rungs.base import GoodAnswer, Question, StoredAnswer


class CachedAnswer(Protocol):
    """An answer that was kept; see :class:`StoredAnswer` for what the fields mean."""

    @property
    def content(self) -> str:
        """Its text."""
        ...

    @property
    def made_us(self) -> int:
        """Wall clock when it was whole, microseconds since 1970."""
        ...

    @property
    def finish_reason(self) -> str:
        """As the model gave it."""
        ...

    @property
    def model(self) -> str:
        """The model that wrote it, or empty."""
        ...

    @property
    def deployment(self) -> str:
        """``provider/model`` that made it."""
        ...

    @property
    def usage(self) -> Usage | None:
        """What it cost when it was made."""
        ...


class CacheTerms(msgspec.Struct, frozen=True):
    """What a route says about answers that are kept.

    Attributes:
        shared: They are the same for all users of a tenant.
        sampled: Those to a ``temperature`` that is not 0 are kept, too.
        keep_s: For how long one is of use, seconds.
    """

    shared: bool
    sampled: bool
    keep_s: float


class CachePort(Protocol):
    """What the rung ``cache`` needs of the slice ``caching``; ``app`` fills it in.

    An answer is found by exactly the question that it was kept for, within its scope.
    """

    @property
    def has_slow_tiers(self) -> bool:
        """Whether ``fetch`` can find what ``peek`` does not."""
        ...

    @property
    def patience_s(self) -> float:
        """The longest that ``fetch`` takes, seconds: every tier its cap."""
        ...

    def peek(self, asked: Question, terms: CacheTerms) -> CachedAnswer | None:
        """Look in memory, without waiting."""
        ...

    async def fetch(
        self, asked: Question, terms: CacheTerms, until_s: float
    ) -> CachedAnswer | None:
        """Look in the other tiers until ``until_s`` (monotonic). Never raises."""
        ...

    def keep(self, asked: Question, terms: CacheTerms, answer: GoodAnswer) -> None:
        """Keep an answer, if it may be. Never waits, never raises."""
        ...

    def may_refresh(self, asked: Question, terms: CacheTerms) -> bool:
        """Tell whether this request refreshes the answer: one at a time does."""
        ...

    async def drill(self, question: Question, terms: CacheTerms, until_s: float) -> str:
        """Store an entry of ``question`` in every tier and find it there again.

        Returns:
            ``ok``; ``<tier>_wrong`` if one has something else; ``tier_silent`` if one has nothing
            by ``until_s`` (monotonic); ``refused`` if such entries are not kept.
        """
        ...

    def age_us(self, entry: CachedAnswer) -> int:
        """Return the age of an answer in microseconds; below 0 if the clock was set back."""
        ...


class Example(NamedTuple):
    """A question that a collection surely has an answer to, and that answer."""

    question: str
    answer: str


class KnowledgePort(Protocol):
    """What the rung ``knowledge`` needs of the slice ``knowledge``; ``app`` fills it in."""

    def example(self, collection: str, question: Question, draw: float) -> Example | None:
        """Return an entry that may answer whoever asks ``question``, chosen by ``draw`` in [0, 1).

        ``None`` if the collection is not there; an empty example if it has none for the asker.
        """
        ...

    def ask(self, collection: str, threshold: float, question: Question) -> StoredAnswer | None:
        """Return the entry of ``collection`` that surely answers ``question``, or ``None``.

        From memory, in under a millisecond. ``threshold`` is the least confidence, 0 to 1.
        """
        ...


@dataclass(frozen=True, slots=True)
class RungPorts:
    """What a rung may reach.

    Attributes:
        providers: Name in the workspace → provider.
        cache: Stored answers of this process and those it shares; ``None`` without a cache.
        knowledge: Curated entries; ``None`` without any.
        loads: How loaded each deployment is, for the strategy ``latency``; of the process, so that
            a new snapshot does not forget it.
    """

    providers: Mapping[str, Provider]
    cache: CachePort | None = None
    knowledge: KnowledgePort | None = None
    loads: Loads = field(default_factory=Loads)
