"""The outcome of each fault at each gateway, as one strip of coloured letters in SVG. Pure.

The letters say what the colours say, so that it can be read without them, and the description says
in words what the strip comes to. It has a ground of its own, so that it reads the same on a dark
page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

_COLOURS = {
    "A": ("#2f9e44", "#fff"),
    "F": ("#0b7285", "#fff"),
    "E": ("#ffd43b", "#212529"),
    "L": ("#f08c00", "#212529"),
    "B": ("#868e96", "#fff"),
    "H": ("#5f3dc4", "#fff"),
    "X": ("#c92a2a", "#fff"),
}
MEANINGS = {
    "A": "answer in time",
    "F": "prepared answer, marked",
    "E": "honest error in time",
    "L": "late",
    "B": "broken, no error said so",
    "H": "no end in 30 s",
    "X": "cut or error passed off as whole",
}
_LEFT, _RIGHT, _TOP, _CELL, _ROW, _GAP, _NAMES = 178, 60, 74, 14, 20, 8, 138


@dataclass(frozen=True, slots=True)
class Column:
    """One fault: its name, its group, and row → letter → share."""

    name: str
    group: str
    shares: Sequence[Mapping[str, float]]


def draw(title: str, rows: Sequence[str], columns: Sequence[Column], said: str) -> str:
    """Return an SVG document: one row for each of ``rows``, one column for each fault."""
    width_of_gaps = _GAP * (len({column.group for column in columns}) - 1)
    width = _LEFT + _CELL * len(columns) + width_of_gaps + _RIGHT
    bottom = _TOP + _ROW * len(rows)
    height = bottom + _NAMES
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-labelledby="title description" font-family="sans-serif" font-size="12">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(said)}</desc>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="12" y="22" font-size="15" font-weight="bold">{escape(title)}</text>',
        *_legend(),
    ]
    for place, row in enumerate(rows):
        y = _TOP + _ROW * place + 14
        lines.append(f'<text x="{_LEFT - 8}" y="{y}" text-anchor="end">{escape(row)}</text>')
    x = _LEFT
    for group, members in groupby(columns, key=lambda column: column.group):
        lines.append(
            f'<text x="{x}" y="{_TOP - 5}" font-size="9" fill="#495057">{escape(group)}</text>'
        )
        for column in members:
            lines += _column(column, x, bottom)
            x += _CELL
        x += _GAP
    return "\n".join([*lines, "</svg>"]) + "\n"


def _legend() -> list[str]:
    found, x = [], 12
    for letter, meaning in MEANINGS.items():
        ground, ink = _COLOURS[letter]
        found += [
            f'<rect x="{x}" y="32" width="14" height="14" fill="{ground}"/>',
            f'<text x="{x + 7}" y="43" text-anchor="middle" font-size="11" fill="{ink}">{letter}'
            "</text>",
            f'<text x="{x + 19}" y="43" font-size="11">{meaning}</text>',
        ]
        x += 34 + round(len(meaning) * 5.7)
    return found


def _column(column: Column, x: int, bottom: int) -> list[str]:
    found = []
    for place, shares in enumerate(column.shares):
        y = _TOP + _ROW * place
        found += _cell(shares, x, y)
    turned = f"rotate(60 {x + 3} {bottom + 10})"
    found.append(
        f'<text x="{x + 3}" y="{bottom + 10}" font-size="10" transform="{turned}">'
        f"{escape(column.name)}</text>"
    )
    return found


def _cell(shares: Mapping[str, float], x: int, y: int) -> list[str]:
    """Split a cell by shares, the most frequent on top; its letter is written into it."""
    ordered = sorted(shares.items(), key=lambda pair: (-pair[1], pair[0]))
    found, at = [], float(y + 1)
    size = _ROW - 2
    for letter, share in ordered:
        if share > 0:
            ground = _COLOURS[letter][0]
            found.append(
                f'<rect x="{x}" y="{at:.1f}" width="{_CELL - 1}" height="{size * share:.1f}" '
                f'fill="{ground}"/>'
            )
            at += size * share
    if found:
        letter, share = ordered[0]
        middle = y + 4.5 + size * share / 2
        found.append(
            f'<text x="{x + (_CELL - 1) / 2}" y="{middle:.1f}" text-anchor="middle" font-size="10" '
            f'fill="{_COLOURS[letter][1]}">{letter}</text>'
        )
    return found
