"""The Argo CD driver against a stub of its REST API on a real socket."""

from collections.abc import Iterator

import msgspec
import pytest

from steadyhand.core.errors import ConfigurationError
from steadyhand.rollouts.argocd.client import Address, ArgoCd
from steadyhand.rollouts.argocd.steps import Held, Terms
from steadyhand.rollouts.drivers.argocd import ArgoCdDriver
from steadyhand.rollouts.drivers.base import Order, Progress
from tests.support.argocd_stub import NAME, TOKEN, Argo, serving

ORDER = Order("support", "production", "revert", "sha256:bad", "sha256:good")
WITHOUT_GIT = ORDER._replace(commit="")


class House:
    """A driver, an Argo CD, and one clock for both."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.argo = Argo(lambda: self.now_s)
        self.address = ""
        self.token = TOKEN
        self.terms = Terms()
        self.held = ""

    def driver(self) -> ArgoCdDriver:
        """Return a new driver, as after a death."""
        return ArgoCdDriver(ArgoCd(Address(self.address, NAME), lambda: self.token), self.terms)

    def look(self, order: Order = ORDER) -> Progress:
        """Let a controller look once."""
        found = self.driver().sync(order, self.held, self.now_s)
        self.held = found.held
        return found

    def until(self, outcome: str, order: Order = ORDER, most: int = 40) -> tuple[Progress, float]:
        """Look each second until it is so; return the last word and how long it took."""
        began_s, found = self.now_s, self.look(order)
        for _ in range(most):
            if found.outcome == outcome:
                return found, self.now_s - began_s
            self.now_s += 1
            found = self.look(order)
        raise AssertionError(f"{found} after {most} looks: {self.argo.calls}")


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    with serving(made.argo) as address:
        made.address = address
        yield made


def test_a_refresh_makes_a_poll_of_minutes_a_matter_of_seconds(house: House) -> None:
    house.argo.git.append("revert")
    house.argo.go_on()
    found, took_s = house.until("done")
    assert (found.reason, house.argo.deployed) == ("synced", "revert")
    assert took_s <= 4, "comparing and deploying take a second each"
    assert any("refresh=normal" in call for call in house.argo.calls)
    assert not any("/rollback" in call for call in house.argo.calls)


def test_refreshes_are_asked_for_now_and_then(house: House) -> None:
    for _ in range(8):
        assert house.look().outcome == "waiting"
        house.now_s += 0.5
    refreshes = [call for call in house.argo.calls if "refresh" in call]
    assert len(refreshes) == 2


def test_without_auto_sync_the_commit_is_synced(house: House) -> None:
    house.argo.git.append("revert")
    house.argo.is_automated = False
    found, _ = house.until("done")
    assert (found.reason, house.argo.deployed) == ("synced", "revert")
    assert len([call for call in house.argo.calls if call.startswith("POST")]) == 1


def test_an_operation_in_the_way_is_ended(house: House) -> None:
    house.argo.git.append("revert")
    house.argo.begin("bad", takes_s=600)
    found, _ = house.until("done")
    assert (found.reason, house.argo.deployed) == ("synced", "revert")
    assert any(call.startswith("DELETE") for call in house.argo.calls)


def test_what_is_deployed_and_not_yet_well_is_waited_for(house: House) -> None:
    house.argo.git.append("revert")
    house.argo.health = "Progressing"
    found = house.look()
    for _ in range(6):
        house.now_s += 1
        found = house.look()
    assert (found.outcome, found.reason) == ("waiting", "progressing")
    house.argo.health = "Degraded"
    assert house.look()[:2] == ("done", "synced")


def test_without_git_it_is_refused_unless_the_glass_may_be_broken(house: House) -> None:
    found = house.look(WITHOUT_GIT)
    assert (found.outcome, found.reason) == ("refused", "git_unreachable")
    assert [call for call in house.argo.calls if not call.startswith("GET")] == []


def test_the_glass_is_broken_and_mended(house: House) -> None:
    house.terms = Terms(may_break_glass=True)
    house.argo.begin("bad", takes_s=600)
    found = house.look(WITHOUT_GIT)
    for _ in range(3):
        house.now_s += 1
        found = house.look(WITHOUT_GIT)
    house.now_s += 1
    assert (found.outcome, found.reason) == ("waiting", "glass_broken")
    house.argo.go_on()
    assert (house.argo.deployed, house.argo.is_automated) == ("good", False)
    rollbacks = [call for call in house.argo.calls if call.endswith("/rollback")]
    assert len(rollbacks) == 1
    house.argo.git.append("revert")  # a person has merged it
    found, _ = house.until("done")
    assert (house.argo.deployed, house.argo.is_automated) == ("revert", True)


def test_auto_sync_that_comes_back_is_switched_off_again_and_then_a_person_is_asked(
    house: House,
) -> None:
    house.terms = Terms(may_break_glass=True)
    house.argo.is_managed = True
    found, _ = house.until("refused", WITHOUT_GIT)
    assert found.reason == "auto_sync_stays_on"


def test_a_rollback_that_argo_refuses_because_auto_sync_is_on_is_not_taken_for_done(
    house: House,
) -> None:
    house.terms = Terms(may_break_glass=True)
    look = house.argo.answer
    began: list[str] = []

    def late(method: str, path: str, body: dict[str, object]) -> dict[str, object]:
        """Switch auto-sync on between the look and the call, once."""
        if path.endswith("/rollback") and not began:
            began.append(path)
            house.argo.is_automated = True
        return look(method, path, body)

    house.argo.answer = late  # type: ignore[method-assign] # a call that comes too late
    found = house.look(WITHOUT_GIT)
    assert (found.outcome, found.reason) == ("waiting", "precondition")
    assert msgspec.json.decode(found.held, type=Held).rolled_back_to == -1
    house.now_s += 1
    house.look(WITHOUT_GIT)
    house.now_s += 2
    house.argo.go_on()
    assert house.argo.deployed == "good"


def test_an_argo_without_memory_cannot_go_back(house: House) -> None:
    house.terms = Terms(may_break_glass=True)
    house.argo.history[:] = [(1, "bad")]
    found, _ = house.until("refused", WITHOUT_GIT)
    assert found.reason == "no_history"


def test_a_driver_killed_between_any_two_calls_is_gone_on_from(house: House) -> None:
    house.terms = Terms(may_break_glass=True)
    house.argo.begin("bad", takes_s=600)
    for _ in range(12):
        self_made = house.driver()
        found = self_made.sync(WITHOUT_GIT, house.held, house.now_s)
        if found.reason != "glass_broken":
            house.held = found.held
        house.now_s += 1
    house.argo.go_on()
    assert house.argo.deployed == "good"
    house.argo.git.append("revert")
    found, _ = house.until("done")
    assert house.argo.deployed == "revert"


@pytest.mark.parametrize(
    ("change", "outcome", "reason"),
    [
        ({"token": "wrong"}, "refused", "argocd_forbidden"),
        ({"fails": 503}, "failed", "argocd_unreachable"),
        ({"fails": 422}, "refused", "argocd_refused"),
        ({"is_gone": True}, "failed", "argocd_unreachable"),
    ],
)
def test_what_does_not_answer_or_refuses_is_named(
    house: House, change: dict[str, object], outcome: str, reason: str
) -> None:
    for name, value in change.items():
        setattr(house if name == "token" else house.argo, name, value)
    found = house.look()
    assert (found.outcome, found.reason) == (outcome, reason)
    assert found.message
    house.token, house.argo.fails, house.argo.is_gone = TOKEN, 0, False
    house.argo.git.append("revert")
    assert house.until("done")[0].reason == "synced"


def test_an_application_that_is_not_there(house: House) -> None:
    argo = ArgoCd(Address(house.address, "other"), lambda: TOKEN)
    found = ArgoCdDriver(argo, Terms()).sync(ORDER, "", house.now_s)
    assert (found.outcome, found.reason) == ("refused", "application_missing")
    nobody = ArgoCd(Address("http://127.0.0.1:1", NAME), lambda: TOKEN)
    assert ArgoCdDriver(nobody, Terms()).sync(ORDER, "", 0.0).outcome == "failed"


def test_names_of_project_and_namespace_go_along(house: House) -> None:
    address = Address(house.address, NAME, "apps", "shop")
    ArgoCdDriver(ArgoCd(address, lambda: TOKEN), Terms()).sync(ORDER, "", house.now_s)
    assert all("appNamespace=apps&project=shop" in call for call in house.argo.calls)


@pytest.mark.parametrize("server", ["", "argocd.example", "ftp://argocd.example"])
def test_an_address_that_is_none(server: str) -> None:
    with pytest.raises(ConfigurationError, match="argocd_server"):
        ArgoCd(Address(server, NAME), str)
