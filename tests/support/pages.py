"""Write the generated pages of the documentation: ``python -m tests.support.pages``."""

from pathlib import Path

from steadyhand.telemetry.reference import metrics_page

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


def main() -> None:
    REFERENCE.mkdir(parents=True, exist_ok=True)
    (REFERENCE / "metrics.md").write_text(metrics_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
