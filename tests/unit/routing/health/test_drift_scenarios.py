"""What a deployment's health makes of a provider's days, on a virtual clock."""

from math import inf

import pytest

from steadyhand.routing.health.deployment import DeploymentHealth
from tests.unit.routing.health.world import World, healthy, slower

WARM_S = 60.0
START_S = 1_000.0
BREAK_S = START_S + WARM_S


def is_drifting(health: DeploymentHealth) -> bool:
    return health.drift.is_drifting


def is_whole(health: DeploymentHealth) -> bool:
    return health.share.value >= 1.0 and health.breaker.state == "closed"


@pytest.mark.parametrize("base_s", [0.05, 1.0])
@pytest.mark.parametrize("factor", [3.0, 10.0, 1e9])
def test_a_step_is_seen_in_two_seconds_even_if_nothing_is_answered_any_more(
    base_s: float, factor: float
) -> None:
    world = World(slower(factor, BREAK_S, base_s=base_s))
    world.run(WARM_S)
    assert world.health.drift.seen == 0
    assert world.until(is_drifting, most_s=2.0) <= 2.0
    world.run(10.0)
    assert world.health.share.value < 0.2


@pytest.mark.parametrize(
    ("base_s", "rate"), [(0.05, 100.0), (1.0, 100.0), (0.05, 5.0), (0.05, 1.0)]
)
def test_after_a_heal_the_whole_share_is_back_within_half_a_minute(
    base_s: float, rate: float
) -> None:
    warm_s = 60.0 if rate > 1 else 400.0
    world = World(slower(5.0, START_S + warm_s, START_S + warm_s + 60.0, base_s), rate=rate)
    world.run(warm_s + 60.0)
    assert world.health.share.value < 0.5
    world.until(is_whole, most_s=30.0)
    seen = world.health.drift.seen
    world.run(30.0)
    assert world.health.drift.seen == seen


def test_a_burst_is_no_drift() -> None:
    """Answers come quick ones first: counted as they come, the slow end would look like a step."""
    world = World(healthy())
    world.run(WARM_S)
    for _ in range(2_000):
        world.request()
    world.idle(2.0)
    world.run(5.0)
    assert world.health.drift.seen == 0


def test_stuck_requests_alone_open_nothing_and_cut_nothing_for_long() -> None:
    """In-flight tries count once each; they hold back nothing when the others are well."""

    def fate(now_s: float, draws: object) -> tuple[float, str]:
        if BREAK_S <= now_s < BREAK_S + 0.15:
            return inf, "ok"
        return plain(now_s, draws)  # type: ignore[arg-type] # the world's generator

    plain = healthy()
    world = World(fate)
    world.run(WARM_S + 10.0)
    assert world.health.in_flight >= 5
    assert is_whole(world.health)
    assert world.health.reading(world.now_s).state == "closed"


def test_long_prompts_are_compared_with_long_prompts() -> None:
    """A change of the mix is no drift: seven times the latency for seven times the input."""
    world = World(healthy())
    world.run(WARM_S)
    world.provider, world.input_bytes = healthy(0.35), 60_000
    world.run(WARM_S)
    assert world.health.drift.seen == 0
    world.provider, world.input_bytes = healthy(), 1_000
    world.run(10.0)
    world.provider, world.input_bytes = healthy(1.05), 60_000
    world.until(is_drifting, most_s=5.0)


def test_whole_answers_of_any_length_are_compared_by_length() -> None:
    health = World(healthy()).health
    now_s = 0.0
    for number in range(2_000):
        tokens = 10 if number < 1_000 else 100
        now_s += 0.01
        begun = health.began(now_s, 500, stream=False)
        begun.ended(now_s + 0.01 * tokens + 0.001 * (number % 7), "ok", tokens)
    assert health.drift.seen == 0
    for number in range(200):
        now_s += 0.01
        begun = health.began(now_s, 500, stream=False)
        begun.ended(now_s + 0.03 * 100 + 0.001 * (number % 7), "ok", 100)
    assert health.drift.seen == 1
    assert health.drift.reason == "pace_drift"


def test_a_stream_that_slows_down_after_its_first_content_is_seen() -> None:
    health = World(healthy()).health
    now_s = 0.0
    for number in range(400):
        now_s += 0.1
        begun = health.began(now_s, 500, stream=True)
        begun.first_content(now_s + 0.05)
        slow = 3.0 if number > 250 else 1.0
        begun.ended(now_s + 0.05 + 0.01 * 50 * slow * (1 + 0.01 * (number % 9)), "ok", 50)
    assert health.drift.reason == "pace_drift"
    assert health.share.value < 1.0


