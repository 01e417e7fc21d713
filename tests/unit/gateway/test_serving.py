"""Provider models called by name, and what happens to connections when a snapshot retires."""

import pytest

from steadyhand.gateway import serving
from steadyhand.gateway.serving import DirectLadders, Ladder, Serving
from steadyhand.routing.model import SloClass
from steadyhand.routing.ports import RungPorts
from steadyhand.routing.rungs import live
from steadyhand.routing.rungs.base import LiveRung, is_live
from steadyhand.routing.rungs.error import Error
from tests.support.gateways import PATIENT, snapshot
from tests.support.upstreams import ScriptedProvider

PROVIDER = ScriptedProvider([])


def build(provider: str, model: str) -> LiveRung | None:
    if provider != "acme":
        return None
    return live.build(live.Settings(provider=provider, model=model), RungPorts({"acme": PROVIDER}))


def served() -> Serving:
    route = Ladder("assistant", PATIENT, (), Error())
    direct = DirectLadders(build, Error(), PATIENT)
    return Serving(snapshot(), {"assistant": route}, {"acme": PROVIDER}, direct)


@pytest.mark.parametrize(
    ("model", "patterns", "expected"),
    [
        ("assistant", (), None),
        ("acme/m", ("acme/*",), "acme/*"),
        ("acme/org/m-7b", ("acme/*",), "acme/*"),
        ("acme/m", ("*",), "acme/*"),
        ("acme/m", ("acme/m",), "acme/*"),
        ("acme/m", (), None),
        ("acme/m", ("acme/n", "other/*"), None),
        ("ACME/m", ("acme/*",), None),
        ("other/m", ("*",), None),
        ("acme/", ("*",), None),
        ("acme", ("*",), None),
        ("", ("*",), None),
        ("acme/m\r\nset-cookie: a=b", ("acme/*",), None),
        ("acme/m\x00", ("acme/*",), None),
        ("acme/m\u00e9", ("acme/*",), None),
    ],
)
def test_a_models_ladder_is_found_by_name(
    model: str, patterns: tuple[str, ...], expected: str | None
) -> None:
    """A name goes into a header of the answer, so it must be one that a header can carry."""
    found = served().direct(model, patterns)
    assert (found.route if found else None) == expected


def test_a_direct_ladder_is_one_live_rung_over_an_honest_error() -> None:
    found = served().direct("acme/org/m", ("acme/*",))
    assert found is not None
    (rung,) = found.rungs
    assert is_live(rung)
    (deployment,) = rung.candidates(0.5, "")
    assert deployment.id[:2] == ("acme", "org/m")
    assert isinstance(found.floor, Error)


def test_direct_ladders_are_kept_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MAX_DIRECT_LADDERS", 3)
    direct = DirectLadders(build, Error(), PATIENT)
    first = direct.get("acme/0")
    assert direct.get("acme/0") is first
    for number in range(1, 4):
        assert direct.get(f"acme/{number}") is not None
    assert direct.get("acme/0") is not first


async def test_connections_are_closed_unless_they_are_still_used() -> None:
    kept, left = ScriptedProvider([]), ScriptedProvider([])
    old = Serving(
        snapshot(), {}, {"kept": kept, "left": left}, DirectLadders(build, Error(), PATIENT)
    )
    await old.close(frozenset({id(kept)}))
    assert (kept.is_closed, left.is_closed) == (False, True)


@pytest.mark.parametrize(
    ("slo", "stream", "budget_s", "cap_s"),
    [
        (SloClass("a", 150, 400, 10_000), True, 0.15, 10.0),
        (SloClass("a", 150, 400, 10_000), False, 0.4, 0.4),
        (SloClass("batch", 0, 0, 600_000), True, float("inf"), 600.0),
        (SloClass("batch", 0, 0, 600_000), False, float("inf"), 600.0),
        (SloClass("free", 0, 0, 0), True, float("inf"), float("inf")),
    ],
)
def test_budget_and_cap_come_from_the_class(
    slo: SloClass, stream: bool, budget_s: float, cap_s: float
) -> None:
    ladder = Ladder("r", slo, (), Error())
    assert ladder.budget_s(stream=stream) == budget_s
    assert ladder.cap_s(stream=stream) == cap_s
