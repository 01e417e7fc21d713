"""What a gateway really did is what the planner says again, from the record alone."""

import pytest

from tests.support.installations import Installation

# Whether a deployment that fails is still asked depends on who asked before; the decision, on the
# record alone.
CLIMBS = {
    "answered": ("up/steady", False),
    "a stream": ("up/steady", True),
    "cut after the commit": ("up/cut-mid-word", True),
    "the second rung": ("then-error-500", False),
    "the floor": ("floored-once", True),
    "nobody": ("dead/any", False),
    "the caller's own fault": ("up/error-400", True),
}


@pytest.mark.parametrize(("model", "stream"), CLIMBS.values(), ids=CLIMBS.keys())
def test_a_real_climb_replays_to_itself(house: Installation, model: str, stream: bool) -> None:
    answer = house.ask(model, stream=stream)
    assert house.record(answer.request_id)["has_decision"]
    status, found = house.rest(f"/requests/{answer.request_id}/replay")
    assert (status, found["is_same"], found["differences"]) == (200, True, [])
    assert found["climb"], "something happened"


def test_a_request_that_climbed_nothing_has_no_decision(house: Installation) -> None:
    answer = house.ask("nowhere")
    assert not house.record(answer.request_id)["has_decision"]
