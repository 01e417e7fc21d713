"""One attempt at a live candidate: asked once, noted once, and its health told once."""

from time import monotonic

from steadyhand.core.chat import Usage
from steadyhand.evals.grounding.sample import Terms
from steadyhand.gateway import attempt
from steadyhand.gateway.attempt import AttemptFailed, BegunStream, WholeAnswer
from steadyhand.gateway.climb.lineup import HeldProbe, LiveSlot
from steadyhand.gateway.climb.outcomes import outcome_of, outcome_of_stream
from steadyhand.gateway.exchange import NOBODY, Exchange
from steadyhand.gateway.outgoing import call_for
from steadyhand.gateway.recording import NOTHING, Spent, attempt_of
from steadyhand.http.failures import UpstreamError
from steadyhand.http.messages import CUT, is_cut
from steadyhand.providers.base import Failure
from steadyhand.records.record import Attempt
from steadyhand.routing.health.reading import NOT_A_PROBE

Found = WholeAnswer | BegunStream
BYTES_PER_TOKEN = 4
"""For what no provider has counted: English text and JSON have about four bytes to a token."""


LOST = frozenset({"hedge_lost", "overtaken", "gave_up"})
"""Why an attempt was left before it had its say."""

BILLED = LOST | {
    *("client_gone", "connection_lost", "first_byte_timeout", "idle_timeout", "shutdown"),
    *("total_timeout", "truncated", "upstream_error_event"),
}
"""Ends of attempts that have cost something, as a provider may count it, and brought no answer."""


