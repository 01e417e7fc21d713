"""A bar chart on a logarithmic axis, as SVG. Pure.

Drawn here and not by a plotting library: it is forty lines, looks the same wherever it is made, and
its text stays text for screen readers and for diffs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

_LEFT, _WIDTH, _RIGHT = 330, 480, 90
_TOP, _ROW, _BOTTOM = 48, 28, 30
_OURS, _OTHERS = "#1864ab", "#adb5bd"


@dataclass(frozen=True, slots=True)
class Bar:
    """One labelled positive value."""

    label: str
    value: float
    ours: bool


def draw(title: str, bars: Sequence[Bar]) -> str:
    """Return an SVG document with one row for each bar.

    Raises:
        ValueError: If there is no bar, or one whose value is not positive.
    """
    if not bars or min(bar.value for bar in bars) <= 0:
        raise ValueError("a logarithmic chart needs positive values")
    low = floor(log10(min(bar.value for bar in bars)))
    high = max(ceil(log10(max(bar.value for bar in bars))), low + 1)
    scale = _WIDTH / (high - low)
    bottom = _TOP + _ROW * len(bars)
    width, height = _LEFT + _WIDTH + _RIGHT, bottom + _BOTTOM
    said = "; ".join(f"{bar.label}: {bar.value:,.1f}" for bar in bars)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-labelledby="title description" font-family="sans-serif" font-size="13">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(said)}</desc>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="16" y="26" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    for power in range(low, high + 1):
        x = _LEFT + (power - low) * scale
        lines += [
            f'<line x1="{x:.1f}" y1="{_TOP - 6}" x2="{x:.1f}" y2="{bottom}" stroke="#e9ecef"/>',
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" fill="#495057">'
            f"{10**power:,g}</text>",
        ]
    for index, bar in enumerate(bars):
        y = _TOP + _ROW * index
        length = max(1.0, (log10(bar.value) - low) * scale)
        lines += [
            f'<text x="{_LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(bar.label)}</text>',
            f'<rect x="{_LEFT}" y="{y + 2}" width="{length:.1f}" height="{_ROW - 9}" '
            f'fill="{_OURS if bar.ours else _OTHERS}"/>',
            f'<text x="{_LEFT + length + 6:.1f}" y="{y + 15}">{bar.value:,.0f}</text>',
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"
