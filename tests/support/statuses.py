"""Statuses to test with."""

from steadyhand.telemetry.status import (
    CollectionStatus,
    CostStatus,
    DeploymentStatus,
    HedgeStatus,
    RungStatus,
    Status,
    TierStatus,
)

FULL = Status(
    process=2,
    write_failures=1,
    deployments=(
        DeploymentStatus(
            provider="far",
            model="m",
            region="eu",
            state="half_open",
            share=0.25,
            in_flight=3,
            stream=CostStatus(100_000, 200_000, 900_000, 50),
            drift=3.5,
            drifts=2,
            openings={"errors": 4, "": 1},
            probes={"ok": 5},
            refused={"open": 6},
        ),
    ),
    rungs=(RungStatus("support", 1, "cache", proven_us=7_000_000, is_proven=True),),
    hedges=HedgeStatus(2.5, 10, {"won": 8}, {"budget": 9}, {"kept": 10}),
    tiers=(
        TierStatus(
            "warm",
            "redis",
            is_up=True,
            entries=11,
            size_bytes=12,
            lookups={"fresh": 13},
            stores={"kept": 14},
            evictions=15,
            failures={"timeout": 16},
        ),
    ),
    collections=(CollectionStatus("support", 17, 18_000_000, {"answered": 19}, {"reload": 20}),),
)
"""A status that says something of everything."""
