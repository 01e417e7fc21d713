"""What opens a deployment's breaker, what closes it, and what must do neither."""

import pytest

from steadyhand.routing.health.breaker import LONGEST_S, PROBES
from steadyhand.routing.health.deployment import DeploymentHealth
from tests.unit.routing.health.world import World, failing, healthy

WARM_S = 20.0
BREAK_S = 1_000.0 + WARM_S


def is_open(health: DeploymentHealth) -> bool:
    return health.breaker.state == "open"


def is_whole(health: DeploymentHealth) -> bool:
    return health.share.value >= 1.0 and health.breaker.state == "closed"


@pytest.mark.parametrize(
    ("outcome", "most"),
    [("error", 5), ("refused", 3), ("truncated", 5), ("denied", 2), ("limited", 5)],
)
def test_failures_in_a_row_open_it(outcome: str, most: int) -> None:
    world = World(healthy())
    world.run(WARM_S)
    for _ in range(most):
        assert world.health.breaker.state == "closed"
        world.health.began(world.now_s, 500, stream=True).ended(world.now_s, outcome)
    assert is_open(world.health)
    assert world.health.openings == {outcome: 1}
    assert world.health.admit(world.now_s, 0.0).reason == "breaker_open"
    assert world.health.reading(world.now_s).reason == outcome


@pytest.mark.parametrize("outcome", ["cancelled", "callers_own"])
def test_ends_that_say_nothing_open_nothing(outcome: str) -> None:
    """A hedge's loser, a client that left, a request at fault: none is the deployment's failure."""
    world = World(failing(outcome, BREAK_S))
    world.run(WARM_S + 20.0)
    assert is_whole(world.health)
    assert world.turned_away == 0


def test_one_failure_in_twenty_opens_nothing_and_one_in_two_does() -> None:
    plain = healthy()
    world = World(
        lambda now_s, draws: (0.01, "error") if draws.random() < 0.05 else plain(now_s, draws)
    )
    world.run(120.0)
    assert world.health.openings == {}
    world.provider = lambda now_s, draws: (
        (0.01, "error") if draws.random() < 0.5 else plain(now_s, draws)
    )
    world.until(is_open, most_s=2.0)


def test_giving_up_early_says_nothing_about_the_deployment() -> None:
    """A route of 150 ms before a model of 600 ms must not close it to everybody else."""
    world = World(healthy(0.6))
    world.run(WARM_S)
    world.limit_s = 0.15
    world.run(WARM_S)
    assert is_whole(world.health)
    assert world.health.openings == {}


def test_giving_up_past_what_is_plausible_opens_it() -> None:
    world = World(healthy(), limit_s=1.0)
    world.run(WARM_S)
    world.provider = lambda _now_s, _draws: (1e9, "ok")
    world.until(is_open, most_s=3.0)
    assert world.health.openings == {"slow": 1}


def test_a_model_that_never_answered_is_given_up_on() -> None:
    world = World(lambda _now_s, _draws: (1e9, "ok"), limit_s=0.15)
    world.until(is_open, most_s=1.0)


def test_a_late_answer_that_is_whole_counts_as_what_it_is() -> None:
    world = World(healthy())
    world.run(WARM_S)
    for _ in range(50):
        begun = world.health.began(world.now_s, 500, stream=True)
        begun.first_content(world.now_s + 0.05)
        begun.ended(world.now_s + 0.3, "slow")
    assert world.health.breaker.state == "closed"
    oks = world.health.oks
    begun = world.health.began(world.now_s, 500, stream=True)
    begun.first_content(world.now_s + 30.0)
    begun.ended(world.now_s + 30.3, "slow")
    assert world.health.oks == oks


@pytest.mark.parametrize("outcome", ["error", "refused", "truncated", "denied"])
def test_half_open_lets_a_few_through_at_once_and_heals_in_half_a_minute(outcome: str) -> None:
    world = World(failing(outcome, BREAK_S, BREAK_S + 40), rate=200.0)
    world.run(WARM_S + 40.0)
    assert world.sent < 200 * WARM_S * 1.1 + 100
    world.until(is_whole, most_s=30.0)
    assert 1 <= world.most_probes <= PROBES
    assert world.health.probes["ok"] >= PROBES
    assert world.health.probes[outcome] >= 3


def test_after_it_closes_traffic_grows_and_does_not_jump() -> None:
    world = World(failing("error", BREAK_S, BREAK_S + 5), rate=200.0)
    world.run(WARM_S + 5.0)
    world.until(lambda health: health.breaker.state == "closed", most_s=12.0)
    assert world.health.share.value <= 0.2
    assert world.health.reading(world.now_s + 1).reason == "ramp"
    before = world.sent
    world.run(1.0)
    assert world.sent - before < 100


def test_a_relapse_opens_sooner_than_the_first_failure() -> None:
    world = World(failing("error", BREAK_S, BREAK_S + 5))
    world.run(WARM_S + 5.0)
    world.until(lambda health: health.breaker.state == "closed", most_s=12.0)
    for _ in range(3):
        world.health.began(world.now_s, 500, stream=True).ended(world.now_s, "error")
    assert is_open(world.health)


