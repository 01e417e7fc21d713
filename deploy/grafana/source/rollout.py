"""How releases go out."""

from deploy.grafana.source.parts import Board, Panel, Query, Row, chosen, share, summed

_R = 'route=~"$route"'
_BY = "channel, route, arm"
_ARM = "{{channel}} {{route}} {{arm}}"
_ALL = summed("steadyhand_released_requests_total", _R, _BY)


def _part(outcome: str) -> str:
    return summed("steadyhand_released_requests_total", f'{_R}, outcome="{outcome}"', _BY)


BOARD = Board(
    "steadyhand-rollout",
    "Steadyhand: rollout",
    "What candidates do beside stable, what rollouts decided, and whether one waits for a person.",
    (
        Row(
            "Now",
            (
                Panel(
                    "Open rollouts",
                    "Rollouts that are not over. Without a number the database does not answer.",
                    "none",
                    (Query(f"sum (steadyhand_rollouts_open{{{chosen()}}})", "open"),),
                    width=6,
                    is_number=True,
                ),
                Panel(
                    "Wait for you",
                    "Open rollouts whose last verdict calls a person.",
                    "none",
                    (
                        Query(
                            f"sum (steadyhand_rollouts_waiting{{{chosen(_R)}}})"
                            f" or 0 * sum (steadyhand_rollouts_open{{{chosen()}}})",
                            "waiting",
                        ),
                    ),
                    alerts=("SteadyhandRolloutNeedsYou",),
                    width=6,
                    is_number=True,
                ),
                Panel(
                    "Not in force",
                    "Channels that could not be brought to where they point, and keep what they "
                    "served.",
                    "none",
                    (Query(f"sum (steadyhand_releases_not_in_force{{{chosen()}}})", "channels"),),
                    width=6,
                    is_number=True,
                ),
                Panel(
                    "Could not be moved",
                    "Times a second that a rollout could not be moved because something did not "
                    "answer or refused.",
                    "ops",
                    (Query(summed("steadyhand_rollout_failures_total"), "failures"),),
                    width=6,
                    is_number=True,
                ),
            ),
        ),
        Row(
            "Candidates beside stable",
            (
                Panel(
                    "Requests by arm",
                    "Requests of each arm, as it was assigned. A candidate without requests "
                    "cannot be judged.",
                    "reqps",
                    (Query(_ALL, _ARM),),
                    to_route=True,
                ),
                Panel(
                    "Prepared answers by arm",
                    "Part of an arm's requests that got the floor. The rollout judges by its own "
                    "evidence, which is stricter than this.",
                    "percentunit",
                    (Query(share(_part("floor"), _ALL), _ARM),),
                    to_route=True,
                    most=1,
                ),
                Panel(
                    "Errors by arm",
                    "Part of an arm's requests that got an error.",
                    "percentunit",
                    (Query(share(_part("failed"), _ALL), _ARM),),
                    to_route=True,
                    most=1,
                ),
                Panel(
                    "What callers said",
                    "Feedback on answers, by signal.",
                    "ops",
                    (Query(summed("steadyhand_feedback_total", by="signal"), "{{signal}}"),),
                ),
            ),
        ),
        Row(
            "What happened",
            (
                Panel(
                    "Changes of rollouts",
                    "What became of rollouts.",
                    "ops",
                    (Query(summed("steadyhand_rollout_changes_total", by="change"), "{{change}}"),),
                ),
                Panel(
                    "People called",
                    "Open rollouts that wait for a person, and times that one was called, by why.",
                    "none",
                    (
                        Query(
                            "max by (route, environment, reason)"
                            f" (steadyhand_rollouts_waiting{{{chosen(_R)}}})",
                            "{{route}} {{environment}} {{reason}}",
                        ),
                        Query(
                            f"sum by (reason) (steadyhand_rollout_pages_total{{{chosen()}}})",
                            "called, {{reason}}",
                        ),
                    ),
                    alerts=("SteadyhandRolloutNeedsYou",),
                ),
                Panel(
                    "Changes in the registry",
                    "Commits of the control process, by what they did.",
                    "ops",
                    (
                        Query(
                            summed("steadyhand_registry_changes_total", by="action"), "{{action}}"
                        ),
                    ),
                ),
                Panel(
                    "Looks at the remote",
                    "Looks at the registry's remote, by how they ended; while they fail nothing "
                    "can be released.",
                    "ops",
                    (
                        Query(
                            summed("steadyhand_registry_syncs_total", by="outcome"), "{{outcome}}"
                        ),
                    ),
                ),
            ),
        ),
    ),
    (("route", "steadyhand_requests_total"),),
)
