from pathlib import Path

from steadyhand.simulation.behaviour import BEHAVIOURS
from steadyhand.simulation.reference import listing, page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "simulated-models.md"


def test_the_page_is_what_the_tables_say() -> None:
    hint = f"python -m steadyhand.simulation.reference > {PAGE.name}"
    assert PAGE.read_text(encoding="utf-8") == page(), hint


def test_the_listing_names_every_behaviour() -> None:
    assert [line.split()[0] for line in listing().splitlines()] == list(BEHAVIOURS)
