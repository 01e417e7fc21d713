"""Controllers that die, are two, are cut off, or cannot reach Git; releases that only look good."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from steadyhand.core.errors import SteadyhandError
from steadyhand.registry import state
from steadyhand.rollouts.certificate import decode, verify
from steadyhand.rollouts.drivers.base import Order, Progress
from steadyhand.rollouts.exposures.store import Exposures
from steadyhand.rollouts.model import Rollout
from steadyhand.storage.database import DatabaseUnavailable
from tests.support.rollouts import Died, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.git.close()
    made.database.close()


def fails(arm: str) -> bool:
    return arm == "candidate"


def subjects(world: World) -> list[str]:
    log = subprocess.run(
        ["git", "-C", str(world.git.path), "log", "--format=%s", "main"],
        capture_output=True,
        text=True,
        check=True,
    )
    return log.stdout.splitlines()


def check_taken_back(world: World, rollout: Rollout) -> None:
    """A bad release is gone, once, with one incident and a certificate that verifies."""
    found = world.get(rollout)
    assert (found.phase, found.outcome, found.reason) == (
        "ended",
        "rolled_back",
        "worse_than_control",
    )
    assert world.link.pointer("staging", "support")[:2] == (rollout.stable, "")
    assert rollout.candidate in state.refused(world.git)
    assert len([one for one in subjects(world) if one.startswith("Roll support in staging")]) == 1
    [incident] = world.store.incidents()
    assert incident.closed_us
    assert incident.commit == found.work.commit
    certificate, sealed = decode(world.git.noted(found.work.commit))
    assert all(check.holds for check in verify(certificate))
    assert sealed.signature.startswith("-----BEGIN SSH SIGNATURE")
    assert world.store.drained() == frozenset(), "the override ends when Git agrees"


def test_a_bad_release_is_gone_within_seconds(world: World) -> None:
    world.stable()
    rollout = world.start()
    world.run(8, bad=fails)
    check_taken_back(world, rollout)
    [page] = [data for kind, data in world.told if kind == "page"]
    assert page["reason"] == "worse_than_control"
    work = world.get(rollout).work
    assert work.verdict_us <= work.drained_us <= work.synced_us <= work.verified_us
    assert {rollout.salt, world.get(rollout).salt} & set().union(*world.served)


def test_a_good_release_reaches_everybody_without_a_person(world: World) -> None:
    world.stable()
    rollout = world.start()
    world.run(60, per_s=200)
    assert world.get(rollout).outcome == "", "each step has its least time"
    world.run(120, per_s=200)
    found = world.get(rollout)
    assert (found.outcome, found.reason) == ("promoted", "no_worse")
    pointer = world.link.pointer("staging", "support")
    assert (pointer.stable, pointer.candidate) == (rollout.candidate, "")
    weights = [one for one in subjects(world) if one.startswith("Try support")]
    assert [one.rsplit(" at ", 1)[1] for one in weights[::-1]] == ["5 %", "25 %", "50 %", "95 %"]
    assert not [kind for kind, _ in world.told if kind == "page"]


def test_a_candidate_whose_callers_see_nothing_because_it_fails_over_is_taken_back(
    world: World,
) -> None:
    world.stable()
    rollout = world.start()
    controller = world.controller()
    for _ in range(8):
        world.now_s += 1
        pretended = [
            msgspec.structs.replace(record, reason="server_error")
            if record.arm == "candidate"
            else record
            for record in world.made(100)
        ]
        world.ship(pretended)
        controller.tick()
    check_taken_back(world, rollout)


DEATHS = [
    "saved opened",
    "exposed",
    "look",
    "saved verdict",
    "saved rolling_back",
    "override",
    "lease",
    "drained",
    "commit",
    "certificate",
    "incident",
    "reverted",
    "synced",
    "verified",
    "override lifted",
]


@pytest.mark.parametrize("name", DEATHS)
def test_a_controller_killed_at_any_step_of_a_roll_back_is_gone_on_from(
    world: World, name: str
) -> None:
    world.stable()
    rollout = world.start()
    world.dies_at = name
    with pytest.raises(Died):
        world.run(8, bad=fails)
    world.now_s += 20  # its lease runs out
    world.run(8, bad=fails, controller=world.controller("two"))
    check_taken_back(world, rollout)


@pytest.mark.parametrize(
    "name", ["saved stepped", "exposed", "saved promoting", "promoted", "saved promoted"]
)
def test_a_controller_killed_at_any_step_of_a_promotion_is_gone_on_from(
    world: World, name: str
) -> None:
    world.stable()
    rollout = world.start()
    world.run(5, per_s=400)
    world.dies_at = name
    controller = world.controller()
    with pytest.raises(Died):
        world.run(200, per_s=400, controller=controller)
    world.now_s += 20
    world.run(200 if not world.get(rollout).outcome else 1, 400, controller=world.controller("two"))
    found = world.get(rollout)
    assert found.outcome == "promoted"
    weights = [one for one in subjects(world) if one.startswith("Try support")]
    assert len(weights) == len(set(weights)) == 4, "no step is taken twice"
    assert len([one for one in subjects(world) if one.startswith("Promote support")]) == 2


@pytest.mark.parametrize("name", ["begun", "saved opened"])
def test_a_start_that_is_cut_short_is_gone_on_from(world: World, name: str) -> None:
    world.stable()
    digest = world.release("Be quick.")
    world.dies_at = name
    with suppress(Died):
        world.service().start("support", digest, "staging", "olive")
    with suppress(Died):
        world.controller().tick()
    assert not world.dies_at, "it died on the way"
    world.now_s += 20
    world.controller("two").tick()
    [found] = world.store.list()
    assert found.phase == "running"
    assert found.salt == world.link.pointer("staging", "support").salt != ""


def test_an_abort_that_is_cut_short_is_gone_on_from(world: World) -> None:
    world.stable()
    rollout = world.start()
    world.run(2)
    world.service().abort(rollout.id, "olive", "a typing mistake")
    world.dies_at = "given up"
    with pytest.raises(Died):
        world.controller().tick()
    world.now_s += 20
    world.controller("two").tick()
    found = world.get(rollout)
    assert (found.outcome, found.reason, found.by) == ("aborted", "a typing mistake", "olive")
    assert world.link.pointer("staging", "support").candidate == ""
    assert rollout.candidate not in state.refused(world.git)


def test_of_two_controllers_one_acts(world: World) -> None:
    world.stable()
    rollout = world.start()
    one, two = world.controller("one"), world.controller("two")
    assert one.tick()
    assert not two.tick()
    for _ in range(8):
        world.now_s += 1
        world.traffic(100, fails)
        two.tick()
    assert world.get(rollout).outcome == ""
    one.tick()
    assert world.get(rollout).phase == "rolling_back" or world.get(rollout).outcome
    world.now_s += 20
    assert two.tick(), "the first has died"
    check_taken_back(world, rollout)


def test_a_gateway_that_is_cut_off_serves_stable_when_its_lease_runs_out(world: World) -> None:
    world.stable()
    world.start()
    world.run(2)
    assert {one.arm for one in world.traffic(200)} == {"stable", "candidate", "control"}
    world.is_partitioned = True
    world.run(20)
    world.now_s += 31
    assert {one.arm for one in world.traffic(200)} == {"stable"}


def test_clocks_of_gateways_that_are_an_hour_off_change_no_verdict(world: World) -> None:
    world.stable()
    rollout = world.start()
    controller = world.controller()
    for second in range(8):
        world.now_s += 1
        world.traffic(50, fails, late_s=3_600.0 if second % 2 else -3_600.0)
        world.traffic(50, fails)
        controller.tick()
    check_taken_back(world, rollout)


def test_records_that_come_an_hour_late_and_twice_count_once(world: World) -> None:
    world.stable()
    rollout = world.start()
    controller = world.controller()
    controller.tick()
    records = world.made(400)
    world.ship(records)
    world.now_s += 1
    controller.tick()
    before = world.store.last_look(rollout.id)[1]
    sequence = world.sequence
    world.rewind(400)  # a shipper that died after it had stored them ships them again
    world.ship(records)
    assert world.sequence == sequence
    world.now_s += 3_600
    late = [msgspec.structs.replace(one, received_us=one.received_us) for one in world.made(400)]
    world.ship(late)
    world.controller().tick()
    after = world.store.last_look(rollout.id)[1]
    assert before is not None
    assert after is not None
    assert sum(before.counts.steps[0].requests) == 400
    assert sum(after.counts.steps[0].requests) == 800


def test_a_verdict_while_git_is_gone_drains_first(world: World) -> None:
    world.stable()
    rollout = world.start()
    world.run(2)
    held = world.store.get(rollout.id)
    world.service().force(rollout.id, "roll_back", "olive", "it is wrong")
    world.registry.is_gone = True
    controller = world.controller()
    for _ in range(3):
        world.now_s += 1
        controller.tick()
    found = world.get(rollout)
    assert (found.phase, found.work.commit) == ("rolling_back", "")
    assert found.work.drained_us
    assert held.rollout.salt in world.served[-1]
    [incident] = world.store.incidents()
    assert "cannot be written" in incident.needs
    assert not incident.closed_us
    assert [data["reason"] for kind, data in world.told if kind == "page"] == ["git_unreachable"]
    world.registry.is_gone = False
    world.now_s += 1
    controller.tick()
    assert world.get(rollout).outcome == "rolled_back"
    assert world.store.incidents()[0].closed_us
    assert world.store.drained() == frozenset()


def test_a_first_release_that_fails_leaves_the_floor_and_calls_a_person(world: World) -> None:
    rollout = world.start("The first.")
    controller = world.controller()
    for _ in range(45):
        world.now_s += 1
        if world.get(rollout).outcome:
            break
        if world.link.pointer("staging", "support").stable:
            salt = world.link.pointer("staging", "support").salt
            world.ship(
                [
                    msgspec.structs.replace(one, arm="stable", part=-1, rollout=salt)
                    for one in world.made(50, lambda _: True)
                ]
            )
        controller.tick()
    found = world.get(rollout)
    assert (found.outcome, found.reason) == ("rolled_back", "slo_breached")
    assert rollout.candidate in state.refused(world.git)
    [incident] = world.store.incidents()
    assert "only the route's floor answers" in incident.needs
    assert [data["reason"] for kind, data in world.told if kind == "page"] == ["slo_breached"]


def test_a_first_release_that_is_well_is_watched_no_more_after_its_bake(world: World) -> None:
    rollout = world.start("The first.")
    controller = world.controller()
    for _ in range(40):
        world.now_s += 1
        pointer = world.link.pointer("staging", "support")
        if pointer.stable:
            world.ship(
                [
                    msgspec.structs.replace(one, arm="stable", part=-1, rollout=pointer.salt)
                    for one in world.made(50)
                ]
            )
        controller.tick()
    assert world.get(rollout).outcome == "promoted"
    pointer = world.link.pointer("staging", "support")
    assert (pointer.stable, pointer.salt) == (rollout.candidate, "")


def test_an_outage_of_the_provider_takes_nothing_back(world: World) -> None:
    world.stable()
    rollout = world.start()
    world.run(20)
    world.run(60, bad=lambda arm: True)
    held = world.get(rollout)
    assert (held.outcome, held.verdict.reason) == ("", "both_degraded")
    assert [data["reason"] for kind, data in world.told if kind == "page"] == ["both_degraded"]
    world.run(30)
    assert world.get(rollout).outcome == ""


def test_without_traffic_nothing_is_concluded_and_a_person_is_called(world: World) -> None:
    world.stable()
    rollout = world.start()
    world.run(70, per_s=0)
    found = world.get(rollout)
    assert (found.outcome, found.verdict.decision, found.verdict.reason) == ("", "hold", "no_data")
    assert len([kind for kind, _ in world.told if kind == "page"]) == 1, "once, not each second"


def test_too_many_roll_backs_a_day_take_the_candidate_off_and_call_a_person(world: World) -> None:
    world.stable()
    for number in range(3):
        rollout = world.start(f"Bad {number}.")
        world.run(8, bad=fails)
        check = world.get(rollout)
        assert check.outcome == "rolled_back"
        world.now_s += 100
    rollout = world.start("Bad again.")
    world.run(10, bad=fails)
    found = world.get(rollout)
    assert (found.outcome, found.is_paused) == ("", True)
    assert (found.verdict.decision, found.verdict.reason) == ("hold", "rollback_cap")
    assert found.salt in world.served[-1]
    assert rollout.candidate not in state.refused(world.git)
    assert [d["reason"] for kind, d in world.told if kind == "page"][-1] == "rollback_cap"


def test_evidence_that_cannot_be_read_moves_nothing_and_takes_the_candidate_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.stable()
    rollout = world.start()
    controller = world.controller()
    world.run(3, controller=controller)

    def broken(*_: object) -> int:
        raise DatabaseUnavailable("no such table: exposures")

    monkeypatch.setattr(Exposures, "bring_on", broken)
    world.run(3, controller=controller)
    found = world.get(rollout)
    assert (found.verdict.decision, found.verdict.reason) == ("error", "database_unavailable")
    assert controller.failures >= 3
    assert found.salt not in world.served[-1]
    world.run(31, controller=controller)
    assert found.salt in world.served[-1], "nobody is exposed to what nobody watches"
    monkeypatch.undo()
    world.run(1, controller=controller)
    assert found.salt not in world.served[-1]


def test_a_database_that_is_gone_lets_the_lease_run_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.stable()
    world.start()
    controller = world.controller()
    world.run(2, controller=controller)
    renewed = len(world.served)

    def broken(*_: object) -> bool:
        raise DatabaseUnavailable("gone")

    monkeypatch.setattr(type(world.store), "take_lease", broken)
    with pytest.raises(SteadyhandError):
        controller.tick()
    assert len(world.served) == renewed


class Slow:
    """A driver that takes three looks, and is killed on the way."""

    name = "slow"

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def sync(self, order: Order, held: str, now_s: float) -> Progress:
        self.calls.append((order.commit, held))
        step = int(held or "0") + 1
        if step < 3:
            return Progress("waiting", "reconciling", f"step {step}", str(step))
        return Progress("done", "synced", "", str(step))


def test_a_driver_gets_back_what_it_wanted_to_hold_also_after_a_death(world: World) -> None:
    world.driver = driver = Slow()
    world.stable()
    rollout = world.start()
    world.run(5, bad=fails)
    world.run(3, bad=fails, controller=world.controller())
    for number in range(4):
        world.now_s += 20
        world.controller(f"c{number}").tick()
    check_taken_back(world, rollout)
    assert [held for _, held in driver.calls] == ["", "1", "2"]
    assert {commit for commit, _ in driver.calls} == {world.get(rollout).work.commit}


def test_what_is_not_gone_from_every_gateway_is_not_over(world: World) -> None:
    world.stable()
    rollout = world.start()
    world.is_everywhere = False
    world.run(8, bad=fails)
    found = world.get(rollout)
    assert (found.phase, found.work.synced_us > 0) == ("rolling_back", True)
    assert world.store.drained() == {found.salt}
    world.is_everywhere = True
    world.run(1)
    check_taken_back(world, rollout)


def test_somebody_who_moves_the_channel_ends_the_rollout(world: World) -> None:
    world.stable()
    rollout = world.start()
    world.run(2)
    world.link.give_up("support", "staging", "olive", "")
    world.run(1)
    assert (world.get(rollout).outcome, world.get(rollout).reason) == (
        "aborted",
        "moved_by_somebody",
    )


def test_a_spent_error_budget_lets_nothing_go_on(world: World) -> None:
    world.stable()
    rollout = world.start()
    world.run(4, per_s=300, bad=lambda _: True)  # a provider that was away for a moment
    for _ in range(10):  # the arms are drawn: how soon the evidence is enough differs
        world.run(40, per_s=300)
        found = world.get(rollout)
        if found.verdict.decision != "inconclusive":
            break
    assert (found.step, found.verdict.decision) == (0, "hold")
    assert found.verdict.reason == "error_budget_spent"
    assert [data["reason"] for kind, data in world.told if kind == "page"] == ["error_budget_spent"]
