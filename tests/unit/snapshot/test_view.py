"""What gateways of some tenants get of a snapshot, and what they do not."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.routing.model import Route, RungEntry, SloClass
from steadyhand.snapshot.compile import canonical_table, content_digest
from steadyhand.snapshot.model import Lane, ProviderEntry, Released, Snapshot
from steadyhand.snapshot.view import floors_only, view
from steadyhand.tenancy.model import Key

FLOOR = RungEntry("error", canonical_table({}))


def rung(**table: object) -> RungEntry:
    return RungEntry("live", canonical_table(table))


def route(name: str, *rungs: RungEntry, slo: str = "interactive") -> Route:
    return Route(name, slo, rungs, FLOOR)


def snapshot() -> Snapshot:
    slo = SloClass("interactive", 1, 2, 3)
    ours = route("ours", rung(provider="near", model="m"), slo="own")
    theirs = route("theirs", rung(deployments=[{"provider": "far", "model": "m"}]))
    both = route("both", RungEntry("knowledge", canonical_table({"collection": "help"})))
    found = Snapshot(
        version=7,
        compiled_us=1,
        digest="",
        keys={
            "a": Key("one", "acme", "dev", ("ours", "both")),
            "b": Key("two", "acme", "production", ("ours",), ("extra/*",)),
            "c": Key("three", "globex", "staging", ("*",)),
        },
        routes={one.name: one for one in (ours, theirs, both)},
        providers={
            name: ProviderEntry("openai", msgspec.Raw(b"{}")) for name in ("near", "far", "extra")
        },
        slo_classes={"interactive": slo, "own": slo, "batch": slo},
        collections={"help": "d1", "secret": "d2"},
        lanes={
            "production": {"ours": Lane("r1", "r2", 500, "s"), "theirs": Lane("r3")},
            "staging": {"theirs": Lane("r3")},
        },
        releases={
            name: Released(name, one, slo)
            for name, one in (("r1", ours), ("r2", ours), ("r3", theirs))
        },
    )
    return msgspec.structs.replace(found, digest=content_digest(found))


def test_for_all_tenants_it_is_the_same() -> None:
    found = snapshot()
    assert view(found, ()) is found


def test_a_tenant_gets_what_its_keys_reach_and_nothing_else() -> None:
    found = view(snapshot(), {"acme"})
    assert set(found.keys) == {"a", "b"}
    assert set(found.routes) == {"ours", "both"}
    assert found.lanes == {"production": {"ours": Lane("r1", "r2", 500, "s")}}
    assert set(found.releases) == {"r1", "r2"}
    assert set(found.providers) == {"near", "extra"}
    assert set(found.slo_classes) == {"interactive", "own"}
    assert found.collections == {"help": "d1"}
    assert (found.version, found.digest) == (7, content_digest(found))
    assert b"globex" not in msgspec.json.encode(found)


def test_a_tenant_with_every_route_gets_them_all_but_no_foreign_key() -> None:
    found = view(snapshot(), {"globex"})
    assert set(found.keys) == {"c"}
    assert set(found.routes) == {"ours", "theirs", "both"}
    assert set(found.lanes) == {"staging"}


def test_a_tenant_without_keys_gets_nothing() -> None:
    found = view(snapshot(), {"nobody"})
    assert (found.keys, found.routes, found.lanes, found.releases) == ({}, {}, {}, {})
    assert (found.providers, found.collections) == ({}, {})


NAMES = st.sampled_from(["acme", "globex", "umbrella"])
ROUTES = st.lists(st.sampled_from(["ours", "theirs", "both", "*"]), max_size=3).map(tuple)
KEYS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.builds(
        Key,
        st.just("k"),
        NAMES,
        st.sampled_from(["dev", "production", "staging"]),
        ROUTES,
        st.sampled_from([(), ("extra/*",), ("*/m",)]),
    ),
)


@given(KEYS, st.sets(NAMES, min_size=1))
def test_nobody_ever_gets_what_no_key_of_theirs_reaches(
    keys: dict[str, Key], tenants: set[str]
) -> None:
    whole = msgspec.structs.replace(snapshot(), keys=keys)
    found = view(whole, tenants)
    assert all(key.tenant in tenants for key in found.keys.values())
    allowed = {name for key in found.keys.values() for name in key.routes}
    assert all("*" in allowed or name in allowed for name in found.routes)
    for channel, lanes in found.lanes.items():
        reaching = [key for key in found.keys.values() if key.channel == channel]
        for name in lanes:
            assert any(name in key.routes or "*" in key.routes for key in reaching)
    named = {
        key
        for lanes in found.lanes.values()
        for lane in lanes.values()
        for key in (lane.stable, lane.candidate)
    }
    assert set(found.releases) <= named
    for key in found.keys.values():  # and all of what they reach
        for name in whole.routes:
            if name in key.routes or "*" in key.routes:
                assert name in found.routes


@pytest.mark.parametrize("tenants", [(), {"acme"}])
def test_only_floors_are_left_of_what_is_too_old(tenants: set[str]) -> None:
    found = floors_only(view(snapshot(), tenants))
    assert all(one.rungs == () for one in found.routes.values())
    assert all(one.route.rungs == () for one in found.releases.values())
    assert found.providers == {}
    assert found.keys
    assert found.digest == content_digest(found)
