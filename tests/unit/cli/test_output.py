import io
import json
from typing import Any

import pytest

from steadyhand.cli.errors import Usage
from steadyhand.cli.output import GREEN, PLAIN, Column, Format, Printer, wants_colour

ROWS = [
    {"name": "support", "count": 12, "hidden": True},
    {"name": "a|b\n\x1b[31m", "count": 3_000, "hidden": False},
]
COLUMNS = [
    Column("name", lambda row: row["name"], colour=lambda cell: GREEN),
    Column("count", lambda row: f"{row['count']:,}", right=True),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:  # type: ignore[explicit-override]
        return True


def written(**settings: Any) -> str:
    printer = Printer(out=io.StringIO(), err=io.StringIO(), **settings)
    printer.rows(ROWS, COLUMNS)
    assert isinstance(printer.out, io.StringIO)
    return printer.out.getvalue()


def test_a_terminal_gets_a_table_whose_columns_line_up() -> None:
    assert written(terminal=True).splitlines() == [
        "name       count",
        "support       12",
        "a|b��[31m  3,000",
    ]


def test_a_pipe_gets_tabs_and_no_headings() -> None:
    assert written() == "support\t12\na|b��[31m\t3,000\n"


def test_colours_are_around_cells_only_if_wanted() -> None:
    assert f"{GREEN}support  {PLAIN}" in written(terminal=True, colour=True)
    assert "\x1b" not in written(terminal=True)


def test_json_has_whole_rows_or_the_fields_asked_for() -> None:
    assert json.loads(written(format=Format.JSON)) == ROWS
    assert json.loads(written(format=Format.JSON, fields=("count",))) == [
        {"count": 12},
        {"count": 3000},
    ]


def test_an_unknown_field_names_the_nearest() -> None:
    with pytest.raises(Usage) as caught:
        written(format=Format.JSON, fields=("cuont",))
    assert caught.value.hint == "did you mean 'count'?"


def test_csv_and_markdown_have_headings() -> None:
    assert written(format=Format.CSV) == 'name,count\nsupport,12\na|b��[31m,"3,000"\n'
    assert written(format=Format.MD).splitlines() == [
        "| name | count |",
        "| --- | --- |",
        "| support | 12 |",
        r"| a\|b��[31m | 3,000 |",
    ]


def test_a_followed_list_is_written_line_by_line() -> None:
    out = io.StringIO()
    Printer(format=Format.JSON, out=out).stream_row(ROWS[0], COLUMNS, [10, 5])
    Printer(terminal=True, out=out).stream_row(ROWS[0], COLUMNS, [10, 5])
    Printer(out=out).stream_row(ROWS[0], COLUMNS, [10, 5])
    first, second, third = out.getvalue().splitlines()
    assert json.loads(first) == ROWS[0]
    assert (second, third) == ("support        12", "support\t12")


def test_notes_go_to_standard_error_unless_quiet() -> None:
    err = io.StringIO()
    Printer(err=err).note("showing 50 of 3,120")
    Printer(err=err, quiet=True).note("never")
    assert err.getvalue() == "showing 50 of 3,120\n"


@pytest.mark.parametrize(
    ("environment", "off", "terminal", "expected"),
    [
        ({}, False, True, True),
        ({}, False, False, False),
        ({}, True, True, False),
        ({"NO_COLOR": "1"}, False, True, False),
        ({"NO_COLOR": ""}, False, True, True),
        ({"CLICOLOR_FORCE": "1"}, False, False, True),
        ({"CLICOLOR_FORCE": "0"}, False, False, False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False, True, False),
        ({"TERM": "dumb"}, False, True, False),
    ],
)
def test_who_gets_colours(
    environment: dict[str, str], off: bool, terminal: bool, expected: bool
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    assert wants_colour(stream, environment, off=off) is expected
