from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.prompts.model import Prompt, Template, Text
from steadyhand.routing.settings import RouteSettings, SloSettings
from steadyhand.snapshot.compile import (
    canonical_table,
    compile_snapshot,
    content_digest,
    encode,
)
from steadyhand.snapshot.model import ProviderEntry, Snapshot
from steadyhand.tenancy.model import Key
from steadyhand.tenancy.settings import KeySettings

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
TABLES = st.dictionaries(NAMES, JSON, max_size=4)
KIND = Prompt("p", (Template("system", (Text("Be kind."),)),))
SLO = SloSettings(first_content_ms=1, whole_ms=2, stream_cap_ms=3)


def snapshot_of(
    tables: dict[str, dict[str, Any]], *, now_us: int = 1, version: int = 1
) -> Snapshot:
    """Compile a workspace with a provider, a route and a key for each of ``tables``."""
    routes = {
        name: RouteSettings.model_validate(
            {"rungs": [{"kind": "live", **table}], "floor": {"kind": "error"}, "prompt": "p"}
        )
        for name, table in tables.items()
    }
    return compile_snapshot(
        keys={
            name: KeySettings(hash=f"sha256:{index:064x}", tenant="t")
            for index, name in enumerate(sorted(tables))
        },
        routes=routes,
        prompts={"p": KIND},
        providers={
            name: ProviderEntry("k", canonical_table(table)) for name, table in tables.items()
        },
        slo_classes={"interactive": SLO},
        now_us=now_us,
        version=version,
    )


def reversed_deeply(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reversed_deeply(value[key]) for key in reversed(value)}
    return [reversed_deeply(item) for item in value] if isinstance(value, list) else value


@given(st.dictionaries(NAMES, TABLES, max_size=4))
def test_the_digest_does_not_depend_on_order_time_or_version(
    tables: dict[str, dict[str, Any]],
) -> None:
    one = snapshot_of(tables)
    other = snapshot_of(reversed_deeply(tables), now_us=2, version=9)
    assert one.digest == other.digest
    assert one.digest.startswith("sha256:")
    assert len(one.digest) == 7 + 64


@given(st.dictionaries(NAMES, TABLES, max_size=4))
def test_a_snapshot_survives_a_round_trip(tables: dict[str, dict[str, Any]]) -> None:
    snapshot = snapshot_of(tables)
    again = msgspec.json.decode(encode(snapshot), type=Snapshot)
    assert encode(again) == encode(snapshot)
    assert content_digest(again) == snapshot.digest == again.digest


@given(TABLES, TABLES)
def test_tables_that_differ_have_digests_that_differ(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    same = canonical_table(one) == canonical_table(other)
    assert (snapshot_of({"r": one}).digest == snapshot_of({"r": other}).digest) is same


def test_every_part_of_the_content_enters_the_digest() -> None:
    snapshot = snapshot_of({"r": {"model": "m"}})
    route, key = snapshot.routes["r"], next(iter(snapshot.keys))
    replace = msgspec.structs.replace
    changed = [
        replace(snapshot, routes={"r": replace(route, prompt=None)}),
        replace(snapshot, routes={"r": replace(route, slo="batch")}),
        replace(snapshot, keys={key: replace(snapshot.keys[key], channel="production")}),
        replace(snapshot, providers={}),
        replace(snapshot, slo_classes={}),
        replace(snapshot, default_slo="batch"),
    ]
    assert len({snapshot.digest, *map(content_digest, changed)}) == len(changed) + 1


def test_the_parts_are_where_the_gateway_looks_for_them() -> None:
    snapshot = snapshot_of({"ask": {"provider": "near", "model": "m"}}, now_us=7, version=8)
    assert (snapshot.version, snapshot.compiled_us, snapshot.default_slo) == (8, 7, "interactive")
    assert snapshot.keys == {"0" * 64: Key("ask", "t", "dev", (), ())}
    route = snapshot.routes["ask"]
    assert route.prompt == KIND
    assert route.slo == "interactive"
    assert bytes(route.rungs[0].settings) == b'{"model":"m","provider":"near"}'
    assert (route.rungs[0].kind, route.floor.kind) == ("live", "error")
    assert bytes(route.floor.settings) == b"{}"
    assert snapshot.slo_classes["interactive"].whole_ms == 2


def test_a_route_without_a_prompt_has_none() -> None:
    snapshot = compile_snapshot(
        keys={},
        routes={"r": RouteSettings.model_validate({"floor": {"kind": "error"}})},
        prompts={},
        providers={},
        slo_classes={},
        now_us=1,
        version=1,
    )
    assert snapshot.routes["r"].prompt is None
