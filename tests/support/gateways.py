"""A whole gateway in memory: real stages, rungs and snapshot; scripted providers and clients."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import count
from time import monotonic

from steadyhand.core.ids import RequestIds
from steadyhand.gateway.climb.gear import Gear
from steadyhand.gateway.cors import Cors
from steadyhand.gateway.exchange import Ledger
from steadyhand.gateway.handler import CHAT, Gateway
from steadyhand.gateway.serving import DirectLadders, Ladder, Rung, Serving
from steadyhand.gateway.tracing import OFF, Tracing
from steadyhand.gateway.wording import wording_of
from steadyhand.http.messages import Request
from steadyhand.prompts.model import Prompt
from steadyhand.prompts.rendering import Prepared
from steadyhand.providers.base import Provider
from steadyhand.records.record import Record
from steadyhand.routing.model import SloClass
from steadyhand.routing.planning.decision import decode_decision
from steadyhand.routing.planning.replay import replay
from steadyhand.routing.ports import RungPorts
from steadyhand.routing.rungs import live
from steadyhand.routing.rungs.base import FloorRung, LiveRung
from steadyhand.routing.rungs.error import Error
from steadyhand.snapshot.model import Snapshot
from steadyhand.tenancy.model import Key
from tests.support.chats import chat_body
from tests.support.prompts import prompt_of
from tests.support.replies import MemoryReply
from tests.support.upstreams import Script, ScriptedProvider

TOKEN = b"sk-test-4f1c"
"""A key that may call everything."""

NARROW_TOKEN = b"sk-test-77aa"
"""A key that may call the route ``classify`` only."""

KEYS = {
    TOKEN: Key("app", "acme", "dev", routes=("*",), models=("first/*",)),
    NARROW_TOKEN: Key("narrow", "globex", "dev", routes=("classify",)),
}
RELEASE = "sha256:" + "ab" * 32
COMPILED_S = 1_790_000_000
PATIENT = SloClass("patient", first_content_ms=20_000, whole_ms=20_000, stream_cap_ms=60_000)


class GatewayBench:
    """A gateway, what it talks to, and what it has recorded.

    Attributes:
        gateway: The one under test.
        records: What it has appended.
        providers: Its providers by name, each playing the scripts it was given.
    """

    def __init__(
        self,
        gateway: Gateway,
        records: list[Record],
        providers: Mapping[str, ScriptedProvider],
    ) -> None:
        self.gateway = gateway
        self.records = records
        self.providers = providers

    async def ask(
        self,
        body: bytes | None = None,
        headers: Mapping[bytes, bytes] | None = None,
        *,
        method: bytes = b"POST",
        path: bytes = CHAT,
        token: bytes | None = TOKEN,
        reply: MemoryReply | None = None,
        leaves_when: asyncio.Event | None = None,
    ) -> MemoryReply:
        """Send one request and return what came back, also if the client left."""
        reply = reply or MemoryReply()
        sent = request(body, headers, method, path, token)
        task = asyncio.ensure_future(self.gateway.handle(sent, reply))
        if leaves_when is not None:
            await leaves_when.wait()
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return reply

    def record(self) -> Record:
        """Return the one record there is.

        Every upstream reply must be closed exactly once, and the decision must replay.
        """
        for provider in self.providers.values():
            assert [reply.closes for reply in provider.replies] == [1] * len(provider.replies)
        (record,) = self.records
        if record.decision:
            again = replay(decode_decision(record.decision))
            assert again.differences == (), "what was done is what the planner tells"
        return record


def request(
    body: bytes | None = None,
    headers: Mapping[bytes, bytes] | None = None,
    method: bytes = b"POST",
    path: bytes = CHAT,
    token: bytes | None = TOKEN,
) -> Request:
    """Return a request that has just arrived; without ``body``, a plain chat request."""
    sent = {b"content-type": b"application/json"}
    if token is not None:
        sent[b"authorization"] = b"Bearer " + token
    body = (chat_body() if path == CHAT else b"") if body is None else body
    now_s = monotonic()
    return Request(method, path, b"", sent | dict(headers or {}), body, now_s, now_s, "127.0.0.1")


def gateway_bench(
    scripts: Mapping[str, Sequence[Script]] | None = None,
    *,
    floor: FloorRung | None = None,
    slo: SloClass = PATIENT,
    instructions: str = "",
    give_up_ms: Mapping[str, float] | None = None,
    origins: tuple[str, ...] = (),
    append: Callable[[Record], object] | None = None,
    ledger: Ledger | None = None,
    rungs: Callable[[RungPorts], Sequence[Rung]] | None = None,
    own_instructions: tuple[str, ...] = (),
    gear: Gear | None = None,
    real: Mapping[str, Provider] | None = None,
    prompt: Prompt | None = None,
    own_prompts: Sequence[Prompt | None] = (),
    tracing: Tracing = OFF,
) -> GatewayBench:
    """Build a gateway whose routes ``assistant`` and ``classify`` try providers in order.

    Each provider's model is named ``<provider>-model``. Without ``floor``, the floor is an error.
    ``instructions`` is the text of a plain prompt, ``prompt`` one that depends on the request; so
    for those of the rungs.
    ``rungs`` makes other rungs of the providers than one for each; ``real`` are providers with
    sockets.
    """
    providers = {name: ScriptedProvider(played) for name, played in (scripts or {}).items()}
    ports = RungPorts({**providers, **(real or {})})

    def rung(provider: str, model: str) -> LiveRung:
        own_limit = (give_up_ms or {}).get(provider)
        settings = live.Settings(provider=provider, model=model, give_up_ms=own_limit)
        return live.build(settings, ports)

    made = rungs(ports) if rungs else [rung(name, f"{name}-model") for name in ports.providers]
    route_prompt = _prepared(prompt or prompt_of(instructions))
    own = [_prepared(one) for one in own_prompts or map(prompt_of, own_instructions)]
    ladders = {
        name: Ladder(
            name,
            slo,
            tuple(made),
            floor or Error(),
            route_prompt.fixed if route_prompt is not None else b"",
            tuple(one.fixed if one is not None else b"" for one in own),
            wording_of(route_prompt, own),
            release=RELEASE,
        )
        for name in ("assistant", "classify")
    }
    direct = DirectLadders(lambda p, m: rung(p, m) if p in providers else None, Error(), slo)
    serving = Serving(snapshot(), ladders, providers, direct)
    records: list[Record] = []
    ticks = count(COMPILED_S)
    ids = RequestIds(7, lambda: float(next(ticks)))
    return GatewayBench(
        Gateway(
            serving,
            append or records.append,
            ids,
            Cors(origins),
            3,
            ledger,
            gear=gear,
            tracing=tracing,
        ),
        records,
        providers,
    )


def _prepared(prompt: Prompt | None) -> Prepared | None:
    return Prepared(prompt) if prompt is not None else None


def snapshot() -> Snapshot:
    """Return a snapshot with the two keys; its routes are given to ``Serving`` ready built."""
    return Snapshot(
        version=1,
        compiled_us=COMPILED_S * 1_000_000,
        digest=RELEASE,
        keys={sha256(token).hexdigest(): key for token, key in KEYS.items()},
        routes={},
        providers={},
        slo_classes={},
    )
