"""Strict durability: an answer leaves when its record is on disk, and not before.

A plain answer needs one entry and one wait: its record is written before its first byte, which is
also its last but for the network. A stream needs two: an *intent* before its first byte, and the
record before ``[DONE]``. Whatever goes another way than was written (the wait is over and the
caller got an error instead, the client left in the middle) is told by a further entry that
supersedes the one before, so that the log holds one true record in the end.
"""

from collections.abc import Callable
from time import monotonic

from msgspec.structs import replace

from steadyhand.gateway.exchange import Exchange
from steadyhand.gateway.recording import record_of
from steadyhand.records.commit import Commits
from steadyhand.records.record import Attempt, Record

WIRE = "chat"


class StrictLedger:
    """Implements :class:`steadyhand.gateway.exchange.Ledger` on a record log."""

    def __init__(self, append: Callable[[Record], int], commits: Commits, process: int) -> None:
        """Take where entries go, what says that they are on disk, and this process's number."""
        self._append = append
        self._commits = commits
        self._process = process

    def check(self) -> None:
        """See :class:`steadyhand.gateway.exchange.Ledger`."""
        self._commits.check()

    async def intend(self, exchange: Exchange) -> None:
        """See :class:`steadyhand.gateway.exchange.Ledger`."""
        record = record_of(exchange, WIRE, self._process)
        intent = replace(record, outcome="interrupted", reason="interrupted")
        await self._write(exchange, intent, exchange.deadline_s)

    async def conclude(
        self, exchange: Exchange, response_bytes: int, spoke: Attempt | None = None
    ) -> None:
        """See :class:`steadyhand.gateway.exchange.Ledger`."""
        record = record_of(exchange, WIRE, self._process)
        attempts = record.attempts if spoke is None else (*record.attempts, spoke)
        record = replace(record, attempts=attempts, response_bytes=response_bytes)
        begun = exchange.trail.entry != 0  # a stream's budget ended with its first content
        until_s = monotonic() + self._commits.patience_s if begun else exchange.deadline_s
        await self._write(exchange, record, until_s)
        exchange.trail.is_recorded = True

    async def _write(self, exchange: Exchange, entry: Record, until_s: float) -> None:
        sequence = self._append(entry)
        exchange.trail.entry = sequence or exchange.trail.entry
        await self._commits.durable(sequence, until_s)
