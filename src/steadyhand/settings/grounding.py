"""Read ``[grounding]``: which answers are sampled and checked."""

from collections.abc import Collection

from steadyhand.evals.grounding.settings import GroundingSettings
from steadyhand.settings import sections
from steadyhand.settings.document import Document, Report
from steadyhand.settings.problems import nearest

GROUNDING = "grounding"


def read_grounding(
    document: Document, routes: Collection[str], collections: Collection[str], report: Report
) -> GroundingSettings | None:
    """Return ``[grounding]``; the routes and collections that it names must be there.

    A workspace that follows another one has no routes of its own, and may name any.
    """
    found = sections.read_section(GroundingSettings, GROUNDING, document, report)
    if found is None or not routes:
        return found
    for name in found.routes.keys() - set(routes):
        _unknown(document, ("routes", name), name, routes, report)
    judge = found.judge.route
    if judge is not None and judge not in routes:
        _unknown(document, ("judge", "route"), judge, routes, report)
    for name, route in found.routes.items():
        for missing in set(route.collections) - set(collections):
            report.add(
                "E0307",
                document,
                (GROUNDING, "routes", name, "collections"),
                f"there is no collection {missing!r}",
                nearest=nearest(missing, collections),
                hint=f"add answers/{missing}/, or remove it here",
            )
    return found


def _unknown(
    document: Document,
    place: tuple[str, str],
    name: str,
    routes: Collection[str],
    report: Report,
) -> None:
    report.add(
        "E0307",
        document,
        (GROUNDING, *place),
        f"there is no route {name!r}",
        nearest=nearest(name, routes),
        hint=f"add routes/{name}.toml, or remove it here",
    )
