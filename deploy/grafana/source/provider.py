"""How what is called does."""

from deploy.grafana.source.parts import Board, Panel, Query, Row, chosen, quantile, share, summed

_P = 'provider=~"$provider"'
_BY = "provider, model"
_NAME = "{{provider}}/{{model}}"
_TRIED = summed("steadyhand_attempts_total", _P, _BY)

BOARD = Board(
    "steadyhand-provider",
    "Steadyhand: provider",
    "Whether a provider answers, how fast, and what the gateways make of it: breaker, share, "
    "hedges, connections.",
    (
        Row(
            "Answers",
            (
                Panel(
                    "Tries",
                    "Tries of each deployment, by how they ended; `ok` answered.",
                    "reqps",
                    (
                        Query(
                            summed("steadyhand_attempts_total", _P, f"{_BY}, reason"),
                            f"{_NAME} {{{{reason}}}}",
                        ),
                    ),
                ),
                Panel(
                    "Failed tries",
                    "Part of the tries of a deployment that did not answer.",
                    "percentunit",
                    (
                        Query(
                            share(
                                summed("steadyhand_attempts_total", f'{_P}, reason!="ok"', _BY),
                                _TRIED,
                            ),
                            _NAME,
                        ),
                    ),
                    alerts=("SteadyhandBreakerOpen",),
                    most=1,
                ),
                Panel(
                    "Time of a try, 95 of 100",
                    "Start to end of one try.",
                    "s",
                    (Query(quantile(0.95, "steadyhand_attempt_duration_seconds", _P, _BY), _NAME),),
                ),
                Panel(
                    "Learned latency",
                    "What the planner reckons with: to the first content of a stream, or of a "
                    "whole answer.",
                    "s",
                    (
                        Query(
                            f"max by ({_BY}, region, measure, quantile)"
                            f" (steadyhand_deployment_latency_seconds{{{chosen(_P)}}})",
                            f"{_NAME} {{{{measure}}}} {{{{quantile}}}}",
                        ),
                    ),
                ),
            ),
        ),
        Row(
            "Health",
            (
                Panel(
                    "Breakers open",
                    "Gateway processes whose circuit breaker of the deployment is open: they do "
                    "not ask it, but for probes.",
                    "none",
                    (
                        Query(
                            f"sum by ({_BY}, region)"
                            f' (steadyhand_deployment_state{{{chosen(_P)}, state="open"}})',
                            f"{_NAME} {{{{region}}}}",
                        ),
                    ),
                    alerts=("SteadyhandBreakerOpen",),
                ),
                Panel(
                    "Openings and probes",
                    "Times that a breaker opened, by why, and probes of whether the deployment "
                    "is well again.",
                    "ops",
                    (
                        Query(
                            summed("steadyhand_breaker_openings_total", _P, f"{_BY}, reason"),
                            f"{_NAME} opened, {{{{reason}}}}",
                        ),
                        Query(
                            summed("steadyhand_breaker_probes_total", _P, f"{_BY}, outcome"),
                            f"{_NAME} probe {{{{outcome}}}}",
                        ),
                    ),
                ),
                Panel(
                    "Share",
                    "Part of the requests that the deployment is given; below 1 after errors or "
                    "drift.",
                    "percentunit",
                    (
                        Query(
                            f"min by ({_BY}, region) (steadyhand_deployment_share{{{chosen(_P)}}})",
                            f"{_NAME} {{{{region}}}}",
                        ),
                    ),
                    most=1,
                ),
                Panel(
                    "Latency drift",
                    "Latency now over that of the reference window: at 1 it is as it was.",
                    "none",
                    (
                        Query(
                            f"max by ({_BY}, region) "
                            f"(steadyhand_latency_drift_ratio{{{chosen(_P)}}})",
                            f"{_NAME} {{{{region}}}}",
                        ),
                    ),
                    alerts=("SteadyhandLatencyDrift",),
                ),
                Panel(
                    "Kept away",
                    "Requests kept from a deployment, by why.",
                    "reqps",
                    (
                        Query(
                            summed("steadyhand_deployment_kept_away_total", _P, f"{_BY}, reason"),
                            f"{_NAME} {{{{reason}}}}",
                        ),
                    ),
                ),
                Panel(
                    "Being answered",
                    "Requests that a deployment is answering.",
                    "short",
                    (
                        Query(
                            f"sum by ({_BY}, region) "
                            f"(steadyhand_deployment_in_flight{{{chosen(_P)}}})",
                            f"{_NAME} {{{{region}}}}",
                        ),
                    ),
                ),
            ),
        ),
        Row(
            "Around it",
            (
                Panel(
                    "Hedges",
                    "Second attempts beside a slow first one, by how they ended, and those that "
                    "the shared budget refused.",
                    "ops",
                    (
                        Query(summed("steadyhand_hedges_total", by="outcome"), "{{outcome}}"),
                        Query(
                            summed("steadyhand_hedges_refused_total", by="reason"),
                            "refused, {{reason}}",
                        ),
                    ),
                ),
                Panel(
                    "Connections",
                    "Connections to all providers, by state, and requests that wait for one.",
                    "short",
                    (
                        Query(
                            f"sum by (state) (steadyhand_upstream_connections{{{chosen()}}})",
                            "{{state}}",
                        ),
                        Query(f"sum (steadyhand_upstream_waiting{{{chosen()}}})", "waiting"),
                    ),
                ),
                Panel(
                    "Connections that never stood",
                    "By reason: the name, the socket, its time, or TLS.",
                    "ops",
                    (
                        Query(
                            summed("steadyhand_upstream_connect_failures_total", by="reason"),
                            "{{reason}}",
                        ),
                    ),
                ),
                Panel(
                    "Cache tiers",
                    "1 while a tier of the cache is used; at 0 its backend fails and it is "
                    "passed over.",
                    "none",
                    (
                        Query(
                            f"min by (tier, backend) (steadyhand_cache_tier_up{{{chosen()}}})",
                            "{{tier}} {{backend}}",
                        ),
                    ),
                    alerts=("SteadyhandCacheTierFails",),
                    most=1,
                ),
                Panel(
                    "Dependencies that fail",
                    "Calls that failed to what stored answers come from; the ladder went on.",
                    "ops",
                    (
                        Query(
                            summed("steadyhand_dependency_failures_total", by="dependency, reason"),
                            "{{dependency}} {{reason}}",
                        ),
                    ),
                    alerts=("SteadyhandDependencyFails",),
                ),
            ),
        ),
    ),
    (("provider", "steadyhand_attempts_total"),),
)
