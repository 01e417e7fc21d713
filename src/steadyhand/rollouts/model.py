"""Rollouts as values: what is asked of one, where it is, what was seen and decided."""

from typing import Final, Literal

import msgspec

from steadyhand.core.errors import InvalidRequest

WHOLE_PERCENT: Final = 100.0

Metric = Literal["slow", "error", "fallback", "invalid", "over_cost", "ungrounded"]
METRICS: Final[tuple[Metric, ...]] = (
    "slow",
    "error",
    "fallback",
    "invalid",
    "over_cost",
    "ungrounded",
)
"""Bad events. A unit counts once for each, whatever it does afterwards.

``ungrounded`` is not of requests but of sampled answers, and becomes known after them: it is
compared by itself, and is no part of ``any`` or of the service level.
"""

ANY: Final = "any"
"""A bad event of any kind; once for each unit as well."""

Phase = Literal["opening", "running", "promoting", "rolling_back", "aborting", "ended"]
Outcome = Literal["", "promoted", "rolled_back", "aborted"]
Decision = Literal["promote", "roll_back", "hold", "inconclusive", "error"]


class PolicyInvalid(InvalidRequest):
    """What an environment says about rollouts makes no sense."""

    code, status = "rollout_policy_invalid", 409


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How candidates are tried in an environment: ``[environments.<name>.rollout]``.

    Attributes:
        unit: Who keeps to one arm.
        steps_percent: Parts of the traffic, in order; the last is 100, less what is held back.
        holdback_percent: Part that stays on stable during the last step, to compare with.
        dwell_s: Least time of each step.
        bake_s: Least time of the last.
        longest_step_s: After it a step that could not be decided is inconclusive.
        alpha: Most probability that a candidate which is no worse is taken back, ever.
        promote_alpha: Most probability that one which is ``promote_margin`` times worse goes on.
        margin: A candidate this many times as bad as the control is not yet called worse.
        promote_margin: A candidate goes on once it is shown to be less than this many times as bad.
        negligible_percent: So few bad events are fine, whatever the control has.
        slo_percent: Part of the requests that may be bad by the service level.
        hold_s: For how long a breach of it must last.
        slow_ms: Longer is slow; 0 for the latency budget of the route.
        most_tokens: More are over cost; 0 for no such cap.
        least_requests: Of the candidate in each step, before it may go on.
        silent_s: Without a request of the candidate for so long there is no data.
        cool_down_s: After an automatic roll-back none may begin in its channel for so long.
        most_rollbacks_a_day: More automatic ones are not carried out: the candidate is taken off
            and a person is called.
        least_keys: Fewer keys than this are no units.
        counts_ungrounded: Whether sampled answers that were found ungrounded speak against a
            candidate.
        least_measured: Sampled answers of the candidate that must have been measured before it may
            go on, and be shown to be no worse; 0 for none: then they can only take it back.
    """

    unit: Literal["conversation", "user", "key"] = "conversation"
    steps_percent: tuple[float, ...] = (5.0, 25.0, 50.0, 100.0)
    holdback_percent: float = 5.0
    dwell_s: float = 60.0
    bake_s: float = 300.0
    longest_step_s: float = 3_600.0
    alpha: float = 0.01
    promote_alpha: float = 0.05
    margin: float = 1.1
    promote_margin: float = 2.0
    negligible_percent: float = 1.0
    slo_percent: float = 5.0
    hold_s: float = 30.0
    slow_ms: float = 0.0
    most_tokens: int = 0
    least_requests: int = 50
    silent_s: float = 60.0
    cool_down_s: float = 600.0
    most_rollbacks_a_day: int = 5
    least_keys: int = 200
    counts_ungrounded: bool = False
    least_measured: int = 0

    def weights(self) -> tuple[int, ...]:
        """Return the candidate's weight at each step, in basis points."""
        most = round((WHOLE_PERCENT - self.holdback_percent) * 100)
        return tuple(min(round(step * 100), most) for step in self.steps_percent)

    def least_s(self, step: int) -> float:
        """Return the least time of a step, in seconds."""
        return self.bake_s if step == len(self.steps_percent) - 1 else self.dwell_s


