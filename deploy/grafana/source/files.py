"""The files that Grafana reads, and what is in them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.source import cost, overview, provider, rollout, route
from deploy.grafana.source.parts import built

FOLDER: Final = Path(__file__).resolve().parents[1] / "dashboards"
BOARDS: Final = (overview.BOARD, route.BOARD, rollout.BOARD, provider.BOARD, cost.BOARD)


def texts() -> Mapping[str, str]:
    """Return name → content of every file."""
    return {
        f"{board.uid}.json": json.dumps(built(board), cls=JSONEncoder, indent=1, sort_keys=True)
        + "\n"
        for board in BOARDS
    }


def write() -> None:
    """Write them; what is there and not among them goes."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
