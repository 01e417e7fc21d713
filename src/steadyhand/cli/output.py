"""How commands write data: a table on a terminal, tabs on a pipe, JSON, CSV or Markdown if asked.

Data goes to standard output, everything else to standard error, so that a pipe holds data only.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TextIO

from steadyhand.cli.errors import Usage
from steadyhand.cli.suggestions import did_you_mean

Row = Mapping[str, Any]

GAP = "  "
BOLD, RED, YELLOW, GREEN, PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[0m"
CONTROL_CHARACTERS = {code: "�" for code in [*range(32), *range(127, 160)]}


class Format(StrEnum):
    """What ``--output`` takes."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MD = "md"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a list.

    Attributes:
        title: Heading, in lower case.
        cell: What to show of a row.
        right: Whether it holds numbers, which line up at the right.
        colour: The escape sequence for a cell's text, or an empty string.
    """

    title: str
    cell: Callable[[Row], str]
    right: bool = False
    colour: Callable[[str], str] = lambda _: ""


def wants_colour(stream: TextIO, environment: Mapping[str, str], *, off: bool) -> bool:
    """Decide whether ``stream`` gets colours; ``NO_COLOR`` and ``CLICOLOR_FORCE`` are honoured."""
    if off or environment.get("NO_COLOR"):
        return False
    if environment.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return stream.isatty() and environment.get("TERM") != "dumb"


def thousands(number: float) -> str:
    """Write a whole number with commas: ``1,956``."""
    return f"{number:,.0f}"


def pick(row: Row, fields: Sequence[str]) -> dict[str, Any]:
    """Return the named fields of ``row`` in the order asked, or all of them if none are named.

    Raises:
        Usage: There is no field of that name; the hint names the nearest, or all.
    """
    for name in fields:
        if name not in row:
            known = f"fields: {', '.join(row)}"
            raise Usage(f"no field {name!r}", hint=did_you_mean(name, row) or known)
    return {name: row[name] for name in fields} if fields else dict(row)


@dataclass(frozen=True, slots=True)
class Printer:
    """Writes what one command has to say.

    Attributes:
        format: How lists and objects are written.
        fields: Which fields of the JSON form; empty for all.
        colour: Whether the table has colours.
        quiet: Whether notes are left out.
        terminal: Whether standard output is one; tables become tab-separated lines if not.
        out: Where data goes.
        err: Where notes go.
    """

    format: Format = Format.TABLE
    fields: tuple[str, ...] = ()
    colour: bool = False
    quiet: bool = False
    terminal: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)

    def rows(
        self, rows: Sequence[Row], columns: Sequence[Column], *, headings: bool = True
    ) -> None:
        """Write a list. JSON is one array of whole rows; the other forms show ``columns``."""
        if self.format is Format.JSON:
            self._json([pick(row, self.fields) for row in rows])
            return
        cells = [[_printable(column.cell(row)) for column in columns] for row in rows]
        titles = [column.title for column in columns]
        if self.format is Format.CSV:
            self._csv([titles, *cells] if headings else cells)
        elif self.format is Format.MD:
            self._markdown(titles, cells)
        elif self.terminal:
            self._table(columns, cells, headings=headings)
        else:
            self.out.writelines("\t".join(line) + "\n" for line in cells)
        self.out.flush()

    def stream_row(self, row: Row, columns: Sequence[Column], widths: Sequence[int]) -> None:
        """Write one row of a list that has no end: a JSON object a line, or padded cells."""
        if self.format is Format.JSON:
            line = json.dumps(pick(row, self.fields), ensure_ascii=False)
        elif self.format is Format.CSV or not self.terminal:
            line = "\t".join(_printable(column.cell(row)) for column in columns)
        else:
            cells = [_printable(column.cell(row)) for column in columns]
            line = self._line(columns, cells, widths)
        self.out.write(f"{line}\n")
        self.out.flush()

    def object(self, row: Row, text: str) -> None:
        """Write one object: its fields as JSON, or ``text``."""
        if self.format is Format.JSON:
            self._json(pick(row, self.fields))
        else:
            self.out.write(f"{text.rstrip()}\n")
        self.out.flush()

    def note(self, text: str) -> None:
        """Say something that is not data."""
        if not self.quiet:
            self.err.write(f"{text}\n")
            self.err.flush()

    def _json(self, value: Any) -> None:
        self.out.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")

    def _csv(self, lines: Sequence[Sequence[str]]) -> None:
        import csv

        csv.writer(self.out, lineterminator="\n").writerows(lines)

    def _markdown(self, titles: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
        for line in [titles, ["---"] * len(titles), *lines]:
            self.out.write(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n")

    def _table(
        self, columns: Sequence[Column], lines: Sequence[Sequence[str]], *, headings: bool
    ) -> None:
        widths = [
            max([len(column.title), *(len(line[i]) for line in lines)])
            for i, column in enumerate(columns)
        ]
        if headings:
            heading = self._line(columns, [c.title for c in columns], widths, coloured=False)
            self.out.write(f"{BOLD}{heading}{PLAIN}\n" if self.colour else f"{heading}\n")
        for line in lines:
            self.out.write(self._line(columns, line, widths) + "\n")

    def _line(
        self,
        columns: Sequence[Column],
        cells: Sequence[str],
        widths: Sequence[int],
        *,
        coloured: bool = True,
    ) -> str:
        parts = []
        for column, cell, width in zip(columns, cells, widths, strict=True):
            part = cell.rjust(width) if column.right else cell.ljust(width)
            colour = column.colour(cell) if self.colour and coloured else ""
            parts.append(f"{colour}{part}{PLAIN}" if colour else part)
        return GAP.join(parts).rstrip()


def _printable(cell: str) -> str:
    """Take out control characters: a cell must neither break a line nor drive the terminal."""
    return cell.translate(CONTROL_CHARACTERS)
