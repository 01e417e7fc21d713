"""The book of all deployments: bounded, shared, and readable from outside."""

from steadyhand.routing.health.book import ARMS, PROVEN, TOLD, UNPROVEN, Health
from steadyhand.routing.model import DeploymentId
from tests.unit.routing.health.world import MODEL, World, failing, healthy, slower


def test_made_up_names_displace_nothing_that_has_answered() -> None:
    book = Health()
    known = book.of(MODEL)
    known.began(1.0, 10, stream=True).ended(1.1, "ok")
    busy = book.of(DeploymentId("acme", "dead"))
    for number in range(3 * UNPROVEN):
        busy.began(float(number), 10, stream=True).ended(float(number), "error")
        book.of(DeploymentId("acme", f"no-such-{number}"))
    assert book.of(MODEL) is known
    assert book.of(DeploymentId("acme", "dead")) is busy
    assert len(book) <= PROVEN + UNPROVEN


def test_memory_is_bounded_even_if_all_answer() -> None:
    book = Health()
    for number in range(PROVEN + 3 * UNPROVEN):
        book.of(DeploymentId("acme", str(number))).began(float(number), 10, stream=True).ended(
            number + 0.1, "ok"
        )
    assert len(book) <= PROVEN + UNPROVEN
    assert len({name for name, _ in book}) == len(book)


def test_a_provider_is_slow_when_half_of_its_active_deployments_are() -> None:
    book = Health()
    assert not book.is_provider_slow("acme", 0.0)
    bad = World(slower(1e9, 1_060.0), book=book)
    bad.run(70.0)
    assert book.is_provider_slow("acme", bad.now_s)
    assert not book.is_provider_slow("other", bad.now_s)
    for name in ("a", "b"):
        book.of(DeploymentId("acme", name)).began(bad.now_s, 10, stream=True)
    assert not book.is_provider_slow("acme", bad.now_s)
    assert not book.is_provider_slow("acme", bad.now_s + 3_600.0)


def test_while_all_is_steady_one_call_says_what_two_do() -> None:
    world = World(failing("refused", 1_060.0))
    health = world.book.of(MODEL)
    world.run(30.0)
    said = health.steady(world.now_s, 0.5)
    assert said is not None
    assert said is health.reading(world.now_s)
    assert health.admit(world.now_s, 0.5).reason == said.reason == "steady"
    later = health.steady(world.now_s + 0.2, 0.5)
    assert later is not said, "a reading is renewed when it is old"
    world.run(60.5)
    assert health.steady(world.now_s, 0.5) is None, "there is something to consider"
    assert not health.admit(world.now_s, 0.5).may_go


def test_the_status_says_what_is_so_and_since_when() -> None:
    world = World(failing("refused", 1_060.0))
    world.run(60.5)
    (status,) = world.book.snapshot(world.now_s, 5_000_000_000)
    assert (status.provider, status.model, status.state) == ("acme", "small", "open")
    assert status.reason == "refused"
    assert status.openings["refused"] >= 1
    assert status.refused["breaker_open"] > 0
    assert 0 < 5_000_000_000 - status.changed_us < 1_000_000
    assert status.probe_at_us > status.changed_us
    assert status.stream.samples > 100


def test_a_deployment_that_was_always_well_says_so() -> None:
    world = World(healthy())
    world.run(60.0)
    (status,) = world.book.snapshot(world.now_s, 5_000_000_000)
    assert (status.state, status.share, status.reason) == ("closed", 1.0, "steady")
    assert (status.changed_us, status.probe_at_us, status.drifts) == (0, 0, 0)
    assert 0.7 < status.drift < 1.4


def test_of_very_many_the_status_tells_those_that_were_asked_last() -> None:
    book = Health()
    for number in range(TOLD + 10):
        health = book.of(DeploymentId("acme", f"m{number}"))
        health.began(float(number), 10, stream=True).ended(number + 0.5, "ok")
    told = {status.model for status in book.snapshot(TOLD + 20.0, 1)}
    assert told == {f"m{number}" for number in range(10, TOLD + 10)}


def test_books_of_arms_are_bounded_and_the_oldest_goes() -> None:
    book = Health()
    first = book.arm("rollout-0")
    for number in range(1, ARMS + 1):
        book.arm(f"rollout-{number}")
    assert book.arm(f"rollout-{ARMS}") is book.arm(f"rollout-{ARMS}")
    assert book.arm("rollout-0") is not first
