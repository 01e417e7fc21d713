"""The page of metrics is the names, written out."""

from pathlib import Path

from steadyhand.telemetry.reference import metrics_page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "metrics.md"


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == metrics_page(), (
        "write it again: python -m steadyhand.telemetry.reference > docs/reference/metrics.md"
    )
