"""The control process hangs or dies: answers go on, the log grows, nothing is lost."""

import os
import signal
from collections import Counter

from tests.support.installations import Installation
from tests.support.programs import eventually, is_running


def ask_many(house: Installation, count: int) -> set[str]:
    """Send requests one after another; each must be answered; return their ids."""
    answers = [house.ask("up/steady") for _ in range(count)]
    assert {answer.status for answer in answers} == {200}
    return {answer.request_id for answer in answers}


def shipped(house: Installation, sent: set[str]) -> Counter[str]:
    """Wait until all of ``sent`` are stored; return how often each id is."""

    def look() -> Counter[str] | None:
        found = house.stored()
        return found if sent <= found.keys() else None

    return eventually(look, "every record to be stored")


def test_nothing_is_lost_when_control_hangs_and_is_killed(own_house: Installation) -> None:
    house = own_house
    sent = ask_many(house, 20)
    shipped(house, sent)
    control = house.control_pid()

    os.kill(control, signal.SIGSTOP)
    before, stored = house.log_bytes(), len(house.stored())
    sent |= ask_many(house, 200)
    eventually(lambda: house.log_bytes() > before, "the log to grow")
    assert len(house.stored()) <= stored + 20, "nobody ships, so nothing arrives"

    os.kill(control, signal.SIGKILL)
    sent |= ask_many(house, 50)
    house.serve.says(r"control ended with -9; starting it again")
    found = shipped(house, sent)
    assert set(found.values()) == {1}, "exactly once"
    assert house.control_pid() != control
    assert house.rest("/requests?limit=1")[0] == 200


def test_control_killed_again_and_again_comes_back_and_loses_nothing(
    own_house: Installation,
) -> None:
    house = own_house
    gateway = house.gateway_pid()
    sent: set[str] = set()
    for _ in range(3):
        control = house.control_pid()
        sent |= ask_many(house, 30)
        os.kill(control, signal.SIGKILL)
        eventually(lambda pid=control: not is_running(pid), "the control process to end")  # type: ignore[misc]
        sent |= ask_many(house, 30)
        eventually(lambda pid=control: house.control_pid() != pid, "the next one")  # type: ignore[misc]
    found = shipped(house, sent)
    assert {found[request_id] for request_id in sent} == {1}
    assert house.gateway_pid() == gateway
    eventually(lambda: house.log_bytes() < 200_000, "what was shipped to be deleted")
