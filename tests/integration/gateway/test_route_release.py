"""What flushes a route's stored answers, and what does not: the digest of what shapes them."""

from pathlib import Path

import pytest

from steadyhand.app.serving import build_serving
from steadyhand.app.state import provider_ports
from steadyhand.records.clock import wall_clock_us
from steadyhand.settings.load import load
from steadyhand.snapshot.compile import compile_snapshot

TABLE = """\
[providers.far]
kind = "openai"
base_url = "{url}"
api_key = "env:{key}"
idle_timeout_s = {idle_s}
"""
ROUTE = """\
[[rungs]]
kind = "live"
provider = "far"
model = "{model}"

[floor]
kind = "error"
"""


def release(
    folder: Path,
    *,
    url: str = "http://127.0.0.1:9/v1",
    key: str = "FAR_KEY",
    idle_s: int = 60,
    model: str = "small",
) -> str:
    """Return the release of the one route of a workspace that is written to ``folder``."""
    (folder / "routes").mkdir(exist_ok=True)
    (folder / "steadyhand.toml").write_text(TABLE.format(url=url, key=key, idle_s=idle_s))
    (folder / "routes" / "support.toml").write_text(ROUTE.format(model=model))
    (folder / "keys.toml").write_text("")
    environment = {"FAR_KEY": "sk-one", "FAR_KEY_2": "sk-two"}
    settings = load(folder, environment, {})
    snapshot = compile_snapshot(
        keys=settings.keys,
        routes=settings.routes,
        prompts=settings.compiled_prompts,
        providers=settings.providers,
        slo_classes=settings.slo_classes,
        now_us=wall_clock_us(),
        version=1,
    )
    return build_serving(snapshot, provider_ports(settings, environment)).ladders["support"].release


async def test_how_a_provider_is_reached_flushes_nothing(tmp_path: Path) -> None:
    before = release(tmp_path)
    assert release(tmp_path, key="FAR_KEY_2", idle_s=5) == before


@pytest.mark.parametrize("change", [{"url": "http://127.0.0.1:10/v1"}, {"model": "large"}])
async def test_who_answers_does(tmp_path: Path, change: dict[str, str]) -> None:
    before = release(tmp_path)
    url = change.get("url", "http://127.0.0.1:9/v1")
    assert release(tmp_path, url=url, model=change.get("model", "small")) != before
