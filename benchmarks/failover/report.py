"""The table."""

from typing import Any


def write(state: dict[str, Any], save: str | None) -> None:
    """Print the table."""
    for name, g in state["gateways"].items():
        for rate, p in g["rates"].items():
            print(
                "==",
                name,
                rate,
                p["version"],
                "mem",
                p["memory_mb"],
                "stalls",
                p["stalls_ms"],
                "late",
                p["latest_ms"],
                p["unwell"][:3],
            )
            for c in p["cells"]:
                whys = "; ".join(
                    f"{k} ×{v}" for k, v in sorted(c["whys"].items(), key=lambda x: -x[1])[:4]
                )
                print(f"{c['case']:24} {c['form']:7} {c['calls']:5.2f} {whys}")
