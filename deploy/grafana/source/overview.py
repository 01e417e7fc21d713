"""Is it well, and if not, where to look."""

from deploy.grafana.source.parts import Board, Panel, Query, Row, chosen, quantile, share, summed

_ALL = summed("steadyhand_requests_total", 'outcome!="rejected"')
_ALL_BY_ROUTE = summed("steadyhand_requests_total", 'outcome!="rejected"', "route")


def _part(outcome: str, by: str = "") -> str:
    return summed("steadyhand_requests_total", f'outcome="{outcome}"', by)


BOARD = Board(
    "steadyhand-overview",
    "Steadyhand: overview",
    "Whether users get answers, whether promises are kept, and which route, provider or process "
    "to look at.",
    (
        Row(
            "Now",
            (
                Panel(
                    "Requests",
                    "Requests a second that a key was allowed to ask.",
                    "reqps",
                    (Query(_ALL, "requests"),),
                    width=6,
                    is_number=True,
                ),
                Panel(
                    "Prepared answers",
                    "Part of the requests that got the floor: models failed, and users were "
                    "answered all the same.",
                    "percentunit",
                    (Query(share(_part("floor"), _ALL), "floor"),),
                    width=6,
                    is_number=True,
                ),
                Panel(
                    "Errors",
                    "Part of the requests that got an error from here. It should be nothing.",
                    "percentunit",
                    (Query(share(_part("failed"), _ALL), "failed"),),
                    width=6,
                    is_number=True,
                ),
                Panel(
                    "Alerts",
                    "Alerts of Steadyhand that fire in this Prometheus.",
                    "none",
                    (
                        Query(
                            'count(ALERTS{alertstate="firing", alertname=~"Steadyhand.*"})'
                            " or vector(0)",
                            "firing",
                        ),
                    ),
                    width=6,
                    is_number=True,
                ),
            ),
        ),
        Row(
            "Users",
            (
                Panel(
                    "Requests by outcome",
                    "How requests ended. Floors instead of answers mean that a provider fails.",
                    "reqps",
                    (
                        Query(
                            summed("steadyhand_requests_total", by="outcome"),
                            "{{outcome}}",
                        ),
                    ),
                ),
                Panel(
                    "Prepared answers by route",
                    "Part of a route's requests that got the floor. A click leads to the route.",
                    "percentunit",
                    (Query(share(_part("floor", "route"), _ALL_BY_ROUTE), "{{route}}"),),
                    alerts=("SteadyhandFloorSpeaks",),
                    to_route=True,
                    most=1,
                ),
                Panel(
                    "First content, 95 of 100",
                    "Time until the first content of a stream that 95 of 100 requests keep, by "
                    "route.",
                    "s",
                    (
                        Query(
                            quantile(0.95, "steadyhand_first_content_seconds", by="route"),
                            "{{route}}",
                        ),
                    ),
                    to_route=True,
                ),
                Panel(
                    "Whole answers, 95 of 100",
                    "Time until the last byte of an answer that 95 of 100 requests keep, by route.",
                    "s",
                    (
                        Query(
                            quantile(0.95, "steadyhand_request_duration_seconds", by="route"),
                            "{{route}}",
                        ),
                    ),
                    to_route=True,
                ),
                Panel(
                    "Error budget left",
                    "Part of the period's error budget that a route has left for what it "
                    "promises. Below 0, rollouts wait.",
                    "percentunit",
                    (
                        Query(
                            f"min by (route, objective) "
                            f"(steadyhand_objective_budget_left_ratio{{{chosen()}}})",
                            "{{route}} {{objective}}",
                        ),
                    ),
                    alerts=("SteadyhandBudgetSpent", "SteadyhandBudgetBurnsSlowly"),
                    to_route=True,
                    most=1,
                ),
                Panel(
                    "Broken off",
                    "Part of a route's answers that ended after their first content; clients "
                    "were told so in the stream.",
                    "percentunit",
                    (
                        Query(
                            share(
                                summed("steadyhand_truncated_answers_total", by="route"),
                                _ALL_BY_ROUTE,
                            ),
                            "{{route}}",
                        ),
                    ),
                    alerts=("SteadyhandAnswersTruncated",),
                    to_route=True,
                    most=1,
                ),
            ),
        ),
        Row(
            "Processes",
            (
                Panel(
                    "Gateway processes",
                    "1 for each that lives and reports, and for each whose health is known.",
                    "none",
                    (
                        Query(
                            f"steadyhand_gateway_up{{{chosen()}}}", "{{instance}}/{{process}} up"
                        ),
                        Query(
                            f"steadyhand_status_fresh{{{chosen()}}}",
                            "{{instance}}/{{process}} known",
                        ),
                    ),
                    alerts=("SteadyhandGatewayDown", "SteadyhandStatusUnknown"),
                    most=1,
                ),
                Panel(
                    "Control planes",
                    "1 for each control plane that answers the scrape. At 0, nothing on this "
                    "page is known; answers go on.",
                    "none",
                    (Query(f"up{{{chosen()}}}", "{{instance}}"),),
                    alerts=("SteadyhandBlind",),
                    most=1,
                ),
                Panel(
                    "In flight",
                    "Requests being answered, by process.",
                    "short",
                    (
                        Query(
                            f"steadyhand_requests_in_flight{{{chosen()}}}",
                            "{{instance}}/{{process}}",
                        ),
                    ),
                ),
                Panel(
                    "Refused as overloaded",
                    "Requests that were refused with 503 because they did not fit, by why.",
                    "reqps",
                    (
                        Query(
                            summed("steadyhand_http_overload_refused_total", by="process, reason"),
                            "{{process}} {{reason}}",
                        ),
                    ),
                    alerts=("SteadyhandOverloaded",),
                ),
                Panel(
                    "Starts and stale snapshots",
                    "Gateway processes that were started again, by why, and publications that "
                    "could not be taken over.",
                    "ops",
                    (
                        Query(
                            summed("steadyhand_gateway_restarts_total", by="process, reason"),
                            "{{process}} {{reason}}",
                        ),
                        Query(
                            summed("steadyhand_snapshot_reload_failures_total", by="process"),
                            "{{process}} stale",
                        ),
                    ),
                    alerts=("SteadyhandGatewayCrashes", "SteadyhandSnapshotStale"),
                ),
                Panel(
                    "Records wait",
                    "Age of the oldest record that waits for the database.",
                    "s",
                    (Query(f"steadyhand_shipper_lag_seconds{{{chosen()}}}", "{{instance}}"),),
                    alerts=("SteadyhandRecordsLate",),
                ),
                Panel(
                    "Records lost",
                    "Records a second that were dropped because the log had reached its bound. "
                    "It should be nothing.",
                    "ops",
                    (
                        Query(
                            summed("steadyhand_record_log_dropped_total", by="process, reason"),
                            "{{process}} {{reason}}",
                        ),
                    ),
                    alerts=("SteadyhandRecordsLost",),
                ),
                Panel(
                    "Traces wait",
                    "Age of the oldest span that waits for the receiver of traces.",
                    "s",
                    (Query(f"steadyhand_trace_lag_seconds{{{chosen()}}}", "{{instance}}"),),
                    alerts=("SteadyhandTracesLate",),
                ),
                Panel(
                    "Traces lost",
                    "Entries a second that waited for too long, and spans that the receiver "
                    "refused: neither is sent again.",
                    "ops",
                    (
                        Query(summed("steadyhand_trace_entries_given_up_total"), "given up"),
                        Query(
                            summed("steadyhand_trace_spans_total", 'result="rejected"'), "rejected"
                        ),
                    ),
                    alerts=("SteadyhandTracesLost",),
                ),
                Panel(
                    "Samples lost",
                    "Samples of answers a second that were drawn and dropped, because too many "
                    "waited to be checked. Answers are well.",
                    "ops",
                    (
                        Query(
                            summed(
                                "steadyhand_grounding_samples_total", 'result="dropped"', "process"
                            ),
                            "{{process}}",
                        ),
                    ),
                    alerts=("SteadyhandSamplesLost",),
                ),
                Panel(
                    "Messages wait",
                    "Age of the oldest message that a webhook has not taken: whoever listens "
                    "there hears of no alert.",
                    "s",
                    (
                        Query(
                            f"max by (webhook) "
                            f"(steadyhand_alert_messages_oldest_seconds{{{chosen()}}})",
                            "{{webhook}}",
                        ),
                    ),
                    alerts=("SteadyhandMessagesWait",),
                ),
            ),
        ),
    ),
)
