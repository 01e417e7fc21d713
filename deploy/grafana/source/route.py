"""How one route does."""

from deploy.grafana.source.parts import Board, Panel, Query, Row, chosen, quantile, share, summed

_R = 'route=~"$route"'
_ANSWERABLE = f'{_R}, outcome!="rejected"'
_ALL = summed("steadyhand_requests_total", _ANSWERABLE, "route")
_EVENTS = summed("steadyhand_objective_events_total", _R, "route, objective")

BOARD = Board(
    "steadyhand-route",
    "Steadyhand: route",
    "What users of a route get, from which rung, how late, and what is left of what was promised.",
    (
        Row(
            "Answers",
            (
                Panel(
                    "Outcomes",
                    "How requests of the route ended.",
                    "reqps",
                    (
                        Query(
                            summed("steadyhand_requests_total", _R, "route, outcome"),
                            "{{route}} {{outcome}}",
                        ),
                    ),
                ),
                Panel(
                    "Who answers",
                    "Requests by the kind of rung that answered: live models, cache, curated "
                    "answers, or a floor.",
                    "reqps",
                    (
                        Query(
                            summed("steadyhand_requests_total", _ANSWERABLE, "route, rung"),
                            "{{route}} {{rung}}",
                        ),
                    ),
                ),
                Panel(
                    "Why not a model",
                    "Requests that got a floor or an error, by the reason; `steadyhand explain "
                    "REASON` says what each means.",
                    "reqps",
                    (
                        Query(
                            summed(
                                "steadyhand_requests_total",
                                f'{_R}, outcome=~"floor|failed"',
                                "route, outcome, reason",
                            ),
                            "{{route}} {{outcome}} {{reason}}",
                        ),
                    ),
                    alerts=("SteadyhandFloorSpeaks",),
                ),
                Panel(
                    "Planned around",
                    "Rungs that a request could have tried and did not, by why: they are known "
                    "to be broken, or too slow for the budget.",
                    "ops",
                    (
                        Query(
                            summed(
                                "steadyhand_planned_around_total",
                                _R,
                                "route, kind, provider, model, reason",
                            ),
                            "{{route}} {{kind}} {{provider}}/{{model}} {{reason}}",
                        ),
                    ),
                    to_provider=True,
                ),
                Panel(
                    "Proven rungs",
                    "1 while a drill or a request has lately shown that the rung answers. At 0 "
                    "it is planned around: the ladder is shorter than you think.",
                    "none",
                    (
                        Query(
                            "min by (route, rung, kind, provider, model)"
                            f" (steadyhand_rung_proven{{{chosen(_R)}}})",
                            "{{route}} {{rung}} {{kind}} {{provider}}/{{model}}",
                        ),
                    ),
                    alerts=("SteadyhandRungNotProven",),
                    to_provider=True,
                    most=1,
                ),
                Panel(
                    "Answers broken off",
                    "Answers a second that ended after their first content, by who was answering.",
                    "ops",
                    (
                        Query(
                            summed(
                                "steadyhand_truncated_answers_total",
                                _R,
                                "route, provider, model, reason",
                            ),
                            "{{route}} {{provider}}/{{model}} {{reason}}",
                        ),
                    ),
                    alerts=("SteadyhandAnswersTruncated",),
                    to_provider=True,
                ),
            ),
        ),
        Row(
            "Latency",
            (
                Panel(
                    "First content",
                    "Time until the first content of a stream, half and 95 of 100.",
                    "s",
                    tuple(
                        Query(
                            quantile(level, "steadyhand_first_content_seconds", _R, "route"),
                            f"{{{{route}}}} {name}",
                        )
                        for level, name in ((0.5, "p50"), (0.95, "p95"))
                    ),
                ),
                Panel(
                    "Whole answers",
                    "Time until the last byte, half and 95 of 100.",
                    "s",
                    tuple(
                        Query(
                            quantile(level, "steadyhand_request_duration_seconds", _R, "route"),
                            f"{{{{route}}}} {name}",
                        )
                        for level, name in ((0.5, "p50"), (0.95, "p95"))
                    ),
                ),
                Panel(
                    "Late answers",
                    "Part of the answers that came after their budget. It should be nothing: the "
                    "floor is there for that.",
                    "percentunit",
                    (
                        Query(
                            share(
                                summed("steadyhand_late_answers_total", _R, "route"),
                                summed("steadyhand_request_duration_seconds_count", _R, "route"),
                            ),
                            "{{route}}",
                        ),
                    ),
                    most=1,
                ),
            ),
        ),
        Row(
            "Grounding",
            (
                Panel(
                    "Ungrounded answers",
                    "Part of the measured samples that do not stand in what the model was given, "
                    "of those that are kept, with the ends of its 95 % interval. A proxy for "
                    "hallucination: look at its changes.",
                    "percentunit",
                    tuple(
                        Query(
                            f"max by (route, release) ({metric}{{{chosen(_R)}}})",
                            f"{{{{route}}}} {{{{release}}}} {name}",
                        )
                        for metric, name in (
                            ("steadyhand_grounding_ungrounded_ratio", "share"),
                            ("steadyhand_grounding_ungrounded_low_ratio", "at least"),
                            ("steadyhand_grounding_ungrounded_high_ratio", "at most"),
                        )
                    ),
                    alerts=("SteadyhandAnswersUngrounded",),
                    most=1,
                ),
                Panel(
                    "Samples by verdict",
                    "Sampled answers a second by what they were found to be. Not measured is "
                    "neither good nor bad.",
                    "ops",
                    (
                        Query(
                            summed("steadyhand_grounding_checked_total", _R, "route, verdict"),
                            "{{route}} {{verdict}}",
                        ),
                    ),
                ),
                Panel(
                    "Not measured",
                    "Samples a second that could not be measured, by why: label the context if it "
                    "is no_context.",
                    "ops",
                    (
                        Query(
                            summed("steadyhand_grounding_unmeasured_total", _R, "route, reason"),
                            "{{route}} {{reason}}",
                        ),
                    ),
                ),
            ),
        ),
        Row(
            "Promises",
            (
                Panel(
                    "Missed",
                    "Part of what counts for an objective that missed it.",
                    "percentunit",
                    (
                        Query(
                            share(
                                summed(
                                    "steadyhand_objective_bad_events_total", _R, "route, objective"
                                ),
                                _EVENTS,
                            ),
                            "{{route}} {{objective}}",
                        ),
                    ),
                    alerts=("SteadyhandFewAreBad", "SteadyhandFewAreBadSlowly"),
                    most=1,
                ),
                Panel(
                    "Burn rate",
                    "How many times as fast as it may the error budget is spent: at 1 it lasts "
                    "exactly its period; 14.4 for an hour calls somebody.",
                    "none",
                    (
                        Query(
                            share(
                                summed(
                                    "steadyhand_objective_bad_events_total", _R, "route, objective"
                                ),
                                _EVENTS,
                            )
                            + " / (1 - max by (route, objective)"
                            f" (steadyhand_objective_target_ratio{{{chosen(_R)}}}))",
                            "{{route}} {{objective}}",
                        ),
                    ),
                    alerts=("SteadyhandBudgetBurns", "SteadyhandBudgetBurnsSlowly"),
                ),
                Panel(
                    "Budget left",
                    "Part of the period's error budget that is left.",
                    "percentunit",
                    (
                        Query(
                            "min by (route, objective)"
                            f" (steadyhand_objective_budget_left_ratio{{{chosen(_R)}}})",
                            "{{route}} {{objective}}",
                        ),
                    ),
                    alerts=("SteadyhandBudgetSpent",),
                    most=1,
                ),
            ),
        ),
    ),
    (("route", "steadyhand_requests_total"),),
)
