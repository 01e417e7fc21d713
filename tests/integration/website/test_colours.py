"""Text can be told from its background, in both schemes (WCAG 2.2, 1.4.3: a contrast of 4.5)."""

import re

import pytest

from tests.support.tree import ROOT

SHEET = (ROOT / "website" / "theme" / "assets" / "steadyhand.css").read_text(encoding="utf-8")
PAIRS = (
    ("default-fg-color", "default-bg-color"),
    ("default-fg-color--light", "default-bg-color"),
    ("typeset-a-color", "default-bg-color"),
    ("accent-fg-color", "default-bg-color"),
    ("primary-bg-color", "primary-fg-color"),
    ("primary-bg-color--light", "primary-fg-color"),
    ("code-fg-color", "code-bg-color"),
    ("code-hl-comment-color", "code-bg-color"),
    ("code-hl-punctuation-color", "code-bg-color"),
    ("code-hl-operator-color", "code-bg-color"),
    ("code-hl-generic-color", "code-bg-color"),
    ("code-hl-variable-color", "code-bg-color"),
    ("code-hl-string-color", "code-bg-color"),
    ("code-hl-number-color", "code-bg-color"),
    ("code-hl-keyword-color", "code-bg-color"),
    ("code-hl-function-color", "code-bg-color"),
    ("code-hl-constant-color", "code-bg-color"),
    ("code-hl-name-color", "code-bg-color"),
    ("code-hl-special-color", "code-bg-color"),
)


def colours(scheme: str) -> dict[str, str]:
    """Return what the sheet sets for one scheme."""
    block = SHEET.partition(f'[data-md-color-scheme="{scheme}"] {{')[2].partition("}")[0]
    return dict(re.findall(r"--md-([\w-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    """Return the relative luminance, from 0 to 1 (WCAG 2.2, definition of the term)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21 (WCAG 2.2, definition of the term)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["default", "slate"])
def test_text_stands_out(scheme: str) -> None:
    have = colours(scheme)
    ratios = {(text, ground): contrast(have[text], have[ground]) for text, ground in PAIRS}
    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5} == {}
