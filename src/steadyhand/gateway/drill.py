"""One drill: a request of our own up a ladder of one candidate, by the path that requests take.

What answers is the same code, with the same limits and the same judgement of what an answer is;
only the client is missing. Its tokens are spent for real, so it asks for few.
"""

from time import monotonic
from typing import Any, NamedTuple, Protocol, runtime_checkable

import msgspec

from steadyhand.gateway.drill_ladder import SCOPE, OnlyOne, ladder_of
from steadyhand.gateway.exchange import Exchange
from steadyhand.gateway.handler import CHAT, Gateway
from steadyhand.gateway.null_reply import NullReply
from steadyhand.gateway.recording import record_of
from steadyhand.gateway.serving import Ladder
from steadyhand.http.messages import Request
from steadyhand.records.record import DRILL, Attempt, Record
from steadyhand.routing.drilling import RungId
from steadyhand.routing.proofs import Result
from steadyhand.routing.rungs.base import (
    LiveRung,
    Question,
    StoredRung,
    is_live,
)

_SAYS_NOTHING = frozenset(
    {"shed", "open", "half_open", "spare", "not_proven", "no_time", "no_rung"}
    | {"pool_exhausted", "out_of_files", "shutdown", "tier_silent", "not_drillable"}
    | {"no_entries", "refused"}
)
"""Reasons of ours: the rung was not asked, or not for its own fault."""


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Answer(msgspec.Struct):
    choices: list[_Choice]


_ANSWER = msgspec.json.Decoder(_Answer)


class Order(msgspec.Struct, frozen=True):
    """What a drill may take.

    Attributes:
        prompt: What a live rung is asked.
        max_tokens: Most that it may answer with.
        timeout_s: Longest that it may take.
    """

    prompt: str = "Reply with the word ready."
    max_tokens: int = 16
    timeout_s: float = 20.0


class Drilled(NamedTuple):
    """How a drill ended.

    Attributes:
        rung: Which was drilled.
        result: Whether it proved the rung; ``None`` if it says nothing of it.
        reason: ``ok``, or why it did not.
        record: What is kept of it.
    """

    rung: RungId
    result: Result
    reason: str
    record: Record


@runtime_checkable
class Drillable(Protocol):
    """A stored rung that can show that it finds what it holds."""

    async def drill(self, question: Question, draw: float, until_s: float) -> str:
        """Return ``ok`` if an entry of its own is found and is right, else a named reason.

        Args:
            question: Of a scope that no caller can reach; may be written into.
            draw: In [0, 1), for what is up to chance.
            until_s: Monotonic seconds by which it must have ended.
        """
        ...


@runtime_checkable
class HasSchema(Protocol):
    """A floor that answers only requests for one JSON schema."""

    @property
    def schema(self) -> str:
        """That schema, as JSON."""
        ...


def rungs_of(ladder: Ladder) -> list[RungId]:
    """Return every candidate of every rung of ``ladder``, and its floor."""
    found = []
    for number, rung in enumerate(ladder.rungs):
        if is_live(rung):
            found += [RungId(ladder.route, number, "live", *d.id) for d in rung.deployments]
        else:
            found.append(RungId(ladder.route, number, rung.kind))
    found.append(RungId(ladder.route, len(ladder.rungs), ladder.floor.kind))
    return found


async def drill(gateway: Gateway, rung: RungId, order: Order, draw: float) -> Drilled | None:
    """Exercise one candidate; ``None`` if it is not served any more.

    ``draw`` in [0, 1) decides what is up to chance: whether a stream is asked for, and what a
    collection is asked.
    """
    ladder = gateway.serving.ladders.get(rung.route)
    if ladder is None or rung not in rungs_of(ladder):
        return None
    if rung.rung == len(ladder.rungs):
        return await _floor(gateway, ladder, rung, order)
    found = ladder.rungs[rung.rung]
    if is_live(found):
        return await _live(gateway, ladder, found, rung, order, draw)
    return await _stored(gateway, ladder, found, rung, order, draw)


async def _live(
    gateway: Gateway, ladder: Ladder, live: LiveRung, rung: RungId, order: Order, draw: float
) -> Drilled:
    deployment = next(d for d in live.deployments if tuple(d.id) == rung[3:])
    only = ladder_of(ladder, rung.rung, OnlyOne(deployment))
    more = {"max_tokens": order.max_tokens, "stream": draw < 0.5, **_example(ladder)}
    body = _body(order.prompt, more)
    exchange, reply = await _ask(gateway, only, body, order)
    if exchange.trail.outcome == "rejected" and b"max_tokens" in reply.body:  # the older name
        body = body.replace(b'"max_tokens":', b'"max_completion_tokens":')
        exchange, reply = await _ask(gateway, only, body, order)
    trail = exchange.trail
    is_good = trail.outcome == "answered"
    if is_good:
        return _ended(gateway, exchange, rung, is_good, "ok")
    reasons = [attempt.reason for attempt in trail.attempts if attempt.reason != "ok"]
    reason = reasons[-1] if reasons else trail.reason
    says_nothing = reason in _SAYS_NOTHING or trail.outcome == "rejected"
    return _ended(gateway, exchange, rung, None if says_nothing else False, reason)


