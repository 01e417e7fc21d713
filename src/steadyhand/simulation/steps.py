"""What a player can be told to do: the alphabet of scripts."""

from dataclasses import dataclass

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Head:
    """Send status and headers.

    Attributes:
        length: The ``Content-Length`` to declare, true or not; ``None`` for a chunked body.
    """

    status: int
    headers: tuple[Header, ...]
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Bytes:
    """Send a piece of the body, as one write."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Raw:
    """Send bytes that are no HTTP, and close."""

    data: bytes


@dataclass(frozen=True, slots=True)
class CleanEnd:
    """Finish the response; the connection lives on."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Close the connection in order, though the response is unfinished."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Send nothing more until the other side leaves."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Have no connection at all; a player that already has one resets it."""


@dataclass(frozen=True, slots=True)
class Vanish:
    """Neither accept nor refuse a connection; a player that already has one stays silent."""


Step = Wait | Head | Bytes | Raw | CleanEnd | Cut | Reset | Hang | Refuse | Vanish
