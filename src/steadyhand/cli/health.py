"""How deployments and rungs are, as commands say it."""

import time
from collections.abc import Sequence

from steadyhand.cli.output import Row, thousands

UNKNOWN = "unknown"


def ago(at_us: int | None) -> str:
    """Say how long ago a moment was, roughly: ``12s``, ``5m``, ``3h``, ``2d``; ``-`` for never."""
    if not at_us:
        return "-"
    seconds = max(0, time.time() - at_us / 1e6)
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"


def state(health: Row | None) -> str:
    """Say the state; gateways that disagree are counted: ``open 1/2``."""
    if health is None:
        return UNKNOWN
    alike = sum(each["state"] == health["state"] for each in health["processes"])
    of = len(health["processes"])
    return str(health["state"]) if alike == of else f"{health['state']} {alike}/{of}"


def share(health: Row | None) -> str:
    """Say the share in percent; a deployment whose breaker is not closed has none."""
    is_given = health is not None and health["state"] == "closed"
    return f"{health['share']:.0%}" if health is not None and is_given else "-"


def why(health: Row | None) -> str:
    """Say why state or share last changed, and when."""
    return "-" if health is None else _changed(health) or "-"


def latency(health: Row | None, quantile: str) -> str:
    """Say a learned quantile, of what was measured more often: first contents or whole answers."""
    if health is None:
        return "-"
    known = [each for each in (health["first_content"], health["whole"]) if each]
    if not known:
        return "-"
    return thousands(max(known, key=lambda each: int(each["samples"]))[quantile])


def sentences(health: Row | None) -> list[str]:
    """Tell all that is known, a line for each process."""
    if health is None:
        return ["health: unknown; no gateway process has asked it"]
    return [_sentence(each) for each in health["processes"]]


def proofs(rung: Row) -> str:
    """Say when a rung was last shown to work."""
    said: Sequence[Row] = rung["proofs"]
    if not said:
        return ""
    if not all(each["is_proven"] for each in said):
        reasons = {each["reason"] for each in said if each["reason"]}
        return "not proven" + (f" ({', '.join(sorted(reasons))})" if reasons else "")
    oldest = min(said, key=lambda each: each["proven_at_us"] or 0)
    if not oldest["proven_at_us"]:
        return "not tried yet"
    return f"proven {ago(oldest['proven_at_us'])} ago by {oldest['proven_by']}"


def _changed(health: Row) -> str:
    """Say why state or share last changed, and when; empty if they never did."""
    if not (health["reason"] and health["since_us"]):
        return ""
    return f"{health['reason']}, {ago(health['since_us'])} ago"


def _sentence(each: Row) -> str:
    parts = [f"gateway {each['process']}: {each['state']}"]
    if each["state"] == "closed":
        parts.append(f"share {each['share']:.0%}")
    if changed := _changed(each):
        parts.append(changed)
    if each["in_flight"]:
        parts.append(f"{each['in_flight']} in flight")
    parts += _latencies(each)
    if each["drift"]:
        parts.append(f"drift {each['drift']:.1f} x")
    for title, counts in (("opened", each["openings"]), ("kept away", each["kept_away"])):
        if counts:
            named = ", ".join(f"{reason} {count}" for reason, count in counts.items())
            parts.append(f"{title}: {named}")
    return "; ".join(parts)


def _latencies(each: Row) -> list[str]:
    return [
        f"{title} p50 {thousands(cost['p50_ms'])} p90 {thousands(cost['p90_ms'])} ms "
        f"of {thousands(cost['samples'])}"
        for title, cost in (("first content", each["first_content"]), ("whole", each["whole"]))
        if cost
    ]
