"""Delay against false alarms, a curve for each method, as SVG. Pure."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, floor, log10

Points = Sequence[tuple[float, float]]

_LEFT, _WIDTH, _GAP, _RIGHT = 90, 330, 70, 30
_TOP, _HEIGHT, _BOTTOM = 84, 300, 60
_COLOURS = ("#1864ab", "#e8590c", "#2b8a3e", "#862e9c", "#868e96")


class _Axes:
    """Both logarithmic axes of one panel."""

    def __init__(self, panels: Sequence[Mapping[str, Points]], left: float) -> None:
        points = [point for curves in panels for curve in curves.values() for point in curve]
        if not points:
            raise ValueError("there is nothing to draw")
        self.left = left
        self.x_low, self.x_high = _decades([x for x, _ in points])
        self.y_low, self.y_high = _decades([y for _, y in points])

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point lies."""
        right = (log10(x) - self.x_low) / (self.x_high - self.x_low)
        up = (log10(y) - self.y_low) / (self.y_high - self.y_low)
        return self.left + right * _WIDTH, _TOP + (1 - up) * _HEIGHT


def draw(title: str, panels: Mapping[str, Mapping[str, Points]]) -> str:
    """Return an SVG document with one panel for each title in ``panels``.

    Raises:
        ValueError: If there is no point.
    """
    width = _LEFT + len(panels) * (_WIDTH + _GAP) - _GAP + _RIGHT
    height = _TOP + _HEIGHT + _BOTTOM
    told = "; ".join(
        f"{name}, {family}: " + ", ".join(f"{x:.2g} s at {y:.2g} a day" for x, y in points)
        for name, curves in panels.items()
        for family, points in curves.items()
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-labelledby="title description" font-family="sans-serif" font-size="13">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(told)}</desc>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="16" y="26" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    for place, (name, curves) in enumerate(panels.items()):
        axes = _Axes(tuple(panels.values()), _LEFT + place * (_WIDTH + _GAP))
        lines += _grid(axes, name)
        for family, points in curves.items():
            lines += _curve(axes, points, _COLOURS[list(curves).index(family) % len(_COLOURS)])
    families = list(next(iter(panels.values())))
    for place, family in enumerate(families):
        x, colour = _LEFT + place * 150, _COLOURS[place % len(_COLOURS)]
        lines += [
            f'<rect x="{x}" y="40" width="12" height="12" fill="{colour}"/>',
            f'<text x="{x + 18}" y="51">{escape(family)}</text>',
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _grid(axes: _Axes, name: str) -> list[str]:
    left, bottom = axes.left, _TOP + _HEIGHT
    lines = [f'<text x="{left}" y="{_TOP - 10}" font-weight="bold">{escape(name)}</text>']
    for power in range(axes.x_low, axes.x_high + 1):
        x, _ = axes.at(10.0**power, 10.0**axes.y_low)
        lines += [
            f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#e9ecef"/>',
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" fill="#495057">'
            f"{10.0**power:g}</text>",
        ]
    for power in range(axes.y_low, axes.y_high + 1):
        _, y = axes.at(10.0**axes.x_low, 10.0**power)
        lines += [
            f'<line x1="{left}" y1="{y:.1f}" x2="{left + _WIDTH}" y2="{y:.1f}" stroke="#e9ecef"/>',
            f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#495057">'
            f"{10.0**power:g}</text>",
        ]
    middle = left + _WIDTH / 2
    lines.append(
        f'<text x="{middle:.0f}" y="{bottom + 42}" text-anchor="middle">'
        "median seconds until a step ×3 is seen</text>"
    )
    if left == _LEFT:
        y = _TOP + _HEIGHT / 2
        lines.append(
            f'<text x="24" y="{y:.0f}" text-anchor="middle" transform="rotate(-90 24 {y:.0f})">'
            "false alarms a day, 95 % upper bound</text>"
        )
    return lines


def _curve(axes: _Axes, points: Points, colour: str) -> list[str]:
    places = [axes.at(x, y) for x, y in sorted(points)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    lines = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
    return lines + [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in places]


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low = floor(log10(min(values)))
    return low, max(ceil(log10(max(values))), low + 1)
