"""Read ``[objectives]`` and ``[prices]``: what is promised, and what tokens cost."""

from collections.abc import Collection, Mapping
from pathlib import Path

from steadyhand.objectives.settings import ObjectivesSettings
from steadyhand.records.prices import Price, Prices
from steadyhand.settings import sections
from steadyhand.settings.document import Document, Report, parse
from steadyhand.settings.overrides import overlay
from steadyhand.settings.problems import InvalidWorkspace, nearest
from steadyhand.settings.tables import PriceSettings
from steadyhand.settings.validation import check_table

OBJECTIVES = "objectives"
PRICES = "prices"


def read_objectives(
    document: Document, routes: Collection[str] | None, report: Report
) -> ObjectivesSettings | None:
    """Return ``[objectives]``; routes that it names are checked if they are given."""
    found = sections.read_section(ObjectivesSettings, OBJECTIVES, document, report)
    if found is None or routes is None:
        return found
    for name in found.routes.keys() - set(routes):
        report.add(
            "E0307",
            document,
            (OBJECTIVES, "routes", name),
            f"there is no route {name!r}",
            nearest=nearest(name, routes),
            hint=f"add routes/{name}.toml, or remove its objectives",
        )
    return found


def read_prices(document: Document, providers: Collection[str], report: Report) -> Prices:
    """Return (provider, model) → price. A model's name may have slashes, a provider's has none."""
    tables = document.values.get(PRICES, {})
    if not isinstance(tables, dict):
        report.add("E0105", document, (PRICES,), f"{PRICES}: must hold tables")
        return {}
    found: dict[tuple[str, str], Price] = {}
    for name, table in tables.items():
        place = (PRICES, name)
        provider, _, model = name.partition("/")
        if provider not in providers or not model:
            report.add(
                "E0301",
                document,
                place,
                f"{name!r} is no provider and model",
                nearest=nearest(provider, providers),
                hint='write [prices."<provider>/<model>"]',
            )
            continue
        if not isinstance(table, dict):
            report.add("E0105", document, place, f"{PRICES}.{name}: must be a table")
            continue
        price = check_table(PriceSettings, table, document, place, report)
        if price is not None:
            found[provider, model] = Price(**price.model_dump())
    return found


def load_objectives(
    root: Path, environment: Mapping[str, str]
) -> tuple[ObjectivesSettings, Prices]:
    """Return both of a workspace alone, whatever else is wrong with it.

    Raises:
        InvalidWorkspace: They have mistakes, or there is no such file.
    """
    report = Report()
    text = sections.read_main_text(root, report)
    document = None if text is None else parse(sections.FILE, text, report)
    if document is not None:
        document = overlay(document, sections.NAMES, environment, {}, report)
    if document is None or report.problems:
        raise InvalidWorkspace(report.problems)
    objectives = read_objectives(document, None, report)
    providers = document.values.get("providers", {})
    prices = read_prices(document, providers if isinstance(providers, dict) else (), report)
    if objectives is None or report.problems:
        raise InvalidWorkspace(report.problems)
    return objectives, prices