class Run:
    """An attempt that has begun.

    Attributes:
        place: Of its candidate in the situation.
        deployment: Whom it asks.
        role: ``first``, ``fallback``, ``hedge``, ``probe`` or ``harvest``.
        began_s: When it was asked.
        found: What it has found: a good answer, or the start of one.
        is_over: Nothing more will be learned of it.
    """

    __slots__ = (
        "_call", "_cap_s", "_exchange", "_is_noted", "_try", "began_s", "deployment", "found",
        "is_over", "place", "role",
    )  # fmt: skip

    def __init__(
        self,
        exchange: Exchange,
        place: int,
        slot: LiveSlot,
        role: str,
        now_s: float,
        probe: HeldProbe | None,
    ) -> None:
        """Tell health that it begins; nothing is sent yet."""
        self.place = place
        self.deployment = slot.deployment
        self.role = role
        self.began_s = now_s
        self.found: Found | None = None
        self._exchange = exchange
        self._cap_s = slot.cap_s
        self._call = call = call_for(exchange, slot.rung, slot.deployment, now_s)
        self._is_noted = self.is_over = False
        left_s = exchange.deadline_s - now_s
        self._try = slot.health.began(
            now_s,
            len(call.body),
            exchange.stream,
            left_s if left_s < 1e9 else 0.0,
            probe_of=NOT_A_PROBE if probe is None else probe.generation,
        )
        if self.deployment.load is not None:
            self.deployment.load.began()

    async def listen(self, give_up_at_s: float) -> Found:
        """Ask, and wait for an answer or the first content of one.

        Raises:
            AttemptFailed: It gave none by ``give_up_at_s`` (monotonic).
        """
        exchange, deployment = self._exchange, self.deployment
        try:
            reply = await deployment.open(self._call, give_up_at_s, self._cap_s)
        except UpstreamError as error:
            raise AttemptFailed(Failure(error.reason, message=str(error))) from error
        if reply.status != 200:
            raise await attempt.refused(deployment, reply)
        if exchange.stream:
            keeps = exchange.answering_ladder().keeps_answers
            keeps = keeps or sampling_terms(exchange) is not None
            found: Found = await attempt.begin_stream(deployment, reply, self._call, keeps=keeps)
        else:
            found = await attempt.whole(deployment, reply)
        self.found = found
        now_s = monotonic()
        self._try.first_content(now_s)
        if deployment.load is not None:
            deployment.load.took(now_s - self.began_s, now_s)
        return found

    @property
    def asked(self) -> bytes:
        """The request as it went to the deployment."""
        return self._call.body

    @property
    def status(self) -> int:
        """HTTP status upstream as far as it is known."""
        return 200 if self.found is not None else 0

    def attempt(self, reason: str, status: int) -> Attempt:
        """Return what is kept of it if it ends now."""
        spent = NOTHING
        if reason in BILLED and (self._usage() is None or reason in LOST):
            spent = self.spent()
        deployment = self.deployment.id
        return attempt_of(
            self._exchange, deployment, self.began_s, status, reason, self.role, spent
        )

    def note(self, reason: str, status: int) -> None:
        """Put it into the trail, unless it is there already."""
        if not self._is_noted:
            self._is_noted = True
            self._exchange.trail.attempts.append(self.attempt(reason, status))

    def failed(self, failure: Failure) -> None:
        """Note that it gave nothing that may be sent."""
        self.note(failure.reason, failure.status or 0)
        self._count_hedge("failed")
        self._settle(outcome_of(failure), retry_after_s=failure.retry_after_s or 0.0)

    def spoke(self, reason: str) -> None:
        """Note how it ended after it had begun to speak to the client."""
        self.note(reason, 200)
        if self.role == "hedge":
            self._count_hedge("won")
        self._settle("ok" if reason == "ok" else outcome_of_stream(reason), self._tokens())

    def lost(self, reason: str) -> None:
        """Cancel it, because another one spoke or the client left; nothing more comes of it."""
        if not self.is_over:
            self.note(reason, self.status)
            self._count_hedge("lost" if reason == "hedge_lost" else "cancelled")
            self._settle(outcome_of(Failure(reason)))
            self.let_go()

    def handed_over(self) -> None:
        """Note that another one spoke, and that this one goes on for later requests."""
        self.note("harvested", self.status)

    def harvested(self, reason: str) -> None:
        """Note how it ended when nobody was waiting any more."""
        self._settle("slow" if reason == "ok" else outcome_of_stream(reason), self._tokens())
        self.let_go()

    def let_go(self) -> None:
        """Close what is open; who listens in a task is cancelled by whoever has the task."""
        if isinstance(self.found, BegunStream):
            self.found.reply.close()

    def spent(self) -> Spent:
        """Return the tokens it has cost: as counted upstream, else estimated from bytes."""
        usage = self._usage()
        if usage is not None:
            return Spent(usage.prompt_tokens or 0, usage.completion_tokens or 0, "reported")
        return Spent(len(self._call.body) // BYTES_PER_TOKEN, 0, "estimated")

    def _count_hedge(self, outcome: str) -> None:
        if self.role == "hedge" and not self.is_over:
            self._exchange.gear.hedge_counts.outcomes[outcome] += 1

    def _settle(self, outcome: str, tokens: int = 0, retry_after_s: float = 0.0) -> None:
        if self.is_over:
            return
        self.is_over = True
        now_s = monotonic()
        self._try.ended(now_s, outcome, tokens, retry_after_s)
        load = self.deployment.load
        if load is not None:
            load.ended()
            if self.found is None:
                load.took(now_s - self.began_s, now_s)

    def _usage(self) -> Usage | None:
        found = self.found
        if found is None:
            return None
        return found.stream.usage if isinstance(found, BegunStream) else found.answer.usage

    def _tokens(self) -> int:
        """Return the completion tokens that upstream has counted, 0 if it has not."""
        usage = self._usage()
        return 0 if usage is None else usage.completion_tokens or 0


def sampling_terms(exchange: Exchange) -> Terms | None:
    """Return on which terms the answer is sampled, ``None`` if it is not.

    Its text has to be collected then. What the house asks of itself is not sampled.
    """
    samples = exchange.gear.samples
    if samples is None or exchange.key is NOBODY:
        return None
    return samples.drawn(exchange.answering_ladder().route, exchange.request_id)


def why_left(cancelled: BaseException) -> str:
    """Return the reason for which a request's task was cancelled."""
    return CUT if is_cut(cancelled) else "client_gone"
