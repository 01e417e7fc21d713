"""What the cells of a run come to. Pure: from the raw results, as JSON holds them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.failover.cases import BOTH, CASES
from benchmarks.failover.scoring import HONEST, IN_TIME

_GROUPS = {case.name: case.group for case in CASES}


@dataclass(frozen=True, slots=True)
class Totals:
    """Shares, 0 to 1, in which every cell (one case in one form) weighs the same.

    Attributes:
        cells: How many.
        answered: A whole, wire-valid answer came in time: a model's, or the gateway's own under
            its header.
        valid: An answer or an error came in the documented form.
        in_time: An answer or an error came in time.
        truthful: Nothing was passed off as a whole answer that was none.
        calls: Upstream calls of each request.
        calls_an_answer: Upstream calls for each request that was answered in time; 0 if none was.
    """

    cells: int
    answered: float
    valid: float
    in_time: float
    truthful: float
    calls: float
    calls_an_answer: float


MORE_IS_BETTER = ("answered", "valid", "in_time", "truthful")


def is_both(cell: Mapping[str, Any]) -> bool:
    """Return whether a cell is of a case in which both deployments are broken."""
    return _GROUPS[cell["case"]] == BOTH


def share(cell: Mapping[str, Any], letters: str) -> float:
    """Return the share of a cell's requests that ended in one of ``letters``."""
    sent = cell["sent"]
    return sum(cell["letters"][letter] for letter in letters) / sent if sent else 0.0


def totals(cells: Sequence[Mapping[str, Any]]) -> Totals:
    """Return what ``cells`` come to."""
    known = [cell for cell in cells if cell["calls"] >= 0]
    calls = _mean(cell["calls"] for cell in known)
    answered = _mean(share(cell, "AF") for cell in known)
    return Totals(
        cells=len(cells),
        answered=_mean(share(cell, "AF") for cell in cells),
        valid=_mean(1 - cell["invalid"] / cell["sent"] if cell["sent"] else 0.0 for cell in cells),
        in_time=_mean(share(cell, IN_TIME) for cell in cells),
        truthful=_mean(share(cell, HONEST) for cell in cells),
        calls=calls,
        calls_an_answer=calls / answered if answered else 0.0,
    )


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0


def behind(ours: Totals, theirs: Totals) -> list[str]:
    """Return the columns in which ``ours`` is worse, to a tenth of a percent."""
    found = [
        column
        for column in MORE_IS_BETTER
        if round(getattr(ours, column), 3) < round(getattr(theirs, column), 3)
    ]
    mine, other = round(ours.calls_an_answer, 2), round(theirs.calls_an_answer, 2)
    return found + (["calls_an_answer"] if other and (not mine or mine > other) else [])


def mark(cell: Mapping[str, Any]) -> str:
    """Return a cell in a few characters: its letters, the most frequent first, with shares."""
    found = sorted(
        ((count, letter) for letter, count in cell["letters"].items() if count), reverse=True
    )
    if len(found) == 1:
        return str(found[0][1])
    return " ".join(f"{letter} {count / cell['sent']:.0%}" for count, letter in found) or "–"
