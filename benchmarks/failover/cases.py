"""What is broken how: one case for each behaviour of the simulated provider, and some of both.

Each case has deployments of its own, named for it, so that what a gateway has learnt in one case is
not used in another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.failover.scoring import Expected
from steadyhand.simulation.answer import Choice, compose
from steadyhand.simulation.behaviour import BEHAVIOURS, GROUPS, choose
from steadyhand.simulation.dials import Dials
from steadyhand.simulation.draws import Draws
from steadyhand.simulation.request import ChatRequest
from steadyhand.simulation.request import read as read_request

HEALTHY = "steady"
BOTH = "Both broken"
PREPARED = "No model can be reached; this answer was prepared."
"""What Steadyhand's floor says, under a header that says so."""

_SIZES = {"oversized": "oversized:mb=1"}
"""Behaviours that are played with other parameters than their own."""
_SLOWEST = {"oversized": 5.0, "endless": 40.0}
"""Requests a second at most: else their bytes alone would keep load and simulators busy."""
_TOOL = {
    "type": "function",
    "function": {
        "name": "lookup",
        "description": "Look something up.",
        "parameters": {
            "type": "object",
            "properties": {"query": {"type": "string"}},
            "required": ["query"],
        },
    },
}


@dataclass(frozen=True, slots=True)
class Case:
    """One way for upstream to be.

    Attributes:
        name: Of its row, and of its route.
        group: Of the rows that belong together.
        first: Behaviour of the first deployment, with parameters; empty if nobody listens.
        second: Behaviour of the second.
        most_per_s: Requests a second at most, or 0.
        has_tool: Whether its requests offer a tool.
    """

    name: str
    group: str
    first: str
    second: str = HEALTHY
    most_per_s: float = 0.0
    has_tool: bool = False

    @property
    def route(self) -> str:
        """The model that callers ask for."""
        return f"case-{self.name}"


def _single() -> list[Case]:
    return [
        Case(
            name,
            group,
            _SIZES.get(name, name),
            most_per_s=_SLOWEST.get(name, 0.0),
            has_tool=name == "cut-mid-tool-call",
        )
        for group, rows in GROUPS.items()
        for name in (row.name for row in rows)
    ]


def _double() -> list[Case]:
    return [
        Case(f"both-{name}", BOTH, played, played)
        for name, played in (
            ("dead", ""),
            ("silent", "silent-before-headers"),
            ("silent-mid-body", "silent-mid-body"),
            ("slow", "slow:ttft_ms=30000"),
            ("dripping", "drip:gap_ms=5000"),
            ("lying-error", "error-200"),
            ("lying-cut", "end-mid-word"),
            ("failing", "error-500"),
            ("mixed", "random:p=1"),
        )
    ]


CASES: tuple[Case, ...] = (*_single(), *_double())

ENDURANCE = "Endurance"
LASTING: tuple[Case, ...] = tuple(
    Case(f"all-{name}", ENDURANCE, played, played)
    for name, played in (
        ("dead", ""),
        ("silent", "silent-before-headers"),
        ("slow", "steady:ttft_ms=1000"),
        ("dripping", "drip:gap_ms=500"),
        ("lying", "error-200"),
        ("lying-html", "html-200"),
        ("lying-empty", "empty-body"),
    )
)
"""Cases of the endurance run."""
HEALTHY_FOR_100_MS = "steady:ttft_ms=100"
"""How its models are before they break; slow is ten times that."""


def chosen(only: Sequence[str]) -> list[Case]:
    """Return the cases whose names are in ``only``, or all of the comparison.

    Raises:
        KeyError: A name that is none.
    """
    unknown = sorted(set(only) - {case.name for case in (*CASES, *LASTING)})
    if unknown:
        raise KeyError(", ".join(unknown))
    return [case for case in (*CASES, *LASTING) if case.name in only] if only else list(CASES)


CURATED = -1
"""The number of the request that asks what a curated answer of the demo answers."""
_CURATED_QUESTION = "Why do I get connection refused?"
_CURATED_FILE = Path("support") / "connection-refused.md"


def curated_answer(answers_folder: Path) -> str:
    """Return the text of the curated answer that belongs to :data:`CURATED`."""
    text = (answers_folder / _CURATED_FILE).read_text(encoding="utf-8")
    return text.split("+++", 2)[2].strip()


def body(case: Case, number: int, *, stream: bool) -> bytes:
    """Return a request; there is no second one with the same ``number``."""
    question = f"What became of parcel {number:09d}, sent on Monday?"
    asked: dict[str, Any] = {
        "model": case.route,
        "messages": [
            {"role": "system", "content": "You are a careful assistant. Answer in a sentence."},
            {"role": "user", "content": _CURATED_QUESTION if number == CURATED else question},
        ],
    }
    if case.has_tool:
        asked["tools"] = [_TOOL]
    if stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    return msgspec.json.encode(asked)


def answers(case: Case, request: bytes) -> list[Expected]:
    """Return every answer to ``request`` that is whole: of the behaviours that have one."""
    read = read_request(request)
    found = [_expected(HEALTHY, read)]
    for played in (case.first, case.second):
        name = played.partition(":")[0]
        row = BEHAVIOURS.get(name)
        if row is not None and "answer" in row.streamed + row.plain:
            found.append(_expected(played, read))
        elif name in ("no-finish", "no-done"):
            found.append(_expected(HEALTHY, read))
    return found


def _expected(played: str, request: ChatRequest) -> Expected:
    behaviour = choose(played, Dials())
    if behaviour.name == "oversized":
        return Expected(content="x" * int(behaviour.dials.mb * 1_000_000))
    draws = Draws(0, 0, b"")  # only ids depend on them
    choice: Choice = compose(behaviour.name, request, behaviour.dials, draws).choices[0]
    return Expected(
        content="".join(choice.tokens),
        refusal="".join(choice.refusal),
        calls=tuple((call.name, call.arguments) for call in choice.calls),
        finish=choice.finish,
    )
