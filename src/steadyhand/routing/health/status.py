"""A deployment's health as the status file has it. Pure."""

from steadyhand.routing.health.deployment import DeploymentHealth
from steadyhand.routing.health.reading import OPEN
from steadyhand.routing.model import DeploymentId
from steadyhand.routing.planning.situation import Cost
from steadyhand.telemetry.status import CostStatus, DeploymentStatus


def status_of(
    deployment: DeploymentId, health: DeploymentHealth, now_s: float, wall_us: int
) -> DeploymentStatus:
    """Return what is known of ``deployment`` at ``now_s``, which is ``wall_us`` on the wall."""
    health.reading(now_s)
    breaker, drift = health.breaker, health.drift

    def on_wall(moment_s: float) -> int:
        return wall_us + round((moment_s - now_s) * 1e6)

    return DeploymentStatus(
        provider=deployment.provider,
        model=deployment.model,
        region=deployment.region,
        state=breaker.state,
        share=health.share_now(now_s),
        reason=health.reason(now_s),
        changed_us=on_wall(health.changed_s) if health.changed_s else 0,
        probe_at_us=on_wall(breaker.until_s) if breaker.state == OPEN else 0,
        in_flight=health.in_flight,
        stream=_cost(health.costs.stream),
        whole=_cost(health.costs.whole),
        drift=drift.ratio,
        drifts=drift.seen,
        openings=dict(health.openings),
        probes=dict(health.probes),
        refused=dict(health.turned_away),
    )


def _cost(cost: Cost) -> CostStatus:
    return CostStatus(cost.p50_us, cost.p90_us, cost.p99_us, cost.samples)
