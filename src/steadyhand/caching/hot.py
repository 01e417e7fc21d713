"""The hot tier: entries in this process's memory, bounded in bytes, by S3-FIFO.

Most questions to a language model are asked once. Least-recently-used would let each of them push
out one that is asked every minute. S3-FIFO lets new entries pass through a small queue (a tenth of
the bytes) and keeps in the main one only what was asked for twice; a hit costs one increment and
moves nothing. The ghost remembers addresses that left the small queue unread, so that one that
comes back too late for the small queue goes to the main one directly.

Source: Yang, Zhang, Qiu, Yue, Rashmi (2023), "FIFO Queues are All You Need for Cache Eviction",
SOSP 2023, algorithm 1.
"""

from collections import OrderedDict, deque

from steadyhand.caching.entry import Entry

SMALL_SHARE = 0.1
MOST_VISITS = 3
OVERHEAD_BYTES = 600
"""Of an entry besides its text: address, objects and places in two tables (measured)."""


class Held:
    """An entry and how often it was asked for since it came or was last spared."""

    __slots__ = ("entry", "size", "visits")

    def __init__(self, entry: Entry, size: int) -> None:
        """Take a new entry of ``size`` bytes."""
        self.entry = entry
        self.size = size
        self.visits = 0


class HotTier:
    """Address → entry. Not safe to share between threads."""

    def __init__(self, most_bytes: int) -> None:
        """Hold at most ``most_bytes``; 0 holds nothing."""
        self.most_bytes = most_bytes
        self.bytes = 0
        self.evicted = 0
        self._small_bytes = 0
        self._held: dict[bytes, Held] = {}
        self._small: deque[bytes] = deque()
        self._main: deque[bytes] = deque()
        self._ghost: OrderedDict[bytes, None] = OrderedDict()

    def __len__(self) -> int:
        """Return how many entries are held."""
        return len(self._held)

    def get(self, address: bytes) -> Entry | None:
        """Return the entry at ``address``."""
        held = self._held.get(address)
        if held is None:
            return None
        if held.visits < MOST_VISITS:
            held.visits += 1
        return held.entry

    def put(self, address: bytes, entry: Entry) -> None:
        """Hold ``entry``, in place of what is at its address; too large a one is not held."""
        size = OVERHEAD_BYTES + len(entry.content) * width(entry.content)
        held = self._held.get(address)
        if held is not None:
            self._resize(address, held, entry, size)
        elif size <= self.most_bytes:
            self._held[address] = Held(entry, size)
            self.bytes += size
            if address in self._ghost:
                del self._ghost[address]
                self._main.append(address)
            else:
                self._small_bytes += size
                self._small.append(address)
        while self.bytes > self.most_bytes:
            self._evict()

    def clear(self) -> None:
        """Hold nothing any more."""
        self.bytes = self._small_bytes = 0
        for table in (self._held, self._small, self._main, self._ghost):
            table.clear()

    def _resize(self, address: bytes, held: Held, entry: Entry, size: int) -> None:
        added = size - held.size
        held.entry, held.size = entry, size
        self.bytes += added
        if address in self._small:  # short, and answers are refreshed rarely
            self._small_bytes += added

    def _evict(self) -> None:
        """Take one entry out, or move or spare it, so that the next call comes closer to one."""
        is_small = self._small_bytes > self.most_bytes * SMALL_SHARE or not self._main
        if is_small:
            address = self._small.popleft()
            held = self._held[address]
            self._small_bytes -= held.size
            if held.visits > 1:
                held.visits = 0
                self._main.append(address)
                return
            self._remember(address)
        else:
            address = self._main.popleft()
            held = self._held[address]
            if held.visits:
                held.visits -= 1
                self._main.append(address)
                return
        del self._held[address]
        self.bytes -= held.size
        self.evicted += 1

    def _remember(self, address: bytes) -> None:
        self._ghost[address] = None
        while len(self._ghost) > len(self._held):
            self._ghost.popitem(last=False)


def width(text: str) -> int:
    """Return the most bytes that Python keeps for a character of ``text``: 1 or 4."""
    return 1 if text.isascii() else 4