def test_a_silent_model_is_seen_by_its_whole_answers_too() -> None:
    world = World(slower(1e9, BREAK_S), stream=False)
    world.run(WARM_S)
    assert world.health.drift.seen == 0
    world.until(is_drifting, most_s=3.0)
    assert world.health.drift.reason == "tail_drift"


def test_longer_whole_answers_are_no_drift_while_others_end_as_usual() -> None:
    """Nobody knows how long an answer will be: its age counts only while nothing else ends."""
    health = World(healthy()).health
    now_s, waiting = 0.0, []
    for number in range(1_500):
        now_s += 0.01
        begun = health.began(now_s, 500, stream=False)
        if number > 1_000 and number % 2:
            waiting.append(begun)  # ten times as many tokens, still being written
        else:
            begun.ended(now_s + 0.1 + 0.001 * (number % 9), "ok", 10)
    assert len(waiting) > 200
    assert health.drift.seen == 0


def test_drift_well_inside_the_limit_is_noted_and_costs_no_traffic() -> None:
    world = World(slower(3.0, BREAK_S, BREAK_S + 30), limit_s=5.0)
    world.run(WARM_S)
    world.until(is_drifting, most_s=2.0)
    world.run(5.0)
    assert world.health.share.value == 1.0
    assert world.health.reading(world.now_s).reason == "drift_with_headroom"
    assert world.health.reading(world.now_s).is_drifting
    assert world.health.drift.ratio > 2.0
    world.run(40.0)
    assert not world.health.drift.is_drifting
    assert world.turned_away == 0


def test_drift_towards_the_limit_costs_traffic_before_there_are_errors() -> None:
    world = World(slower(6.0, BREAK_S), limit_s=0.5)
    world.run(WARM_S)
    world.until(lambda health: health.share.value < 1.0, most_s=3.0)
    assert world.health.breaker.state == "closed"


def test_a_level_that_stays_becomes_the_reference() -> None:
    world = World(slower(4.0, BREAK_S), rate=20.0)
    world.run(WARM_S + 20.0)
    assert world.health.share.value < 0.5
    world.until(is_whole, most_s=400.0)
    world.run(30.0)
    assert is_whole(world.health)


def test_a_day_that_doubles_latency_is_no_drift() -> None:
    def fate(now_s: float, draws: object) -> tuple[float, str]:
        latency_s, outcome = plain(now_s, draws)  # type: ignore[arg-type] # the world's generator
        return latency_s * (1 + (now_s - START_S) / 7_200), outcome

    plain = healthy()
    world = World(fate, rate=10.0)
    world.run(7_200.0)
    assert world.health.drift.seen == 0


def test_flapping_each_second_neither_freezes_nor_runs_away() -> None:
    def fate(now_s: float, draws: object) -> tuple[float, str]:
        latency_s, outcome = plain(now_s, draws)  # type: ignore[arg-type] # the world's generator
        is_slow = BREAK_S <= now_s < BREAK_S + 60 and int(now_s) % 2 == 0
        return latency_s * (10 if is_slow else 1), outcome

    plain = healthy()
    world = World(fate)
    world.run(WARM_S)
    world.until(is_drifting, most_s=4.0)
    world.run(BREAK_S + 60 - world.now_s)
    world.until(is_whole, most_s=30.0)


@pytest.mark.parametrize("stream", [True, False])
def test_an_hour_of_sleep_says_nothing_about_the_provider(stream: bool) -> None:
    world = World(healthy(1.0), stream=stream)
    world.run(WARM_S)
    assert world.health.in_flight > 50
    world.sleep(3_600.0)
    world.run(20.0)
    assert world.health.drift.seen == 0
    assert is_whole(world.health)
    assert world.turned_away == 0


def test_connections_that_the_sleep_broke_open_nothing() -> None:
    world = World(healthy(1.0))
    world.run(WARM_S)
    begun = [world.health.began(world.now_s, 500, stream=True) for _ in range(50)]
    world.sleep(3_600.0)
    for each in begun:
        each.ended(world.now_s, "error")
    assert world.health.breaker.state == "closed"


def test_an_hour_without_requests_leaves_no_stale_share() -> None:
    world = World(slower(5.0, BREAK_S, BREAK_S + 20))
    world.run(WARM_S + 20.0)
    assert world.health.share.value < 0.2
    world.sleep(3_600.0)
    world.request()
    world.run(1.0)
    assert world.health.share.value == 1.0
