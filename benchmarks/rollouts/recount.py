"""How long the evidence of ten million requests takes to be made again from the database.

``python -m benchmarks.rollouts.recount [--gate] [--save NAME] [--rows N]``. The rows are loaded in
bulk, 3 % of them bad, of an hour at one step; then everything is read as after a start of the
controller, and the verdict is made.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

from benchmarks.machine import describe
from steadyhand.records.exposures.model import COMPARED, CONTROL, FALLBACK, STABLE
from steadyhand.rollouts.assessment import Situation, assess
from steadyhand.rollouts.evidence import Evidence
from steadyhand.rollouts.exposures.store import Exposures
from steadyhand.rollouts.model import Policy
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url

MOST_S: Final = 60.0
START_US: Final = 1_900_000_000_000_000
HOUR_US: Final = 3_600_000_000
SLOTS: Final = (COMPARED, CONTROL, CONTROL, CONTROL, *[STABLE] * 16)
RESULTS: Final = Path(__file__).resolve().parent.parent / "results"
INSERT: Final = "INSERT INTO exposures VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"


def rows(number: int) -> Iterator[tuple[object, ...]]:
    """Yield rows of the table, in its order of columns."""
    chance = Random(6)
    for place in range(1, number + 1):
        unit = chance.getrandbits(53)
        flags = FALLBACK if chance.random() < 0.03 else 0
        at_us = START_US + HOUR_US * place // number
        slot = SLOTS[chance.randrange(20)]
        yield place, "w", place, "salt", unit, slot, 500, 3, at_us, 90_000, 400, flags


def run(number: int) -> dict[str, Any]:
    """Load, read, decide."""
    with tempfile.TemporaryDirectory(prefix="steadyhand-recount-") as folder:
        database = open_database(sqlite_url(Path(folder) / "x.db"))
        upgrade(database)
        began_s = time.monotonic()
        with database.write() as connection:
            driver: Any = connection.connection.dbapi_connection
            driver.executemany(INSERT, rows(number))
        loaded_s = time.monotonic() - began_s
        policy = Policy()
        evidence = Evidence(policy, is_first=False)
        now_s = (START_US + HOUR_US) // 1_000_000
        began_s, cpu_s = time.monotonic(), time.process_time()
        batches = Exposures(database).bring_on(evidence, "salt", policy, now_s)
        counts = evidence.counts(now_s)
        verdict = assess(counts, policy, Situation(now_s, 0, now_s - 3_600, 500)).verdict
        took_s = time.monotonic() - began_s
        size_mb = (Path(folder) / "x.db").stat().st_size / 1e6
        database.close()
    return {
        "machine": describe(),
        "rows": number,
        "loaded_s": round(loaded_s, 1),
        "recounted_s": round(took_s, 2),
        "cpu_s": round(time.process_time() - cpu_s, 2),
        "batches": batches,
        "counted": sum(sum(step.requests) for step in counts.steps),
        "units_with_a_bad_event": sum(sum(step.events["any"]) for step in counts.steps),
        "verdict": f"{verdict.decision}: {verdict.reason}",
        "database_mb": round(size_mb),
    }


def main() -> int:
    """Run, and say whether the limit is past."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gate", action="store_true")
    parser.add_argument("--save", default="")
    parser.add_argument("--rows", type=int, default=10_000_000)
    given = parser.parse_args()
    found = run(given.rows)
    print(json.dumps(found, indent=1))
    if given.save:
        (RESULTS / f"{given.save}.json").write_text(json.dumps(found, indent=1) + "\n")
    if found["recounted_s"] > MOST_S:
        print(f"past the limit: {found['recounted_s']} s, at most {MOST_S}", file=sys.stderr)
        return int(given.gate)
    return 0


if __name__ == "__main__":
    sys.exit(main())
