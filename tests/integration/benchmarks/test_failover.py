"""The failover benchmark end to end on Steadyhand alone: few cases, half a second each."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.targets import ROOT

CASES = ("steady", "error-200", "end-mid-word", "both-failing", "both-dead")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.failover", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def letters(cell: dict[str, Any]) -> set[str]:
    """Return the letters that a cell has; what was late on a busy machine may be so."""
    return {letter for letter, count in cell["letters"].items() if count} - {"L"}


def test_cases_are_played_scored_and_kept(tmp_path: Path) -> None:
    kept = tmp_path / "state.json"
    wanted = (
        *("--only", "steadyhand", "--rates", "20", "--seconds", "0.4"),
        *("--cases", ",".join(CASES), "--state", str(kept)),
    )
    done = run(*wanted)
    assert done.returncode == 0, done.stderr
    assert "## One deployment broken" in done.stdout
    played = json.loads(kept.read_text())["gateways"]["steadyhand"]["rates"]["20"]
    assert played["unwell"] == []
    found = {(cell["case"], cell["form"]): cell for cell in played["cells"]}
    assert len(found) == 2 * len(CASES)
    assert all(cell["sent"] == 4 for cell in found.values())
    assert letters(found["steady", "stream"]) <= {"A"}
    assert letters(found["error-200", "whole"]) <= {"A"}
    assert letters(found["end-mid-word", "stream"]) <= {"A", "E"}, "never a lie"
    assert letters(found["both-failing", "stream"]) <= {"F"}
    assert letters(found["both-dead", "whole"]) <= {"F"}
    assert played["own"]["records"] == 8 * len(CASES), "each request has left its record"
    assert found["steady", "whole"]["calls"] >= 1.0
    assert found["error-200", "whole"]["calls"] > 1.0
    assert found["both-dead", "whole"]["calls"] == -1.0

    again = run(*wanted)
    assert again.returncode == 0, again.stderr
    assert "measured already" in again.stderr, "what is done is not done again"


def test_unknown_names_are_refused_before_anything_starts() -> None:
    assert "no gateway is called envoy" in run("--only", "envoy").stderr
    assert "no case is called" in run("--cases", "drop").stderr
