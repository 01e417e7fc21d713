"""The three kinds of rung, and the values that cross between them and whoever climbs the ladder.

A **live** rung calls a model, at one of its deployments. A **stored** rung has answers already:
from memory at once, from slower tiers a little later. The **floor** is computed and cannot fail.

The climb asks them, in an order that the planner decides. A rung never waits for another one, never
writes to a client and never sees a clock but through the points in time that it is given.
"""

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec
from typing_extensions import TypeIs

from steadyhand.core.chat import Modality, Usage
from steadyhand.http.messages import UpstreamReply
from steadyhand.providers.base import Call, Failure
from steadyhand.routing.load import PeakEwma
from steadyhand.routing.model import DeploymentId
from steadyhand.routing.planning.situation import Cost


class Question(msgspec.Struct, frozen=True):
    """One request as stored rungs see it: what may make two of them the same.

    Attributes:
        tenant: Owner of the key.
        key: Name of the key.
        user: The end user that the caller names, or empty if it names nobody.
        route: Name of the route, or ``<provider>/*`` for a provider's model called directly.
        release: Digest of what shapes this route's answers: its rungs, prompts and models.
        stream: Whether a stream was asked for; the same question either way.
        modality: What kind of answer is acceptable.
        body: The JSON object as it goes upstream, before ``model`` is set; with a prompt's values
            if a rung's own prompt has some.
        messages: The client's messages, as it wrote them.
        locale: BCP 47 tag that the caller names, or empty.
        has_user_context: The caller says that the messages hold facts of one user: never share.
        asked_s: Monotonic second at which it was asked; 0 is before everything.
    """

    tenant: str
    key: str
    user: str
    route: str
    release: str
    stream: bool
    modality: Modality
    body: bytes
    messages: list[msgspec.Raw]
    locale: str = ""
    has_user_context: bool = False
    asked_s: float = 0.0


class StoredAnswer(msgspec.Struct, frozen=True):
    """An answer that no model has to be asked for.

    Attributes:
        content: Its text.
        finish_reason: As the model gave it, ``stop`` for curated text.
        model: The model that wrote it, or empty.
        usage: What it cost when it was made, or ``None``. The client is told, because it reckons
            with it; the record is not, because nothing was spent.
        deployment: ``provider/model`` that made it, or empty.
        age_ms: Milliseconds since it was made, -1 if that says nothing.
        confidence: 0 to 1 that it answers the question, -1 if it is the same question.
        source: Where a reader can check it: a file, a section; or empty.
        reason: ``fresh_hit``, ``stale_hit``, ``curated`` ...; in records and headers.
        is_fresh: It may speak in its turn. If not, only when no live rung did.
        revalidate: It may speak at once, and a live rung is to refresh it behind.
        answers_all: It may answer requests with tools or a JSON schema as well: it is valid there.
    """

    content: str
    finish_reason: str = "stop"
    model: str = ""
    usage: Usage | None = None
    deployment: str = ""
    age_ms: int = -1
    confidence: float = -1.0
    source: str = ""
    reason: str = "fresh_hit"
    is_fresh: bool = True
    revalidate: bool = False
    answers_all: bool = False


class GoodAnswer(msgspec.Struct, frozen=True):
    """A whole live answer, as stored rungs are offered it.

    It was never cut, refused, filtered or a tool call: those are not offered.

    Attributes:
        content: Text of its one choice.
        finish_reason: Of that choice.
        model: The model upstream says it was.
        usage: As counted upstream, or ``None``.
        deployment: ``provider/model`` that made it.
        is_late: It came after another rung had spoken.
    """

    content: str
    finish_reason: str
    model: str
    usage: Usage | None
    deployment: str
    is_late: bool = False


