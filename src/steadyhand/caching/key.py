"""Where an answer is kept: an address that only the same question of the same person has.

An address is a keyed SHA-256 over two texts. The *namespace* is tenant, route, the digest of what
shapes the route's answers and the epoch; the *question* is whose it is (an end user, else a key,
else nobody on a shared route) and every field of the body but those that only say how the answer
travels. Each part has its length before it, so no two lists of parts give the same text, whatever
characters are in a name. Keyed, because whoever can read Redis could otherwise test guesses.

The body is not parsed further than its top level: values enter as the bytes that the client wrote.
Two spellings of one question are two questions. That costs a hit now and then, and makes it
impossible that two readers of one text disagree about which question it was: a body with a field
given twice is not cached at all.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Literal, Protocol

import msgspec

ADDRESS_BYTES = 32
_BLOCK_BYTES = 64
MOST_BODY_BYTES = 262_144
"""A longer question is not looked up: hashing it would hold up the others for a millisecond."""

TRAVEL = ("stream", "stream_options")
"""Fields that say how an answer travels, not what it says."""
IDENTITY = ("user", "safety_identifier")
"""Fields that name a person; left out where answers are declared to be the same for all."""

Refusal = Literal["ambiguous", "audio", "choices", "logprobs", "sampled", "too_large", "tools"]
"""Why a question has no address.

``ambiguous``: a field is given twice, or the body is no object. ``sampled``: the route keeps only
answers to ``temperature`` 0. ``too_large``: above :data:`MOST_BODY_BYTES`. The others: such answers
are never kept.
"""


class Asked(Protocol):
    """What an address depends on."""

    @property
    def tenant(self) -> str:
        """Whose key it is."""
        ...

    @property
    def key(self) -> str:
        """Name of the key."""
        ...

    @property
    def user(self) -> str:
        """The end user that the request names; empty for nobody."""
        ...

    @property
    def route(self) -> str:
        """Name of the route."""
        ...

    @property
    def release(self) -> str:
        """Digest of what shapes the route's answers."""
        ...

    @property
    def body(self) -> bytes:
        """The chat body, valid JSON."""
        ...

    @property
    def has_user_context(self) -> bool:
        """Whether something about one person enters the answer."""
        ...

    @property
    def asked_s(self) -> float:
        """Monotonic second at which it was asked."""
        ...


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_names = msgspec.json.Encoder()

_TELLING = frozenset({"audio", "functions", "logprobs", "modalities", "n", "tools", "top_logprobs"})
_ABSENT = (b"null", b"[]", b"false", b"0")


class Namespace:
    """The part of an address that requests of one tenant to one route share."""

    __slots__ = ("_begun",)

    def __init__(self, secret: bytes, *, tenant: str, route: str, release: str, epoch: int) -> None:
        """Hash the shared part once; ``secret`` is the installation's, at most 64 bytes."""
        self._begun = hashlib.sha256(secret.ljust(_BLOCK_BYTES, b"\0"))
        self._begun.update(packed([tenant, route, release, str(epoch)]))

    def address(self, asked: Asked, *, shared: bool, sampled: bool = True) -> bytes | Refusal:
        """Return where the answer to ``asked`` is kept, or why nowhere.

        Args:
            asked: A question of this namespace.
            shared: Whether the route declares that its answers are the same for all of a tenant.
            sampled: Whether answers to a ``temperature`` that is not 0 are kept, too.
        """
        if len(asked.body) > MOST_BODY_BYTES:
            return "too_large"
        fields = top_fields(asked.body)
        if fields is None:
            return "ambiguous"
        if not _TELLING.isdisjoint(fields):
            refusal = _never_kept(fields)
            if refusal is not None:
                return refusal
        if not sampled and bytes(fields.get("temperature", b"")) not in (b"0", b"0.0"):
            return "sampled"
        is_shared = shared and not asked.has_user_context
        for name in TRAVEL + IDENTITY if is_shared else TRAVEL:
            fields.pop(name, None)
        names = sorted(fields)
        values = [fields[name] for name in names]
        text = self._begun.copy()
        text.update(owner(asked, is_shared=is_shared) + _names.encode(names) + joined(values))
        return text.digest()


def owner(asked: Asked, *, is_shared: bool) -> bytes:
    """Return whose answer it is, unlike any other owner's."""
    if is_shared:
        return b"s"
    kind, name = ("u", asked.user) if asked.user else ("k", asked.key)
    encoded = name.encode("utf-8", "surrogatepass")
    return b"%s%d:%b" % (kind.encode(), len(encoded), encoded)


def packed(parts: Iterable[str]) -> bytes:
    """Return ``parts`` as one text that no other list of parts has."""
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(b"%d:%b" % (len(part), part) for part in encoded)


def top_fields(body: bytes) -> dict[str, msgspec.Raw] | None:
    """Return the fields of ``body``, each once; ``None`` if one is given twice, or it is no object.

    Decoding keeps the last of two. That there was one only shows in the length: a text without
    blanks, escapes in names and repeated fields is as long as its fields, and any other is longer.
    """
    try:
        fields = _fields.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    # "name":value and a comma each, less the commas between joined values, and the brackets
    length = len("".join(fields)) + len(joined(fields.values())) + 3 * len(fields) + 2
    if length == len(body) or _is_as_python_writes(fields, body) or not _repeats(body):
        return fields
    return None


def _is_as_python_writes(fields: dict[str, msgspec.Raw], body: bytes) -> bool:
    """Tell whether ``body`` is just ``fields``, with one blank after each colon and comma.

    So ``json.dumps`` writes unless told otherwise; reading through a kilobyte costs 13 µs more.
    """
    pieces = [b'"%b": %b' % (name.encode(), value) for name, value in fields.items()]
    return body == b"{%b}" % b", ".join(pieces)


def joined(values: Iterable[msgspec.Raw]) -> bytes:
    """Return JSON values with commas between, which is unlike any other list of values."""
    return b",".join(values)


def _repeats(body: bytes) -> bool:
    """Tell whether a field of the object stands there twice; reads all of it, so rarely called."""
    depths: list[bool] = []

    def note(pairs: list[tuple[str, Any]]) -> None:
        depths.append(len({name for name, _ in pairs}) != len(pairs))

    try:
        json.loads(body, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return True
    return depths[-1]  # inner objects end first


def _never_kept(fields: dict[str, msgspec.Raw]) -> Refusal | None:
    given = {name for name in _TELLING & fields.keys() if bytes(fields[name]) not in _ABSENT}
    if given & {"tools", "functions"}:
        return "tools"
    if given & {"logprobs", "top_logprobs"}:
        return "logprobs"
    if "n" in given and bytes(fields["n"]) != b"1":
        return "choices"
    if "audio" in given or b"audio" in bytes(fields.get("modalities", b"")):
        return "audio"
    return None
