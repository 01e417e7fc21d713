"""Logging of the processes: one JSON object per line, or plain lines for a person at a terminal.

For what happens to the program (started, cannot write, goes on), never for requests: those are
records. Modules log through the standard library and do not know the form.
"""

import logging
import traceback
from datetime import UTC, datetime
from typing import TextIO

import msgspec
from typing_extensions import override

LIBRARIES = ("alembic", "uvicorn", "asyncio")
"""Loggers of libraries that report their own normal start; only their warnings are of use."""

_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_COLOURS = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[1;31m"}
_PLAIN = "\x1b[0m"


def configure(stream: TextIO, level: str, process_name: str) -> None:
    """Send all of this process's log to ``stream``; people's form if that is a terminal.

    Replaces what was configured before. ``level`` is ``debug``, ``info``, ``warning`` or
    ``error``.
    """
    handler = logging.StreamHandler(stream)
    form = HumanLines if stream.isatty() else JsonLines
    handler.setFormatter(form(process_name))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for chatty in LIBRARIES:
        logging.getLogger(chatty).setLevel(logging.WARNING)


class JsonLines(logging.Formatter):
    """One object per line; what a call gave as ``extra`` becomes fields of it."""

    def __init__(self, process_name: str) -> None:
        """Take the name that stands in every line."""
        super().__init__()
        self._process_name = process_name

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = {name: value for name, value in vars(record).items() if name not in _KNOWN}
        fields |= {
            "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "process": self._process_name,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        return msgspec.json.encode(fields, enc_hook=str).decode()


class HumanLines(logging.Formatter):
    """Time of day, level if it is worth a look, who, and what."""

    def __init__(self, process_name: str) -> None:
        """Take the name that stands in every line."""
        super().__init__()
        self._process_name = process_name

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback below it if there is one."""
        colour = _COLOURS.get(record.levelname)
        level = f"{colour}{record.levelname.lower()}{_PLAIN} " if colour else ""
        clock = f"{_time(record).astimezone():%H:%M:%S}"
        line = f"{clock} {self._process_name} {level}{record.getMessage()}"
        if record.exc_info:
            line += "\n" + "".join(traceback.format_exception(*record.exc_info)).rstrip()
        return line


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)