async def _floor(gateway: Gateway, ladder: Ladder, rung: RungId, order: Order) -> Drilled:
    """Let the floor say what it has to say; an ``error`` says by its error that it is there."""
    floor = ladder.floor
    bare = Ladder(ladder.route, ladder.slo, (), floor, ladder.instructions)
    schema = floor.schema if isinstance(floor, HasSchema) else ""
    exchange, reply = await _ask(gateway, bare, _body(order.prompt, _wants(schema)), order)
    trail = exchange.trail
    if rung.kind == "error":
        is_there = reply.status == 503 and b"no_answer" in reply.body
        return _ended(gateway, exchange, rung, is_there, "ok" if is_there else trail.reason)
    reason = trail.reason
    if trail.outcome == "floor":
        reason = _judged(_content(reply.body), is_json=bool(schema))
    return _ended(gateway, exchange, rung, reason == "ok", reason)


async def _stored(
    gateway: Gateway, ladder: Ladder, stored: StoredRung, rung: RungId, order: Order, draw: float
) -> Drilled:
    """Let a stored rung find an entry of its own, in a scope that no caller can reach."""
    began_s = monotonic()
    until_s = began_s + order.timeout_s
    request = _request(_body(order.prompt, _example(ladder)))
    exchange = gateway.rehearsal(ladder, request, NullReply(), until_s)
    trail, reason = exchange.trail, "not_drillable"
    if isinstance(stored, Drillable):
        reason = await stored.drill(_question(exchange, rung), draw, until_s)
    trail.ended_s = monotonic()
    origin_s = exchange.request.received_s
    times = (int((began_s - origin_s) * 1e6), int((trail.ended_s - origin_s) * 1e6))
    trail.attempts.append(Attempt(rung.kind, "", "", *times, 0, reason))
    trail.outcome = "answered" if reason == "ok" else "failed"
    says_nothing = reason in _SAYS_NOTHING
    return _ended(gateway, exchange, rung, None if says_nothing else reason == "ok", reason)


async def _ask(
    gateway: Gateway, ladder: Ladder, body: bytes, order: Order
) -> tuple[Exchange, NullReply]:
    """Send ``body`` up ``ladder`` as a client's request; return what happened and what came."""
    reply = NullReply()
    until_s = monotonic() + order.timeout_s
    exchange = gateway.rehearsal(ladder, _request(body), reply, until_s)
    await gateway.rehearse(exchange)
    return exchange, reply


def _ended(
    gateway: Gateway, exchange: Exchange, rung: RungId, result: Result, reason: str
) -> Drilled:
    record = record_of(exchange, DRILL, gateway.process)
    attempts = tuple(
        msgspec.structs.replace(attempt, role=DRILL) for attempt in exchange.trail.attempts
    )
    record = msgspec.structs.replace(
        record,
        route=rung.route,
        rung=rung.kind,
        provider=rung.provider,
        model=rung.model,
        reason=reason,
        attempts=attempts,
    )
    return Drilled(rung, result, reason, record)


def _question(exchange: Exchange, rung: RungId) -> Question:
    return Question(
        tenant=SCOPE,
        key=SCOPE,
        user="",
        route=SCOPE + rung.route,
        release=exchange.answering_ladder().release,
        stream=False,
        modality="text",
        body=exchange.body,
        messages=exchange.chat.messages,
        asked_s=exchange.request.received_s,
    )


def _request(body: bytes) -> Request:
    now_s = monotonic()
    return Request(b"POST", CHAT, b"", {}, body, now_s, now_s, "")


def _body(prompt: str, more: dict[str, Any]) -> bytes:
    """Return a chat request; ``more`` are further fields."""
    messages = [{"role": "user", "content": prompt}]
    return msgspec.json.encode({"model": "drill", "messages": messages, **more})


def _example(ladder: Ladder) -> dict[str, Any]:
    """Return the values that the ladder's prompts are tried with."""
    if ladder.wording is None or not ladder.wording.variables:
        return {}
    return {"steadyhand": {"variables": ladder.wording.example}}


def _wants(schema: str) -> dict[str, Any]:
    if not schema:
        return {}
    wanted = {"name": "drill", "schema": msgspec.Raw(schema.encode())}
    return {"response_format": {"type": "json_schema", "json_schema": wanted}}


def _content(body: bytes) -> str:
    """Return what an answer says; empty if it cannot be read."""
    try:
        return _ANSWER.decode(body).choices[0].message.content or ""
    except (msgspec.DecodeError, IndexError):
        return ""


def _judged(content: str, *, is_json: bool) -> str:
    """Return ``ok`` if a floor's answer is one, else why not."""
    if not content:
        return "empty"
    if is_json:
        try:
            msgspec.json.decode(content)
        except msgspec.DecodeError:
            return "malformed"
    return "ok"
