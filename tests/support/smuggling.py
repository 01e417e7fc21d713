"""The corpus of requests that two servers might read differently: ``tests/data/smuggling.toml``."""

import tomllib
from dataclasses import dataclass

from steadyhand.http.limits import ServerLimits
from tests.support.tree import ROOT

LIMITS = ServerLimits(max_head_bytes=2_000, max_body_bytes=5_000)
AFTER = b"GET /after HTTP/1.1\r\nHost: h\r\n\r\n"
"""An innocent request; behind a refused message it must not be seen."""


@dataclass(frozen=True)
class Suspect:
    """One row; see the head of the file."""

    name: str
    wire: bytes
    answers: int
    refused: int


def suspects() -> list[Suspect]:
    """Read the corpus."""
    text = (ROOT / "tests" / "data" / "smuggling.toml").read_text(encoding="utf-8")
    return [
        Suspect(row["name"], row["wire"].encode("latin-1"), row["answers"], row["refused"])
        for row in tomllib.loads(text)["message"]
    ]
