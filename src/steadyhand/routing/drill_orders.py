"""Drills on demand: control puts an order into a folder, a gateway that drills answers beside it.

Whoever may write into the state directory may order drills: it is the owner's alone (mode 700).
All functions block; gateways call them in a thread.
"""

import os
import time
from pathlib import Path

import msgspec

from steadyhand.routing.drilling import RungId

MOST_OPEN = 16
ORDER, REPORT = ".order", ".report"
PATIENCE_S = 60.0
"""An order that nobody has begun with for so long is not carried out: its caller has gone."""
KEPT_S = 3_600.0
"""A report is kept for so long after its last change."""


class Outcome(msgspec.Struct, frozen=True):
    """How the drill of one rung ended.

    Attributes:
        rung: Which.
        is_proven: Whether it answered as it should; ``None`` if the drill says nothing.
        reason: ``ok``, or why not.
        took_ms: Milliseconds.
    """

    rung: RungId
    is_proven: bool | None
    reason: str
    took_ms: float


class Report(msgspec.Struct, frozen=True):
    """What came of an order so far.

    Attributes:
        total: Drills that were ordered.
        outcomes: Those that have ended, in order.
    """

    total: int
    outcomes: tuple[Outcome, ...] = ()


class Order(msgspec.Struct, frozen=True):
    """Drill now.

    Attributes:
        name: Of the order; letters and digits.
        route: Only this route's rungs; empty for every one.
    """

    name: str
    route: str = ""


_REPORT = msgspec.json.Decoder(Report)
_ORDER = msgspec.json.Decoder(Order)


def place(folder: Path, order: Order) -> bool:
    """Put ``order`` where a gateway looks; return whether there was room for one more.

    Raises:
        OSError: It cannot be written.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    if len(list(folder.glob(f"*{ORDER}"))) >= MOST_OPEN:
        return False
    _replace(folder / f"{order.name}{ORDER}", msgspec.json.encode(order))
    return True


def report_on(folder: Path, name: str) -> Report | None:
    """Return what came of an order; ``None`` if no gateway has begun with it."""
    try:
        return _REPORT.decode((folder / f"{name}{REPORT}").read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def next_order(folder: Path) -> Order | None:
    """Take the oldest order out of the folder; clear away what nobody waits for any more.

    Raises:
        OSError: The folder cannot be changed.
    """
    if not folder.is_dir():
        return None
    now_s = time.time()
    for old in folder.glob(f"*{REPORT}"):
        if now_s - _written_s(old) > KEPT_S:
            old.unlink(missing_ok=True)
    for path in sorted(folder.glob(f"*{ORDER}"), key=_written_s):
        is_late = now_s - _written_s(path) > PATIENCE_S
        order = _read_order(path)
        path.unlink(missing_ok=True)
        if order is not None and order.name == path.stem and not is_late:
            return order
    return None


def write_report(folder: Path, name: str, report: Report) -> None:
    """Say what has come of an order so far.

    Raises:
        OSError: It cannot be written.
    """
    _replace(folder / f"{name}{REPORT}", msgspec.json.encode(report))


def _read_order(path: Path) -> Order | None:
    try:
        return _ORDER.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)


def _written_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
