"""What it costs."""

from deploy.grafana.source.parts import Board, Panel, Query, Row, chosen, share, summed

_R = 'route=~"$route"'
_T = f'tenant=~"$tenant", {_R}'
_COST = "steadyhand_cost_usd_total"
_HOUR = " * 3600"

BOARD = Board(
    "steadyhand-cost",
    "Steadyhand: cost",
    "What tokens cost and who spends them, of models that have a price in the workspace. A model "
    "without one is not free but unknown.",
    (
        Row(
            "In all",
            (
                Panel(
                    "Spent in this time",
                    "US dollars in the time that is shown.",
                    "currencyUSD",
                    (Query(f"sum (increase({_COST}{{{chosen(_T)}}}[$__range]))", "spent"),),
                    width=8,
                    is_number=True,
                ),
                Panel(
                    "An hour, at this rate",
                    "US dollars that an hour would cost if it went on like now.",
                    "currencyUSD",
                    (Query(summed(_COST, _T) + _HOUR, "an hour"),),
                    width=8,
                    is_number=True,
                ),
                Panel(
                    "A thousand answers",
                    "US dollars for a thousand requests that were answered, hedges and late "
                    "answers included.",
                    "currencyUSD",
                    (
                        Query(
                            f"1000 * {summed(_COST, _T)} / ("
                            + summed("steadyhand_requests_total", f'{_T}, outcome="answered"')
                            + " > 0)",
                            "a thousand",
                        ),
                    ),
                    width=8,
                    is_number=True,
                ),
            ),
        ),
        Row(
            "Who and what",
            (
                Panel(
                    "By tenant",
                    "US dollars an hour.",
                    "currencyUSD",
                    (Query(summed(_COST, _T, "tenant") + _HOUR, "{{tenant}}"),),
                ),
                Panel(
                    "By route",
                    "US dollars an hour.",
                    "currencyUSD",
                    (Query(summed(_COST, _T, "route") + _HOUR, "{{route}}"),),
                    to_route=True,
                ),
                Panel(
                    "By model",
                    "US dollars an hour.",
                    "currencyUSD",
                    (
                        Query(
                            summed(_COST, _T, "provider, model") + _HOUR, "{{provider}}/{{model}}"
                        ),
                    ),
                    to_provider=True,
                ),
                Panel(
                    "Tokens",
                    "Tokens a second as providers counted them; the directions do not overlap.",
                    "cps",
                    (Query(summed("steadyhand_tokens_total", _T, "direction"), "{{direction}}"),),
                ),
            ),
        ),
        Row(
            "Beside the answers",
            (
                Panel(
                    "Tokens in no answer",
                    "What reliability costs: tokens of hedges, drills and late answers, by what "
                    "they were spent on.",
                    "cps",
                    (
                        Query(
                            summed("steadyhand_extra_tokens_total", _R, "role, direction"),
                            "{{role}} {{direction}}",
                        ),
                    ),
                ),
                Panel(
                    "Cache hits",
                    "Part of the looks into a tier of the cache that found an answer.",
                    "percentunit",
                    (
                        Query(
                            share(
                                summed("steadyhand_cache_lookups_total", 'outcome="hit"', "tier"),
                                summed("steadyhand_cache_lookups_total", by="tier"),
                            ),
                            "{{tier}}",
                        ),
                    ),
                    most=1,
                ),
            ),
        ),
    ),
    (("tenant", "steadyhand_requests_total"), ("route", "steadyhand_requests_total")),
)
