"""What a dashboard consists of here, and how the Grafana Foundation SDK is told.

Every dashboard has the same variables: the data source, the scrape job, so that installations
share a Grafana, and if it links to runbooks, the address of the documentation. A query
says ``$job`` by :data:`J`. Rates are over ``$__rate_interval``, which Grafana keeps above four
scrapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from grafana_foundation_sdk.builders import common, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

J: Final = 'job=~"$job"'
W: Final = "$__rate_interval"
COLUMNS: Final = 24
DOCS: Final = "https://wiki.example/steadyhand"
SOURCE: Final = models.DataSourceRef(type_val="prometheus", uid="${datasource}")

Unit = Literal[
    "reqps",
    "percentunit",
    "s",
    "short",
    "ops",
    "currencyUSD",
    "bytes",
    "bool_yes_no",
    "cps",
    "none",
]


@dataclass(frozen=True)
class Query:
    """One query.

    Attributes:
        expr: PromQL.
        legend: Of each series, with labels as ``{{label}}``.
    """

    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        title: Unique in its dashboard.
        says: How to read it, for somebody who sees it first at night.
        unit: Of its values, by Grafana's name.
        queries: What it shows.
        alerts: Alerts whose runbooks it links to.
        to_route: Whether a series has a route, to whose dashboard a click leads.
        to_provider: Whether a series has a provider, the same.
        width: Columns of 24.
        is_number: One number in place of a curve.
        most: The highest value that there can be, if there is one.
    """

    title: str
    says: str
    unit: Unit
    queries: Sequence[Query]
    alerts: Sequence[str] = ()
    to_route: bool = False
    to_provider: bool = False
    width: int = 12
    is_number: bool = False
    most: float | None = None


@dataclass(frozen=True)
class Row:
    """Panels below a heading; they fill lines of 24 columns."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Board:
    """One dashboard.

    Attributes:
        uid: Names it in addresses, and its file.
        title: For people.
        says: What it answers.
        rows: In order.
        choices: Variable → the metric whose label of that name gives its values.
    """

    uid: str
    title: str
    says: str
    rows: Sequence[Row]
    choices: Sequence[tuple[str, str]] = ()


def rate(metric: str, labels: str = "") -> str:
    """Return the rate of a counter in the chosen jobs."""
    return f"rate({metric}{{{chosen(labels)}}}[{W}])"


def chosen(labels: str = "") -> str:
    """Return label matchers, the job's among them."""
    return f"{J}, {labels}" if labels else J


def summed(metric: str, labels: str = "", by: str = "") -> str:
    """Return the sum of rates, by labels."""
    return f"sum{f' by ({by})' if by else ''} ({rate(metric, labels)})"


def share(part: str, whole: str) -> str:
    """Return a part of a whole, both summed by the same labels; 0 where there is no such part."""
    return f"({part} or 0 * {whole}) / ({whole} > 0)"


def quantile(level: float, metric: str, labels: str = "", by: str = "") -> str:
    """Return a quantile of a histogram."""
    labels_of = f"le, {by}" if by else "le"
    return f"histogram_quantile({level}, {summed(f'{metric}_bucket', labels, labels_of)})"


def built(board: Board) -> models.Dashboard:
    """Return what Grafana reads."""
    made = (
        builders.Dashboard(board.title)
        .uid(board.uid)
        .description(board.says)
        .tags(["steadyhand"])
        .editable()
        .refresh("30s")
        .time("now-1h", "now")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(_others())
    )
    for variable in _variables(board):
        made = made.with_variable(variable)
    y = 0
    number = 0
    for row in board.rows:
        number += 1
        made = made.with_row(builders.Row(row.title).id(number).grid_pos(_at(0, y, COLUMNS, 1)))
        y, x, height = y + 1, 0, 0
        for panel in row.panels:
            number += 1
            if x + panel.width > COLUMNS:
                y, x, height = y + height, 0, 0
            place = _at(x, y, panel.width, 4 if panel.is_number else 8)
            made = made.with_panel(_panel(panel, number, place))
            x, height = x + panel.width, max(height, place.h)
        y += height
    return made.build()


