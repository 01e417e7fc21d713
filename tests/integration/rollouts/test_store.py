"""Where rollouts are kept, and what is read of their requests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from steadyhand.records.annotation import Grounding, annotation
from steadyhand.records.cursor import Cursor
from steadyhand.records.entry import Note
from steadyhand.records.exposures.model import COMPARED, CONTROL, slot_of
from steadyhand.records.record import Record
from steadyhand.records.tables import exposures
from steadyhand.rollouts.certificate import decode, verify
from steadyhand.rollouts.evidence import Evidence
from steadyhand.rollouts.exposures import store as readings
from steadyhand.rollouts.exposures.store import Exposures
from steadyhand.rollouts.model import Policy, Rollout
from steadyhand.rollouts.store import RolloutChanged, RolloutMissing, RolloutOpen
from steadyhand.rollouts.transition import ended
from tests.support.rollouts import ENVIRONMENTS, World

ROLLOUT = Rollout("ro_0001", "support", "staging", "new", "old", Policy(), 5, "olive", salt="s")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.git.close()
    made.database.close()


def test_one_rollout_at_a_time_in_a_channel(world: World) -> None:
    held = world.store.begin(ROLLOUT)
    with pytest.raises(RolloutOpen, match="staging/support"):
        world.store.begin(replace(ROLLOUT, id="ro_0002"))
    world.store.begin(replace(ROLLOUT, id="ro_0003", environment="production"))
    world.store.save(held, ended(ROLLOUT, "aborted", "why", 9))
    world.store.begin(replace(ROLLOUT, id="ro_0004", opened_us=6))
    assert [one.id for one in world.store.list(is_open=True)] == ["ro_0004", "ro_0003"]
    assert [one.rollout.id for one in world.store.open_ones()] == ["ro_0003", "ro_0004"]
    assert len(world.store.list()) == 3


def test_of_two_changes_one_is_told(world: World) -> None:
    held = world.store.begin(ROLLOUT)
    world.store.save(held, replace(ROLLOUT, step=1))
    with pytest.raises(RolloutChanged) as lost:
        world.store.save(held, replace(ROLLOUT, step=2))
    assert lost.value.retryable
    assert world.store.get("ro_0001").rollout.step == 1


@pytest.mark.parametrize("id_", ["", "nobody", "ro_000"])
def test_an_id_must_be_that_of_one(world: World, id_: str) -> None:
    world.store.begin(ROLLOUT)
    world.store.begin(replace(ROLLOUT, id="ro_0002", environment="production"))
    with pytest.raises(RolloutMissing):
        world.store.get(id_)
    assert world.store.get("ro_0002").rollout.environment == "production"


def test_a_lease_is_one_holders_until_it_runs_out(world: World) -> None:
    take = world.store.take_lease
    assert take("x", "one", 100, 10)
    assert take("x", "one", 105, 10)
    assert not take("x", "two", 114, 10)
    assert take("x", "two", 115, 10)
    assert not take("x", "one", 116, 10)
    assert take("y", "one", 116, 10)
    assert take("x", "one", 50, 10), "a time further ahead than any lease is of a clock set back"


def test_exposures_are_numbered_in_the_order_in_which_they_become_known(world: World) -> None:
    world.stable()
    world.start()
    world.traffic(30)
    with world.database.read() as connection:
        numbers = [*connection.execute(sa.select(exposures.c.number)).scalars()]
    assert sorted(numbers) == list(range(1, 31))


def test_evidence_read_in_pieces_is_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.stable()
    rollout = world.start()
    salt = world.link.pointer("staging", "support").salt
    reading, policy = Exposures(world.database), rollout.policy
    pieces = Evidence(policy, is_first=False)
    for _ in range(5):
        world.now_s += 1
        world.traffic(200, lambda arm: arm == "candidate", in_time=False)
        reading.bring_on(pieces, salt, policy, int(world.now_s))
    monkeypatch.setattr(readings, "BATCH", 70)
    whole = Evidence(policy, is_first=False)
    assert reading.bring_on(whole, salt, policy, int(world.now_s)) == 15
    mine, theirs = pieces.counts(int(world.now_s)), whole.counts(int(world.now_s))
    assert mine.steps == theirs.steps
    assert mine.control_long == theirs.control_long
    assert reading.bring_on(whole, salt, policy, int(world.now_s)) == 0


def test_what_is_bad_depends_on_the_policy(world: World) -> None:
    world.stable()
    world.start()
    salt = world.link.pointer("staging", "support").salt
    world.traffic(100, first_content_us=160_000, output_tokens=50, input_tokens=60)
    reading = Exposures(world.database)
    for policy, slow, over in (
        (Policy(), 0, 0),
        (Policy(slow_ms=150), 100, 0),
        (Policy(slow_ms=170), 0, 0),
        (Policy(most_tokens=100), 0, 100),
    ):
        evidence = Evidence(policy, is_first=False)
        reading.bring_on(evidence, salt, policy, int(world.now_s))
        [step] = evidence.counts(int(world.now_s)).steps
        assert sum(step.bad.get("slow", [])) == slow
        assert sum(step.bad.get("over_cost", [])) == over


def test_when_a_candidate_was_served_last(world: World) -> None:
    world.stable()
    world.start()
    salt = world.link.pointer("staging", "support").salt
    reading = Exposures(world.database)
    assert reading.last_served_us(salt) == 0
    records = world.traffic(200)
    mine = [one.received_us for one in records if one.arm == "candidate"]
    assert reading.last_served_us(salt) == max(mine)
    assert reading.last_served_us(salt, is_first=True) == max(one.received_us for one in records)


def test_what_a_later_entry_takes_the_place_of_does_not_count(world: World) -> None:
    world.stable()
    world.start()
    records = world.made(10)
    world.ship(records)
    again = [
        msgspec.structs.replace(one, supersedes=number)
        for number, one in enumerate(records[:4], start=1)
    ]
    world.ship(again)
    with world.database.read() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(exposures)).scalar_one()
    assert count == 10


def test_drains_and_incidents_are_kept_once(world: World) -> None:
    world.store.drain(ROLLOUT, 5, "why")
    world.store.drain(ROLLOUT, 6, "again")
    assert world.store.drained() == {"s"}
    world.store.undrain("s")
    world.store.undrain("s")
    assert world.store.drained() == frozenset()


def test_what_samples_were_found_to_be_is_evidence_where_it_counts(world: World) -> None:
    world.stable()
    world.start()
    salt = world.link.pointer("staging", "support").salt
    world.traffic(40)
    found = [
        (COMPARED, "ungrounded", salt),
        (COMPARED, "grounded", salt),
        (CONTROL, "ungrounded", salt),
        (CONTROL, "not_measured", salt),
        (CONTROL, "ungrounded", ""),
    ]
    notes = []
    for unit, (slot, state, rollout) in enumerate(found, start=1):
        body = Grounding(
            "acme", "support", "sha256:1", state, "", 0.5, "overlap-1",
            rollout=rollout, unit=unit, slot=slot, weight=500, controls=3,
            sampled_us=int(world.now_s * 1e6),
        )  # fmt: skip
        made = annotation(f"req_{unit}", 1, body)
        notes.append(Note(unit, made, msgspec.msgpack.encode(made)))
    for _ in range(2):  # a shipper may do it again
        world.records.ship("w2", [], Cursor(0, 0, len(notes)), notes=notes)
    reading = Exposures(world.database)
    served_us = reading.last_served_us(salt, is_first=True)
    for policy, mine, theirs, measured in (
        (Policy(counts_ungrounded=True), 1, 1, 3),
        (Policy(counts_ungrounded=True, slow_ms=1, most_tokens=1), 1, 1, 3),
        (Policy(), 0, 0, 0),
    ):
        evidence = Evidence(policy, is_first=False)
        reading.bring_on(evidence, salt, policy, int(world.now_s))
        steps = evidence.counts(int(world.now_s)).steps
        assert sum(sum(step.requests) for step in steps) == 40
        assert sum(sum(step.measured) for step in steps) == measured
        splits = [step.split("ungrounded") for step in steps]
        assert sum(one.candidate for one in splits) == mine
        assert sum(one.control for one in splits) == theirs
    assert reading.last_served_us(salt, is_first=True) == served_us


GUARDED = ENVIRONMENTS + b"counts_ungrounded = true\n"


def judge(world: World, records: list[Record], is_bad: Callable[[Record], bool]) -> None:
    """Let the sampled answers of ``records`` be found grounded or not, and ship that."""
    notes = []
    for record in records:
        verdict = "ungrounded" if is_bad(record) else "grounded"
        body = Grounding(
            "acme", "support", record.route_release, verdict, "", 1.0, "overlap-1",
            rollout=record.rollout, unit=record.unit, slot=slot_of(record.arm, record.part),
            weight=record.candidate_bp, controls=record.controls, sampled_us=record.received_us,
        )  # fmt: skip
        made = annotation(record.request_id, record.received_us, body)
        world.sequence += 1
        notes.append(Note(world.sequence, made, msgspec.msgpack.encode(made)))
    world.records.ship("w1", [], Cursor(0, 0, world.sequence), notes=notes)


@pytest.mark.parametrize(("environments", "taken_back"), [(GUARDED, True), (ENVIRONMENTS, False)])
def test_a_candidate_that_makes_things_up_is_taken_back_where_that_counts(
    tmp_path: Path, environments: bytes, *, taken_back: bool
) -> None:
    world = World(tmp_path, environments=environments)
    world.stable()
    rollout = world.start()
    controller = world.controller()
    for _ in range(60):
        world.now_s += 1
        records = world.traffic(200)
        judge(world, records, lambda one: one.arm == "candidate" or one.unit % 8 == 0)
        controller.tick()
        if world.get(rollout).outcome:
            break
    found = world.get(rollout)
    assert (found.reason == "worse_than_control") == taken_back, found.verdict
    if taken_back:
        assert "ungrounded" in found.verdict.message
        while not world.get(rollout).outcome:
            world.now_s += 1
            controller.tick()
        certificate, _ = decode(world.git.noted(world.get(rollout).work.commit))
        assert all(check.holds for check in verify(certificate))
        assert sum(sum(step.measured) for step in certificate.looks[-1].counts.steps) > 0
    world.git.close()
    world.database.close()