def test_flapping_each_second_keeps_the_back_off_short_and_heals() -> None:
    plain = healthy()

    def fate(now_s: float, draws: object) -> tuple[float, str]:
        is_bad = BREAK_S <= now_s < BREAK_S + 60 and int(now_s) % 2 == 0
        return (0.001, "refused") if is_bad else plain(now_s, draws)  # type: ignore[arg-type]

    world = World(fate)
    world.run(WARM_S + 60.0)
    assert world.health.openings["refused"] > 3
    world.until(is_whole, most_s=30.0)


def test_probes_with_unknown_ends_free_their_places() -> None:
    world = World(failing("error", BREAK_S, BREAK_S + 1))
    world.run(WARM_S + 1.0)
    world.until(is_open, most_s=1.0)
    plain = world.provider
    world.provider = lambda _now_s, _draws: (0.05, "cancelled")
    world.run(20.0)
    assert world.health.breaker.state == "half_open"
    assert world.health.probes["cancelled"] > 20
    world.provider = plain
    world.until(is_whole, most_s=30.0)


def test_a_probe_that_is_not_begun_gives_its_place_back() -> None:
    world = World(healthy())
    health = world.health
    for _ in range(6):
        health.began(0.0, 500, stream=True).ended(0.0, "error")
    given = [health.admit(11.0, 0.5) for _ in range(PROBES + 1)]
    assert [each.kind for each in given] == ["probe"] * PROBES + ["open"]
    assert given[-1].reason == "probes_in_flight"
    health.unused(given[0].generation)
    assert health.admit(11.0, 0.5).kind == "probe"
    health.unused(given[0].generation - 1)
    assert health.admit(11.0, 0.5).kind == "open"


def test_a_probe_that_is_lost_does_not_hold_the_breaker_for_ever() -> None:
    health = World(healthy()).health
    for _ in range(6):
        health.began(0.0, 500, stream=True).ended(0.0, "error")
    for _ in range(PROBES):
        assert health.admit(11.0, 0.5).kind == "probe"
    assert health.admit(42.0, 0.5).kind == "open"
    assert health.breaker.reason == "probe_lost"
    assert health.admit(42.0 + LONGEST_S, 0.5).kind == "probe"


def test_what_ends_after_the_breaker_opened_says_nothing_more() -> None:
    health = World(healthy()).health
    tries = [health.began(0.0, 500, stream=True) for _ in range(20)]
    for each in tries:
        each.ended(1.0, "error")
    assert health.openings == {"error": 1}
    late = health.began(1.0, 500, stream=True, probe_of=health.breaker.generation - 1)
    late.ended(1.0, "error")
    assert health.openings == {"error": 1}
    assert health.in_flight == 0


def test_a_429_is_obeyed_for_as_long_as_it_asks_but_not_for_ever() -> None:
    health = World(healthy()).health
    health.began(50.0, 500, stream=True).ended(50.0, "limited", retry_after_s=3.0)
    assert health.admit(52.9, 0.0).reason == "retry_after"
    assert health.reading(52.9).share == 0.0
    assert health.reading(52.9).reason == "retry_after"
    assert health.admit(53.1, 0.0).may_go
    assert 0.0 < health.reading(53.1).share < 1.0
    health.began(53.1, 500, stream=True).ended(53.1, "limited", retry_after_s=86_400.0)
    assert health.admit(53.1 + LONGEST_S, 0.0).may_go


def test_many_429s_at_once_cut_once_and_lasting_ones_open() -> None:
    plain = healthy()
    world = World(
        lambda now_s, draws: (0.01, "limited") if draws.random() < 0.15 else plain(now_s, draws)
    )
    world.run(10.0)
    assert world.health.openings == {}
    assert world.health.share.value < 0.7
    assert world.health.share.reason == "rate_limited"
    world.provider = lambda _now_s, _draws: (0.01, "limited")
    world.until(is_open, most_s=10.0)


def test_a_try_ends_once() -> None:
    health = World(healthy()).health
    begun = health.began(0.0, 500, stream=True)
    begun.first_content(0.1)
    begun.first_content(0.2)
    begun.ended(0.3, "ok", 3)
    begun.ended(0.4, "error")
    begun.first_content(0.5)
    assert (health.oks, health.in_flight) == (1, 0)


def test_a_deployment_with_little_share_is_asked_at_least_twice_a_second() -> None:
    health = World(healthy()).health
    health.share.cut(0.0, "latency_drift")
    health.look(0.1)
    health.began(0.1, 500, stream=True)
    assert health.admit(0.2, 0.99).reason == "beyond_share"
    assert health.admit(0.2, 0.1).reason == "within_share"
    assert health.admit(0.7, 0.99).reason == "trickle"
    assert health.turned_away == {"beyond_share": 1}