def _at(x: int, y: int, width: int, height: int) -> models.GridPos:
    return models.GridPos(h=height, w=width, x=x, y=y)


def _others() -> builders.DashboardLink:
    return (
        builders.DashboardLink("Steadyhand")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags(["steadyhand"])
        .as_dropdown(True)  # noqa: FBT003 - the SDK's own
        .keep_time(True)  # noqa: FBT003
        .include_vars(True)  # noqa: FBT003
    )


def _variables(
    board: Board,
) -> Sequence[builders.DatasourceVariable | builders.QueryVariable | builders.TextBoxVariable]:
    has_runbooks = any(panel.alerts for row in board.rows for panel in row.panels)
    docs = builders.TextBoxVariable("docs").label("Documentation").default_value(DOCS)
    return [
        builders.DatasourceVariable("datasource").label("Prometheus").type("prometheus"),
        _choice("job", "steadyhand_gateway_up", "").label("Installation"),
        *(_choice(name, metric, J).label(name.capitalize()) for name, metric in board.choices),
        *([docs] if has_runbooks else []),
    ]


def _choice(name: str, metric: str, labels: str) -> builders.QueryVariable:
    return (
        builders.QueryVariable(name)
        .datasource(SOURCE)
        .query(f"label_values({metric}{{{labels}}}, {name})")
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)  # noqa: FBT003 - the SDK's own
        .include_all(True)  # noqa: FBT003
        .all_value(".+")
        .current(models.VariableOption(text="All", value="$__all", selected=True))
    )


def _panel(panel: Panel, number: int, place: models.GridPos) -> stat.Panel | timeseries.Panel:
    made = _number(panel) if panel.is_number else _curve(panel)
    made.id(number).title(panel.title).description(panel.says).datasource(SOURCE)
    made.grid_pos(place).unit(panel.unit).links(_links(panel)).data_links(_clicks(panel))
    if panel.most is not None:
        made.max(panel.most)
    for letter, query in zip("ABCDEFGH", panel.queries, strict=False):
        made.with_target(
            Dataquery()
            .ref_id(letter)
            .datasource(SOURCE)
            .expr(query.expr)
            .legend_format(query.legend)
            .range()
        )
    return made


def _number(panel: Panel) -> stat.Panel:
    reduced = common.ReduceDataOptions().calcs(["lastNotNull"])
    made = stat.Panel().reduce_options(reduced)
    return made.graph_mode(common_models.BigValueGraphMode.AREA)


def _curve(panel: Panel) -> timeseries.Panel:
    legend = (
        common.VizLegendOptions()
        .show_legend(True)  # noqa: FBT003 - the SDK's own
        .display_mode(common_models.LegendDisplayMode.LIST)
        .placement(common_models.LegendPlacement.BOTTOM)
    )
    tooltip = common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI)
    return timeseries.Panel().min(0).fill_opacity(10).legend(legend).tooltip(tooltip)


def _links(panel: Panel) -> list[Builder[models.DashboardLink]]:
    return [
        builders.DashboardLink(f"Runbook of {alert}")
        .type(models.DashboardLinkType.LINK)
        .url(f"${{docs:raw}}/docs/operations/on-call.md#{alert.lower()}")
        .target_blank(True)  # noqa: FBT003 - the SDK's own
        for alert in panel.alerts
    ]


def _clicks(panel: Panel) -> list[Builder[models.DashboardLink]]:
    wanted = [
        name
        for name, leads in (("route", panel.to_route), ("provider", panel.to_provider))
        if leads
    ]
    return [
        builders.DashboardLink(f"This {name}")
        .type(models.DashboardLinkType.LINK)
        .url(
            f"/d/steadyhand-{name}?var-{name}=${{__field.labels.{name}}}"
            "&${datasource:queryparam}&${job:queryparam}&${__url_time_range}"
        )
        for name in wanted
    ]
