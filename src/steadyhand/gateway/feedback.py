"""``POST /v1/feedback``: what a caller says of an answer it got. Pure.

Whether the request exists is not known here: a gateway reads no database. What is said is kept as
an annotation, and counts once the record is there and is of the same tenant.
"""

import re
from hashlib import sha256
from typing import Final, Literal

import msgspec

from steadyhand.core.errors import InvalidJson, InvalidValue, MissingField
from steadyhand.records.annotation import Annotation, Feedback, annotation
from steadyhand.tenancy.model import Key

PATH: Final = b"/v1/feedback"
MOST_CORRECTION: Final = 8_000
"""Characters of a correction."""

_REQUEST_ID: Final = re.compile(r"req_[0-9a-z]{10,40}\Z")
_ID: Final = re.compile(r"[\x21-\x7e]{1,64}\Z")


class Said(msgspec.Struct, forbid_unknown_fields=True):
    """The body.

    Attributes:
        request_id: ``x-steadyhand-request-id`` of the answer.
        id: The caller's own, up to 64 printable characters; what is said again under it takes the
            place of what was said before. Without one there is one for each request and key.
        thumbs: ``up`` or ``down``.
        rating: 1 to 5.
        escalated: Whether a person had to take over.
        task_completed: Whether the task was done.
        correction: What the answer should have been.
    """

    request_id: str
    id: str = ""
    thumbs: Literal["up", "down"] | None = None
    rating: int | None = None
    escalated: bool | None = None
    task_completed: bool | None = None
    correction: str | None = None


def read_feedback(body: bytes, key: Key, now_us: int) -> Annotation:
    """Return what ``body`` says, as the holder of ``key`` says it.

    Raises:
        InvalidJson: It is no JSON object.
        InvalidValue: A field is unknown or outside of what is allowed.
        MissingField: It says nothing of a request.
    """
    said = _decoded(body)
    if _REQUEST_ID.match(said.request_id) is None:
        raise InvalidValue(
            f"{said.request_id[:60]!r} is no id of a request",
            hint="send the answer's header x-steadyhand-request-id",
            param="request_id",
        )
    if said.id and _ID.match(said.id) is None:
        raise InvalidValue("id is not 1 to 64 printable ASCII characters", param="id")
    if said.rating is not None and not 1 <= said.rating <= 5:
        raise InvalidValue(f"rating is {said.rating}, not 1 to 5", param="rating")
    correction = said.correction or ""
    if len(correction) > MOST_CORRECTION:
        raise InvalidValue(
            f"correction has {len(correction):,} characters, at most {MOST_CORRECTION:,} are taken",
            param="correction",
        )
    found = Feedback(
        key.tenant,
        key.name,
        said.id or sha256(f"{key.name}\0{said.request_id}".encode()).hexdigest()[:32],
        said.thumbs or "",
        said.rating or 0,
        said.escalated,
        said.task_completed,
        correction,
    )
    if not found.signals:
        raise MissingField(
            "it says nothing",
            hint="thumbs, rating, escalated, task_completed or correction",
            param="thumbs",
        )
    return annotation(said.request_id, now_us, found)


def _decoded(body: bytes) -> Said:
    try:
        return msgspec.json.decode(body, type=Said)
    except msgspec.ValidationError as error:
        text = str(error)
        found = re.search(r"`\$\.([a-z_]+)`|field `([a-z_]+)`", text)
        name = (found[1] or found[2]) if found is not None else ""
        if "missing required field" in text:
            raise MissingField(text, hint="name the request", param=name) from error
        raise InvalidValue(text, param=name) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidJson(f"the body is not one JSON object in UTF-8: {error}") from error
