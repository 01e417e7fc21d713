"""A peers' comparison as a table and a plot, from the raw file of the comparing harness.

    python -m benchmarks.peer_report RAW.json --save 2026-11-26-peers

``RAW.json`` maps target → ``{cold, ok, err, samples}``; ``samples`` maps load → one object for each
round with ``rps``, ``cpu_us``, ``p50`` … in microseconds. Writes ``results/NAME.json`` (medians
of the rounds) and ``results/NAME.svg``, and prints the table as Markdown.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.peer_plot import Bar, draw

RESULTS = Path(__file__).parent / "results"

NAMES = {
    "direct": "direct",
    "nginx": "nginx (a limit, not a peer)",
    "pass": "Steadyhand, HTTP pass-through only",
    "envoy": "Envoy",
    "ours": "**Steadyhand, everything on**",
    "sglang-router": "sglang-router",
    "vllm-router": "vllm-router",
    "pass-tls": "Steadyhand pass-through, TLS to the upstream",
    "envoy-tls": "Envoy, TLS to the upstream",
    "ours-tls": "**Steadyhand, everything on, TLS to the upstream**",
    "portkey-patched": "Portkey",
    "mlflow": "MLflow",
    "litellm": "LiteLLM",
}
"""Target → what the table calls it, in the order of the table."""

SATURATED = 0.01
"""Share of the offered requests short of which latencies at that rate mean nothing any more."""

_HEAD = (
    "| | requests/s (least–greatest) | × Envoy | CPU µs/request | added p50 / p99 ms at 500/s "
    "| burst events/s | paced, added p50 / p99 ms | cold start s | RSS MB | errors |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def summary(raw: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return target → measure → median over the rounds; a target that did not start is left out."""
    return {name: _summary(raw[name]) for name in NAMES if name in raw and raw[name]["ok"]}


def _summary(target: Mapping[str, Any]) -> dict[str, float]:
    samples: Mapping[str, Sequence[Mapping[str, float]]] = target["samples"]
    found: dict[str, float] = {"errors": sum(r["errors"] for s in samples.values() for r in s)}
    if target["cold"] is not None:
        found["cold_start_s"] = target["cold"]
    for load, rounds in samples.items():
        for measure in ("rps", "cpu_us", "util", "rss", "p50", "p99", "chunks_ps", "c50", "c99"):
            values = [each[measure] for each in rounds if measure in each]
            if values:
                found[f"{load}.{measure}"] = round(median(values), 2)
        found[f"{load}.rps.least"] = min(each["rps"] for each in rounds)
        found[f"{load}.rps.greatest"] = max(each["rps"] for each in rounds)
    return found


def table(found: Mapping[str, Mapping[str, float]]) -> str:
    """Return the Markdown table."""
    direct = found["direct"]
    return "\n".join([_HEAD, *(_row(name, each, direct, found) for name, each in found.items())])


def _row(
    name: str,
    each: Mapping[str, float],
    direct: Mapping[str, float],
    found: Mapping[str, Mapping[str, float]],
) -> str:
    base = {} if name == "direct" else direct
    envoy = found.get("envoy-tls" if name.endswith("-tls") else "envoy", {}).get("c64.rps")
    cells = [
        NAMES[name],
        f"{each['c64.rps']:,.0f} ({each['c64.rps.least']:,.0f}–{each['c64.rps.greatest']:,.0f})",
        "–" if name == "direct" or envoy is None else f"{each['c64.rps'] / envoy:.3g}",
        f"{each['c64.cpu_us']:,.1f}" if "c64.cpu_us" in each else "–",
        _latency(each, base, "r500", ("p50", "p99"), offered=500, done="r500.rps"),
        f"{each['burst.chunks_ps']:,.0f}" if "burst.chunks_ps" in each else "–",
        _latency(each, base, "paced", ("c50", "c99"), offered=5_000, done="paced.chunks_ps"),
        f"{each['cold_start_s']:.2f}" if "cold_start_s" in each else "–",
        f"{each['c64.rss']:,.0f}" if "c64.rss" in each else "–",
        f"{each['errors']:,.0f}",
    ]
    return "| " + " | ".join(cells) + " |"


def _latency(
    each: Mapping[str, float],
    base: Mapping[str, float],
    load: str,
    measures: tuple[str, str],
    *,
    offered: float,
    done: str,
) -> str:
    if done not in each:
        return "–"
    if each[done] < offered * (1 - SATURATED):
        return "saturated"
    middle, late = (
        (each[f"{load}.{measure}"] - base.get(f"{load}.{measure}", 0)) / 1e3 for measure in measures
    )
    return f"{middle:.2f} / {late:.2f}" + ("" if base else " (own)")


def bars(found: Mapping[str, Mapping[str, float]]) -> list[Bar]:
    """Return one bar for each target whose CPU was measured, the cheapest request first."""
    measured = [(name, each["c64.cpu_us"]) for name, each in found.items() if "c64.cpu_us" in each]
    return [
        Bar(label=NAMES[name].strip("*"), value=value, ours=name.startswith(("ours", "pass")))
        for name, value in sorted(measured, key=lambda pair: pair[1])
    ]


def main() -> None:
    """Read the raw file; write the summary and the plot, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("raw", type=Path, help="what the harness wrote with --json")
    parser.add_argument("--save", metavar="NAME", required=True, help="write results/NAME.*")
    options = parser.parse_args()
    found = summary(json.loads(options.raw.read_text(encoding="utf-8")))
    if "direct" not in found:
        parser.error(f"{options.raw} has no target `direct`, which latencies are taken against")
    text = json.dumps(found, indent=1) + "\n"
    (RESULTS / f"{options.save}.json").write_text(text, encoding="utf-8")
    title = "CPU time of one request on one core, µs (logarithmic; shorter is better)"
    (RESULTS / f"{options.save}.svg").write_text(draw(title, bars(found)), encoding="utf-8")
    print(table(found))


if __name__ == "__main__":
    main()
