"""Annotations: facts about a request that come after its record, which nobody changes. Pure.

An annotation is an entry of the same log as the records. Its kind is a name and its body the bytes
of a typed value, so that a reader keeps, ships and shows also what a later version writes, and only
leaves out what it cannot understand. Bodies are arrays: fields are appended, never reordered.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

LATE_USAGE = "late_usage"
FEEDBACK = "feedback"
GROUNDING = "grounding"

Counting = Literal["reported", "estimated"]
"""Whether the provider counted the tokens, or we did from bytes."""


class Annotation(msgspec.Struct, frozen=True, gc=False):
    """One later fact about one request. Logged as a map, where a record is an array.

    Attributes:
        request_id: Of the record that it is about, which may never have been written.
        kind: Names the type of ``body``: ``late_usage``, ``feedback``, ``grounding``.
        made_us: Wall clock, microseconds since 1970.
        body: The value, as MessagePack.
    """

    request_id: str
    kind: str
    made_us: int
    body: bytes


class LateUsage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Tokens that were spent on a request and are not in its record: it had ended before.

    Attributes:
        tenant: Who pays for them.
        route: As in the record.
        provider: Name in the workspace.
        model: The deployment's model.
        role: What they were spent on, as in ``Attempt.role``: ``hedge``, ``harvest`` ...
        input_tokens: Prompt tokens.
        output_tokens: Completion tokens, as far as they had come.
        counting: See :data:`Counting`.
        region: Of the deployment, or empty.
    """

    tenant: str
    route: str
    provider: str
    model: str
    role: str
    input_tokens: int
    output_tokens: int
    counting: Counting
    region: str = ""


class Feedback(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a caller says of an answer.

    Attributes:
        tenant: Owner of the key that said it; it counts only for a request of the same tenant.
        key: Name of that key.
        id: The caller's own; what is said again under the same id takes its place.
        thumbs: ``up``, ``down`` or empty.
        rating: 1 to 5; 0 for none.
        escalated: Whether a person had to take over; ``None`` if it is not said.
        task_completed: Whether the task was done; ``None`` if it is not said.
        correction: What the answer should have been, or empty.
    """

    tenant: str
    key: str
    id: str
    thumbs: str = ""
    rating: int = 0
    escalated: bool | None = None
    task_completed: bool | None = None
    correction: str = ""

    @property
    def signals(self) -> list[str]:
        """What it says, in words."""
        said = [
            f"thumbs_{self.thumbs}" if self.thumbs else "",
            f"rating_{self.rating}" if self.rating else "",
            {None: "", True: "escalated", False: "not_escalated"}[self.escalated],
            {None: "", True: "task_completed", False: "task_failed"}[self.task_completed],
            "correction" if self.correction else "",
        ]
        return [one for one in said if one]


class Grounding(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a sampled answer was found to be, by the text that it should stand in.

    Attributes:
        tenant: As in the record.
        route: As in the record.
        release: Digest of the release that answered; empty for the workspace.
        verdict: ``grounded``, ``ungrounded`` or ``not_measured``.
        reason: Why it is not measured, else empty.
        probability: With which the answer was sampled.
        by: Name and version of the check, or of the judge, that said so.
        claims: Claims that were scored.
        ungrounded: Of them, those that are.
        score: The lowest, 0 to 1; -1 of none.
        judged: What came of asking the judge; empty if it was not asked.
        rollout: Salt of the candidate that was tried; empty for none.
        unit: Who asked.
        slot: Which slice of the rollout it was in.
        weight: Of the candidate then, basis points.
        controls: Number of control slices then.
        sampled_us: When it was answered, microseconds since 1970.
    """

    tenant: str
    route: str
    release: str
    verdict: str
    reason: str
    probability: float
    by: str
    claims: int = 0
    ungrounded: int = 0
    score: float = -1.0
    judged: str = ""
    rollout: str = ""
    unit: int = 0
    slot: int = 0
    weight: int = 0
    controls: int = 0
    sampled_us: int = 0


Body = LateUsage | Feedback | Grounding
"""What an annotation may say."""

_BODIES: dict[str, type[Body]] = {
    LATE_USAGE: LateUsage,
    FEEDBACK: Feedback,
    GROUNDING: Grounding,
}
_KINDS = {body: kind for kind, body in _BODIES.items()}
_DECODERS = {kind: msgspec.msgpack.Decoder(body) for kind, body in _BODIES.items()}


def annotation(request_id: str, made_us: int, body: Body) -> Annotation:
    """Return ``body`` as an annotation of a request."""
    return Annotation(request_id, _KINDS[type(body)], made_us, msgspec.msgpack.encode(body))


def body_of(found: Annotation) -> Body | None:
    """Return what ``found`` says; ``None`` if its kind or shape is one that is not known here."""
    decoder = _DECODERS.get(found.kind)
    if decoder is None:
        return None
    try:
        said: Body = decoder.decode(found.body)
    except msgspec.DecodeError:
        return None
    return said


def heard(notes: Sequence[Annotation], tenant: str) -> list[Annotation]:
    """Return annotations without feedback that does not count, in their order.

    It does not if it is of another tenant than the request, or was said again under the same id.
    """
    found: list[Annotation] = []
    said: dict[str, int] = {}
    for note in notes:
        body = body_of(note) if note.kind == FEEDBACK else None
        if isinstance(body, Feedback):
            if body.tenant != tenant:
                continue
            before = said.get(body.id)
            if before is not None:
                found[before] = note
                continue
            said[body.id] = len(found)
        found.append(note)
    return found