def checked(policy: Policy) -> Policy:
    """Return ``policy`` if it makes sense.

    Raises:
        PolicyInvalid: It does not.
    """
    steps = policy.steps_percent
    wrong = [
        text
        for is_wrong, text in (
            (not steps or steps[-1] != WHOLE_PERCENT, "steps_percent must end with 100"),
            (list(steps) != sorted(set(steps)) or not all(s > 0 for s in steps), "steps must grow"),
            (not 0.01 <= policy.holdback_percent <= 50, "holdback_percent is not 0.01 to 50"),
            (
                len(steps) > 1 and steps[-2] >= WHOLE_PERCENT - policy.holdback_percent,
                "the step before the last leaves no room for holdback_percent",
            ),
            (not 0 < policy.alpha <= 0.2, "alpha is not between 0 and 0.2"),
            (not 0 < policy.promote_alpha <= 0.2, "promote_alpha is not between 0 and 0.2"),
            (not 1 <= policy.margin < policy.promote_margin, "margin is not 1 to promote_margin"),
            (not 0 < policy.slo_percent < 100, "slo_percent is not between 0 and 100"),
            (not 0 < policy.negligible_percent < 100, "negligible_percent is not 0 to 100"),
            (
                min(policy.dwell_s, policy.bake_s, policy.hold_s, policy.slow_ms) < 0
                or min(policy.cool_down_s, policy.most_tokens, policy.least_requests) < 0
                or policy.least_measured < 0,
                "a number is below 0",
            ),
            (
                policy.least_measured > 0 and not policy.counts_ungrounded,
                "least_measured takes counts_ungrounded",
            ),
        )
        if is_wrong
    ]
    if wrong:
        raise PolicyInvalid(
            f"the rollout of this environment makes no sense: {'; '.join(wrong)}",
            hint="mend environments.toml of the registry: steadyhand registry environments FILE",
        )
    return policy


class Verdict(msgspec.Struct, frozen=True):
    """What the evidence says.

    Attributes:
        decision: What is to be done.
        reason: By name, for machines.
        message: For people.
        pages: Whether a person is called.
    """

    decision: Decision
    reason: str
    message: str = ""
    pages: bool = False


class Work(msgspec.Struct, frozen=True):
    """How far a roll-back is. Each is set once it is so; times are microseconds since 1970.

    Attributes:
        verdict_us: When it was decided.
        drained_us: When gateways were told to serve the candidate no more.
        commit: That takes the release back.
        synced_us: When the driver said that it is everywhere.
        verified_us: When no gateway served it any more.
        last_served_us: When a request last came to it.
        incident: Id of the incident.
        held: What the driver wants to be given back.
        told: What the driver said last.
    """

    verdict_us: int = 0
    drained_us: int = 0
    commit: str = ""
    synced_us: int = 0
    verified_us: int = 0
    last_served_us: int = 0
    incident: str = ""
    held: str = ""
    told: str = ""


class Rollout(msgspec.Struct, frozen=True):
    """One rollout.

    Attributes:
        id: Sorts by time.
        route: Which route's.
        environment: Where.
        candidate: Digest that is tried.
        stable: Digest that it is compared with; empty for a first release.
        policy: As the environment said when it began.
        opened_us: When, microseconds since 1970.
        opened_by: Principal.
        note: Why.
        salt: Of the draw; known once it has begun.
        phase: Where it is.
        step: Number of the step, from 0.
        step_us: When the step began.
        is_paused: Whether it stays at its step.
        verdict: The last.
        breach_us: Since when the service level is breached; 0 for not.
        work: Of a roll-back.
        outcome: How it ended.
        reason: Of that, by name.
        ended_us: When.
        by: Principal who forced or aborted it; empty for nobody.
    """

    id: str
    route: str
    environment: str
    candidate: str
    stable: str
    policy: Policy
    opened_us: int
    opened_by: str
    note: str = ""
    salt: str = ""
    phase: Phase = "opening"
    step: int = 0
    step_us: int = 0
    is_paused: bool = False
    verdict: Verdict = Verdict("inconclusive", "not_begun")
    breach_us: int = 0
    work: Work = Work()
    outcome: Outcome = ""
    reason: str = ""
    ended_us: int = 0
    by: str = ""

    @property
    def is_first(self) -> bool:
        """Whether there was nothing before it to compare with."""
        return not self.stable

    @property
    def weight(self) -> int:
        """The candidate's weight at this step, basis points."""
        return 10_000 if self.is_first else self.policy.weights()[self.step]
