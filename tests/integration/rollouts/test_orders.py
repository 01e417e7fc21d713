"""What people order of rollouts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from steadyhand.core.errors import SteadyhandError
from steadyhand.rollouts.model import PolicyInvalid
from steadyhand.rollouts.service import RolloutRefused
from steadyhand.rollouts.store import RolloutOpen
from steadyhand.tenancy.principals import BOOTSTRAP
from tests.support.rollouts import ENVIRONMENTS, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.git.close()
    made.database.close()


def policy(world: World, lines: str) -> None:
    world.registry.service().set_environments(ENVIRONMENTS + lines.encode(), BOOTSTRAP)


def test_a_start_is_seen_in_the_channel_before_it_returns(world: World) -> None:
    stable = world.stable()
    rollout = world.start()
    pointer = world.link.pointer("staging", "support")
    assert (pointer.stable, pointer.candidate, pointer.weight) == (stable, rollout.candidate, 500)
    assert rollout.stable == stable


def test_what_cannot_begin_says_why(world: World) -> None:
    stable = world.stable()
    service = world.service()
    with pytest.raises(RolloutRefused, match="already_stable"):
        service.start("support", stable, "staging", "olive")
    other = world.release("Be short.")
    world.link.expose(other, "staging", 500, "olive", "")
    with pytest.raises(RolloutRefused, match="already_tried"):
        service.start("support", other, "staging", "olive")
    world.link.give_up("support", "staging", "olive", "")
    rollout = service.start("support", other, "staging", "olive")
    with pytest.raises(RolloutOpen, match=rollout.id):
        service.start("support", other, "staging", "olive")
    service.abort(rollout.id, "olive")
    world.controller().tick()
    assert world.get(rollout).reason == "aborted"


def test_a_release_that_the_registry_refuses_leaves_no_rollout_open(world: World) -> None:
    world.stable()
    digest = world.release("Be quick.")
    world.registry.service().revoke(digest, "bad", BOOTSTRAP)
    with pytest.raises(SteadyhandError, match="revoked"):
        world.service().start("support", digest, "staging", "olive")
    [found] = world.store.list()
    assert (found.outcome, found.reason) == ("aborted", "release_refused")
    with pytest.raises(SteadyhandError, match="no release begins"):
        world.service().start("support", "ffffffff", "staging", "olive")
    with pytest.raises(SteadyhandError, match="no environment"):
        world.service().start("support", digest, "nowhere", "olive")


def test_too_few_keys_are_no_units(world: World) -> None:
    policy(world, 'unit = "key"\n')
    world.stable()
    world.keys = 199
    with pytest.raises(RolloutRefused, match=r"too_few_units: 199 keys .* at least 200"):
        world.start()
    world.keys = 200
    assert world.start("Be short.").policy.unit == "key"


def test_a_policy_that_makes_no_sense_begins_nothing(world: World) -> None:
    policy(world, "alpha = 7\n")
    world.stable()
    with pytest.raises(PolicyInvalid, match="alpha"):
        world.start()


def test_a_spent_error_budget_is_passed_over_only_by_who_says_so(world: World) -> None:
    world.budget_left = -0.25
    digest = world.release("Be quick.")
    with pytest.raises(RolloutRefused, match="error_budget_spent: support has -25% of its"):
        world.service().start("support", digest, "staging", "olive")
    assert world.service().start("support", digest, "staging", "olive", hot=True).phase == "opening"


def test_after_a_roll_back_comes_a_cool_down(world: World) -> None:
    world.stable()
    world.start()
    world.run(8, bad=lambda arm: arm == "candidate")
    digest = world.release("Be better.")
    with pytest.raises(RolloutRefused, match="cooling_down: ro_0001 was taken back; 9"):
        world.service().start("support", digest, "staging", "olive")
    rollout = world.service().start("support", digest, "staging", "olive", hot=True)
    assert rollout.candidate == digest


def test_a_pause_holds_the_step_and_a_bad_candidate_still_goes(world: World) -> None:
    world.stable()
    rollout = world.start()
    world.service().pause(rollout.id, "olive")
    world.run(40, per_s=300)
    found = world.get(rollout)
    assert (found.step, found.is_paused, found.verdict.decision) == (0, True, "promote")
    world.service().resume(rollout.id, "olive")
    world.run(1)
    assert world.get(rollout).step == 1
    world.service().pause(rollout.id, "olive")
    world.run(15, bad=lambda arm: arm == "candidate")
    assert world.get(rollout).outcome == "rolled_back"


@pytest.mark.parametrize(
    ("decision", "outcome", "change"),
    [("promote", "promoted", "forced_promote"), ("roll_back", "rolled_back", "forced_roll_back")],
)
def test_a_person_may_decide_and_says_why(
    world: World, decision: str, outcome: str, change: str
) -> None:
    world.stable()
    rollout = world.start()
    world.run(1)
    with pytest.raises(RolloutRefused, match="no_reason"):
        world.service().force(rollout.id, decision, "olive", " ")
    with pytest.raises(RolloutRefused, match="no_decision"):
        world.service().force(rollout.id, "hope", "olive", "because")
    world.service().force(rollout.id, decision, "olive", "support asked for it")
    world.run(2)
    found = world.get(rollout)
    assert (found.outcome, found.by, found.reason) == (outcome, "olive", "forced")
    assert found.verdict.message == "olive: support asked for it"
    assert change in {data.get("change") for _, data in world.told}
    with pytest.raises(RolloutRefused, match="not_running"):
        world.service().pause(rollout.id, "olive")


def test_a_promotion_that_the_registry_refuses_waits_for_a_person(world: World) -> None:
    world.stable()
    rollout = world.start()
    world.run(1)
    world.service().force(rollout.id, "promote", "olive", "now")
    policy(world, "")  # the same; then more is asked for
    strict = ENVIRONMENTS.replace(
        b"[environments.staging]\n", b"[environments.staging]\napprovals = 1\n", 1
    )
    world.registry.service().set_environments(strict, BOOTSTRAP)
    world.run(2)
    found = world.get(rollout)
    assert (found.phase, found.is_paused) == ("running", True)
    assert found.outcome == ""
    assert "promotion_refused" in [
        data.get("reason") for kind, data in world.told if kind == "page"
    ]


def test_what_has_not_begun_is_not_forced(world: World) -> None:
    world.stable()
    rollout = world.start()
    with pytest.raises(RolloutRefused, match="not_begun"):
        world.service().force(rollout.id, "roll_back", "olive", "because")


def test_a_first_release_that_is_refused_begins_nothing(world: World) -> None:
    table = b"[environments.staging]\n"
    strict = ENVIRONMENTS.replace(table, table + b"approvals = 1\n", 1)
    world.registry.service().set_environments(strict, BOOTSTRAP)
    with pytest.raises(SteadyhandError, match="needs_approval"):
        world.start("The first.")
    assert world.store.list()[0].outcome == "aborted"


def test_looks_of_a_long_rollout_are_few(world: World) -> None:
    world.stable()
    rollout = world.start()
    controller = world.controller()
    for _ in range(200):
        world.now_s += 30
        world.traffic(5)
        controller.tick()
    looks = world.store.looks(rollout.id)
    assert 100 < len(looks) < 170, "as they get older they are kept less often"
    assert looks[-1].at_us > looks[0].at_us


def test_one_at_a_time(world: World) -> None:
    world.start("The first.")
    with pytest.raises(RolloutOpen):
        world.start("Another.")


def test_certificates_lie_beside_the_commit_and_travel_to_the_remote(world: World) -> None:
    commit = world.git.head()
    assert world.git.noted(commit) == ""
    world.link.note(commit, "one")
    world.link.note(commit, "two")
    assert world.git.noted(commit) == "two"
    assert world.git.noted("0" * 40) == ""