class StoredRung(Protocol):
    """A rung that has answers already.

    Attributes:
        kind: ``cache``, ``knowledge``.
        has_slow_tiers: Whether ``fetch`` can find what ``peek`` does not.
        cost: What a fetch is expected to take before anything was learned (``samples`` 0).
    """

    @property
    def kind(self) -> str:
        """Name of the plugin."""
        ...

    @property
    def has_slow_tiers(self) -> bool:
        """Whether ``fetch`` can find what ``peek`` does not."""
        ...

    @property
    def cost(self) -> Cost:
        """What a fetch is expected to take before anything was learned."""
        ...

    def peek(self, question: Question) -> StoredAnswer | None:
        """Look in memory, without waiting."""
        ...

    async def fetch(self, question: Question, until_s: float) -> StoredAnswer | None:
        """Look in slower tiers until ``until_s`` (monotonic seconds).

        Never raises but for cancellation; what is not there in time, or cannot be asked, is
        ``None``.
        """
        ...

    def keep(self, question: Question, answer: GoodAnswer) -> None:
        """Take a whole live answer, or not. Cheap, never waits, never raises."""
        ...


class Deployment(Protocol):
    """One model at one provider, as a live rung asks it.

    Attributes:
        id: Whom it asks; health is kept per id.
        give_up_ms: The route's own limit in milliseconds, or ``None``.
        load: What the strategy goes by; whoever asks notes there when calls begin and end.
            ``None`` if the strategy does not.
    """

    @property
    def id(self) -> DeploymentId:
        """Provider, model and region."""
        ...

    @property
    def give_up_ms(self) -> float | None:
        """The route's own limit in milliseconds, or ``None``."""
        ...

    @property
    def load(self) -> PeakEwma | None:
        """What the strategy goes by, or ``None``."""
        ...

    async def open(self, call: Call, give_up_at_s: float, cap_s: float) -> UpstreamReply:
        """Send ``call``; the reply must start to speak before ``give_up_at_s`` (monotonic).

        ``cap_s`` bounds the whole exchange in seconds, ``inf`` for no bound.

        Raises:
            UpstreamError: The transport failed or a limit passed.
        """
        ...

    def classify(self, status: int, headers: Mapping[bytes, bytes], body: bytes) -> Failure:
        """See :meth:`steadyhand.providers.base.Provider.classify`."""
        ...


Sticky = Literal["", "user", "conversation", "key"]
"""What keeps its deployment from request to request; empty for nothing."""


class LiveRung(Protocol):
    """A rung that asks a model at one of its deployments.

    Attributes:
        kind: ``live``.
        deployments: All of them, in the order of the settings.
        sticky: What keeps its deployment from request to request.
        may_hedge: Whether a second attempt may start while the first one is silent.
        is_drawn: Whether ``candidates`` depends on its arguments, or on loads.
    """

    @property
    def kind(self) -> str:
        """``live``."""
        ...

    @property
    def deployments(self) -> tuple[Deployment, ...]:
        """All of them, in the order of the settings."""
        ...

    @property
    def sticky(self) -> Sticky:
        """What keeps its deployment from request to request."""
        ...

    @property
    def may_hedge(self) -> bool:
        """Whether a second attempt may start while the first one is silent."""
        ...

    @property
    def is_drawn(self) -> bool:
        """Whether ``candidates`` depends on its arguments, or on loads."""
        ...

    def candidates(self, draw: float, unit: str) -> tuple[Deployment, ...]:
        """Return the deployments in the order in which this request tries them.

        Args:
            draw: A number in [0, 1) drawn for this request; recorded.
            unit: What ``sticky`` names, or empty if the request names none.
        """
        ...


def is_live(rung: LiveRung | StoredRung) -> TypeIs[LiveRung]:
    """Tell the two kinds of rung above the floor apart."""
    return rung.kind == "live"


class FloorRung(Protocol):
    """The last rung: computed from memory, cannot fail, never late."""

    @property
    def kind(self) -> str:
        """``template``, ``schema`` or ``error``."""
        ...

    def speak(self, modality: Modality, schema: bytes | None) -> str | None:
        """Return the content of an answer, or ``None`` if it may not answer such a request.

        ``schema`` is the requested JSON schema as the client wrote it, for ``modality`` ``schema``.
        """
        ...
