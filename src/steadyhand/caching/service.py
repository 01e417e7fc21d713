"""The cache of one gateway process: addresses, tiers from hot to cold, and what is counted.

Two promises hold whatever fails. *Never another's answer*: an address has the tenant, the route and
the person in it, and an entry opens at its own address only. *Never late*: memory is asked without
waiting, each other tier has a cap and a circuit (:mod:`steadyhand.caching.remote`), and storing
waits for nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Protocol

from steadyhand.caching.admission import Given, refusal
from steadyhand.caching.entry import Entry, Keys, open_sealed, seal
from steadyhand.caching.epochs import Epochs
from steadyhand.caching.hot import HotTier
from steadyhand.caching.key import Asked, Namespace
from steadyhand.caching.link import Item
from steadyhand.caching.remote import RemoteTier
from steadyhand.telemetry.status import TierStatus

MOST_NAMESPACES = 4_096
MOST_REFRESHES = 4_096
DRILL_S = 5.0
"""An entry that a tier has not given back by then has not come to it."""
DRILL_POLL_S = 0.02
REFRESH_S = 30.0
"""A refresh that has not brought an answer by then is taken for lost, and another may begin."""


class Aged(Protocol):
    """What was made at some time."""

    @property
    def made_us(self) -> int:
        """Wall clock, microseconds since 1970."""
        ...


class Terms(Protocol):
    """What a route says about its answers."""

    @property
    def shared(self) -> bool:
        """Whether they are the same for all users of a tenant."""
        ...

    @property
    def sampled(self) -> bool:
        """Whether those to a ``temperature`` that is not 0 are kept, too."""
        ...

    @property
    def keep_s(self) -> float:
        """For how long one is of use, seconds."""
        ...


def unmasked(text: str) -> str:
    """Return ``text``. The place for masking: what guardrails will take out before it is stored."""
    return text


class Cache:
    """See the module. All calls from one event loop.

    Attributes:
        refused: Questions and answers that are not cached, by why.
        failures: ``epochs``: of the file that says what was flushed.
        epochs: In force.
    """

    def __init__(
        self,
        secret: bytes,
        hot: HotTier,
        remotes: Sequence[RemoteTier],
        clock_us: Callable[[], int],
        *,
        max_age_s: float,
        mask: Callable[[str], str] = unmasked,
    ) -> None:
        """Put the tiers together.

        Args:
            secret: The installation's; who has it can read and forge entries.
            hot: Memory.
            remotes: The tiers outside of this process, the nearer first.
            clock_us: Wall clock, microseconds since 1970.
            max_age_s: Nothing is kept for longer, seconds.
            mask: What an answer's text goes through before it is stored anywhere.
        """
        self.refused: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.epochs = Epochs()
        self._keys = Keys.derive(secret)
        self._hot = hot
        self._hits = self._misses = self._kept = 0
        self._remotes = tuple(remotes)
        for tier in self._remotes:
            tier.on_late = self._came_late
        self._clock_us = clock_us
        self._max_age_us = round(max_age_s * 1e6)
        self._mask = mask
        self._epochs_since_s = 0.0
        self._namespaces: dict[tuple[str, str, str], Namespace] = {}
        self._refreshes: dict[bytes, float] = {}
        self._last: tuple[Asked, Terms, bytes | None] | None = None

    @property
    def has_slow_tiers(self) -> bool:
        """Whether there is a tier besides memory."""
        return bool(self._remotes)

    @property
    def patience_s(self) -> float:
        """The longest that :meth:`fetch` takes, seconds: every tier its cap."""
        return sum(tier.cap_s for tier in self._remotes)

    def peek(self, asked: Asked, terms: Terms) -> Entry | None:
        """Return the answer in memory; waits for nothing."""
        address = self._address(asked, terms)
        if address is None:
            return None
        entry = self._hot.get(address)
        if entry is None or self._clock_us() - entry.made_us > self._max_age_us:
            self._misses += 1
            return None
        self._hits += 1
        return entry

    async def fetch(self, asked: Asked, terms: Terms, until_s: float) -> Entry | None:
        """Return the answer in the nearest other tier, by ``until_s`` (monotonic). Never raises.

        What is found moves into the nearer tiers.
        """
        address = self._address(asked, terms)
        if address is None:
            return None
        for place, tier in enumerate(self._remotes):
            sealed = await tier.get(address, until_s)
            if sealed is None:
                continue
            entry = open_sealed(sealed, address, self._keys)
            if not isinstance(entry, Entry):
                tier.lookups[entry] += 1
                continue
            if self.age_us(entry) > self._max_age_us:
                tier.lookups["expired"] += 1
                continue
            self._hot.put(address, entry)
            item = self._item(address, sealed, entry, asked, terms)
            for nearer in self._remotes[:place]:
                nearer.put(item)
            return entry
        if not self._remotes:
            return None
        late = self._hot.get(address)  # from a nearer tier, while another was asked
        is_of_use = late is not None and self.age_us(late) <= self._max_age_us
        return late if is_of_use else None

    def keep(self, asked: Asked, terms: Terms, answer: Given) -> None:
        """Store a live answer in every tier, if it may be; waits for nothing."""
        address = self._address(asked, terms)
        if address is None:
            return
        self._refreshes.pop(address, None)
        why = refusal(answer)
        if asked.asked_s <= self._epochs_since_s:
            why = "flushed"  # it may be of before the flush, and would outlive it
        if why is not None:
            self.refused[why] += 1
            return
        entry = Entry(
            content=self._mask(answer.content),
            made_us=self._clock_us(),
            finish_reason=answer.finish_reason,
            model=answer.model,
            deployment=answer.deployment,
            usage=answer.usage,
        )
        self._hot.put(address, entry)
        self._kept += 1
        item = self._item(address, seal(entry, address, self._keys), entry, asked, terms)
        for tier in self._remotes:
            tier.put(item)

    async def drill(self, asked: Asked, terms: Terms, until_s: float) -> str:
        """Store an entry in every tier and find it there again.

        Returns:
            ``ok``; ``<tier>_wrong`` if one gives back something else; ``tier_silent`` if one has
            given nothing back by ``until_s`` (monotonic); ``refused`` if it would not be kept.
        """
        address = self._address(asked, terms)
        if address is None:
            return "refused"
        made_us = self._clock_us()
        entry = Entry(content=f"drill {made_us}", made_us=made_us)
        self._hot.put(address, entry)
        if self._hot.most_bytes and self._hot.get(address) != entry:
            return "hot_wrong"
        item = self._item(address, seal(entry, address, self._keys), entry, asked, terms)
        for tier in self._remotes:
            tier.put(item)
            said = await self._returned(tier, address, entry, until_s)
            if said != "ok":
                return said
        return "ok"

    async def _returned(
        self, tier: RemoteTier, address: bytes, entry: Entry, until_s: float
    ) -> str:
        """Look until ``tier`` gives ``entry`` back; it is stored behind, within milliseconds."""
        until_s = min(until_s, monotonic() + DRILL_S)
        is_wrong = False
        while monotonic() < until_s:
            sealed = await tier.get(address, until_s)
            found = None if sealed is None else open_sealed(sealed, address, self._keys)
            if found == entry:
                return "ok"
            is_wrong = is_wrong or isinstance(found, str)
            await asyncio.sleep(DRILL_POLL_S)
        return f"{tier.tier}_wrong" if is_wrong else "tier_silent"

    def may_refresh(self, asked: Asked, terms: Terms) -> bool:
        """Tell whether this request is the one that refreshes its answer: one at a time does."""
        address = self._address(asked, terms)
        now_s = monotonic()
        if address is None or self._refreshes.get(address, 0.0) > now_s:
            return False
        if len(self._refreshes) >= MOST_REFRESHES:
            self._refreshes.clear()
        self._refreshes[address] = now_s + REFRESH_S
        return True

    def age_us(self, entry: Aged) -> int:
        """Return the age of an answer in microseconds; below 0 if the clock was set back."""
        return self._clock_us() - entry.made_us

    def begin(self, epochs: Epochs) -> None:
        """Take over the epochs in force; what was held in memory may be of before a flush."""
        self.epochs = epochs
        self._epochs_since_s = monotonic()
        self._namespaces.clear()
        self._refreshes.clear()
        self._hot.clear()
        self._last = None

    def status(self) -> list[TierStatus]:
        """Return how each tier is, from the hottest."""
        hot = TierStatus(
            tier="hot",
            backend="memory",
            is_up=self._hot.most_bytes > 0,
            entries=len(self._hot),
            size_bytes=self._hot.bytes,
            lookups={"hit": self._hits, "miss": self._misses},
            stores={"kept": self._kept, **self.refused},
            evictions=self._hot.evicted,
            failures=dict(self.failures),
        )
        return [hot, *(tier.status() for tier in self._remotes)]

    async def close(self) -> None:
        """Store what waits, within half a second a tier, and let go of connections."""
        for tier in self._remotes:
            await tier.close()

    def _came_late(self, address: bytes, sealed: bytes) -> None:
        """Hold in memory what a tier gave when its request had gone on."""
        entry = open_sealed(sealed, address, self._keys)
        if isinstance(entry, Entry):
            self._hot.put(address, entry)

    def _address(self, asked: Asked, terms: Terms) -> bytes | None:
        last = self._last
        if last is not None and last[0] is asked and last[1] is terms:
            return last[2]
        name = (asked.tenant, asked.route, asked.release)
        namespace = self._namespaces.get(name) or self._namespace(*name)
        found = namespace.address(asked, shared=terms.shared, sampled=terms.sampled)
        address = None if isinstance(found, str) else found
        if isinstance(found, str):
            self.refused[found] += 1
        self._last = (asked, terms, address)
        return address

    def _namespace(self, tenant: str, route: str, release: str) -> Namespace:
        if len(self._namespaces) >= MOST_NAMESPACES:
            self._namespaces.clear()
        made = self._namespaces[tenant, route, release] = Namespace(
            self._keys.address,
            tenant=tenant,
            route=route,
            release=release,
            epoch=self.epochs.of(route, tenant),
        )
        return made

    def _item(
        self, address: bytes, sealed: bytes, entry: Entry, asked: Asked, terms: Terms
    ) -> Item:
        expires_us = entry.made_us + min(round(terms.keep_s * 1e6), self._max_age_us)
        return Item(address, sealed, expires_us, asked.tenant, asked.route)
