from collections.abc import Iterator

import pytest

from tests.support.control_plane import RunningControl, running_control
from tests.support.made_records import TIMED_OUT, made, ship


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningControl]:
    """A control plane with nine requests, numbered 1 to 9, the last the newest."""
    with running_control(tmp_path_factory.mktemp("workspace")) as running:
        floor = {
            "outcome": "floor",
            "rung": "template",
            "provider": "",
            "model": "",
            "reason": "every_rung_failed",
            "attempts": (TIMED_OUT,),
        }
        rejected = {"outcome": "rejected", "status": 401, "rung": "", "provider": "", "tenant": ""}
        records = [made(number) for number in range(1, 7)]
        records += [
            made(7, **floor),
            made(8, **rejected),
            made(9, tenant="blog", route="labels"),
        ]
        ship(running.store, records)
        yield running
