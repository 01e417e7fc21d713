"""What the host and a model's process say to each other: length, then msgpack. Pure."""

import msgspec


class Load(msgspec.Struct, tag="load", frozen=True):
    """Read a model into memory; the first command, given once.

    Attributes:
        engine: Kind of engine.
        table: A :class:`~steadyhand.inference.engines.base.ModelTable` as JSON.
        workspace: Folder that the table's paths are relative to.
    """

    engine: str
    table: bytes
    workspace: str


class Run(msgspec.Struct, tag="run", frozen=True):
    """Answer a request.

    Attributes:
        number: Names it in what follows.
        body: The engine's request as JSON.
    """

    number: int
    body: bytes


class Stop(msgspec.Struct, tag="stop", frozen=True):
    """Stop answering request ``number``; it still ends with :class:`Ended`."""

    number: int


class Loaded(msgspec.Struct, tag="loaded", frozen=True):
    """The model is in memory."""


class LoadFailed(msgspec.Struct, tag="load_failed", frozen=True):
    """It cannot be; the process ends. ``message`` says why."""

    message: str


class Piece(msgspec.Struct, tag="piece", frozen=True):
    """One chunk of an answer, as the engine said it."""

    number: int
    chunk: bytes


class Refused(msgspec.Struct, tag="refused", frozen=True):
    """The engine does not take the request; :class:`Ended` follows."""

    number: int
    status: int
    message: str


class Ended(msgspec.Struct, tag="ended", frozen=True):
    """The request is over and its slot is free."""

    number: int


Command = Load | Run | Stop
Event = Loaded | LoadFailed | Piece | Refused | Ended

HEAD_BYTES = 4
_encoder = msgspec.msgpack.Encoder()
_commands: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_events: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def pack(message: Command | Event) -> bytes:
    """Return ``message`` as it travels."""
    body = _encoder.encode(message)
    return len(body).to_bytes(HEAD_BYTES, "big") + body


def length(head: bytes) -> int:
    """Return how many bytes follow a head."""
    return int.from_bytes(head, "big")


def command(body: bytes) -> Command:
    """Read what the host says."""
    return _commands.decode(body)


def event(body: bytes) -> Event:
    """Read what a model's process says."""
    return _events.decode(body)
