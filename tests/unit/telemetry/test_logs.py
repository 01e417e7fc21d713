"""Log lines: JSON for machines, plain for a person."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from typing_extensions import override

from steadyhand.telemetry.logs import configure


class Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def root_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_one_object_with_the_extra_fields_of_the_call() -> None:
    stream = io.StringIO()
    configure(stream, "info", "gateway-1")
    log = logging.getLogger("steadyhand.test")
    log.info("rolled %d\nsegments", 3, extra={"writer": "w1", "place": {1: object}})
    log.debug("too small to be told")
    (line,) = stream.getvalue().splitlines()
    found = json.loads(line)
    assert found.pop("time").endswith("Z")
    assert found == {
        "level": "info",
        "process": "gateway-1",
        "logger": "steadyhand.test",
        "message": "rolled 3\nsegments",
        "writer": "w1",
        "place": {"1": "<class 'object'>"},
    }


def test_an_exception_is_told_inside_its_line() -> None:
    stream = io.StringIO()
    configure(stream, "info", "control")
    try:
        raise ValueError("no such thing")
    except ValueError:
        logging.getLogger("steadyhand.test").exception("could not")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["exception"].endswith("ValueError: no such thing")


def test_at_a_terminal_a_person_reads_it() -> None:
    stream = Terminal()
    configure(stream, "info", "control")
    logging.getLogger("steadyhand.test").info("ready")
    logging.getLogger("steadyhand.test").warning("slow")
    ready, slow = stream.getvalue().splitlines()
    assert ready.endswith(" control ready")
    assert slow.endswith("warning\x1b[0m slow")


def test_configuring_again_replaces_what_was() -> None:
    first, second = io.StringIO(), io.StringIO()
    configure(first, "info", "a")
    configure(second, "error", "b")
    logging.getLogger("steadyhand.test").warning("unheard")
    logging.getLogger("steadyhand.test").error("heard")
    assert first.getvalue() == ""
    assert json.loads(second.getvalue())["process"] == "b"
