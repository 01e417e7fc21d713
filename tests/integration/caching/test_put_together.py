"""The cache as the settings say, and what it makes of the file of epochs."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from steadyhand.app.cache import open_cache, take_over, watch_epochs
from steadyhand.app.state import State
from steadyhand.caching import epoch_file
from steadyhand.caching.epoch_file import EpochWatch
from steadyhand.caching.service import Cache
from steadyhand.core.errors import ConfigurationError, SecretUnavailable
from steadyhand.settings.load import load
from steadyhand.settings.model import Settings
from steadyhand.settings.problems import InvalidWorkspace
from tests.support.cache_tiers import SECRET, until
from tests.support.questions import TERMS, answer, question
from tests.support.workspaces import FILES, write


def settings(root: Path, table: str = "") -> Settings:
    """Return the small workspace with a ``[cache]`` table."""
    return load(write(root, {"steadyhand.toml": f"{FILES['steadyhand.toml']}{table}"}), {}, {})


def opened(root: Path, table: str = "") -> Cache:
    found = settings(root, table)
    State(found).prepare()
    return open_cache(found, SECRET)


@pytest.mark.parametrize(
    ("table", "tiers"),
    [
        ("", ["hot memory", "warm database"]),
        ("[cache]\ndatabase = false\n", ["hot memory"]),
        (
            '[cache]\nredis_url = "redis://127.0.0.1:1/0"\n',
            ["hot memory", "warm redis", "cold database"],
        ),
    ],
)
def test_tiers_are_as_the_settings_say(tmp_path: Path, table: str, tiers: list[str]) -> None:
    found = opened(tmp_path, table).status()
    assert [f"{tier.tier} {tier.backend}" for tier in found] == tiers


def test_the_address_of_redis_may_be_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = '[cache]\nredis_url = "env:OUR_REDIS"\n'
    with pytest.raises(SecretUnavailable, match="OUR_REDIS"):
        opened(tmp_path, table)
    monkeypatch.setenv("OUR_REDIS", "http://127.0.0.1")
    with pytest.raises(ConfigurationError, match="no address of a Redis"):
        opened(tmp_path, table)
    monkeypatch.setenv("OUR_REDIS", "rediss://:pass@cache.example:6380/0")
    assert len(opened(tmp_path, table).status()) == 3


def test_without_its_library_redis_is_refused_with_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "steadyhand.caching.redis_link", None)
    with pytest.raises(ConfigurationError, match="not installed") as raised:
        opened(tmp_path, '[cache]\nredis_url = "redis://127.0.0.1:1/0"\n')
    assert "steadyhand[redis]" in raised.value.hint


def test_a_mistake_in_the_table_names_its_line_and_the_nearest_key(tmp_path: Path) -> None:
    with pytest.raises(InvalidWorkspace) as raised:
        settings(tmp_path, '[cache]\nredis_ur = "redis://10.0.0.9"\nhot_mib = -1\n')
    said = "\n".join(problem.text() for problem in raised.value.problems)
    assert "redis_url" in said
    assert "hot_mib" in said


def test_a_damaged_file_at_a_start_counts_as_a_flush_of_everything(tmp_path: Path) -> None:
    State(settings(tmp_path)).prepare()
    State(settings(tmp_path)).cache_epochs.write_text("{")
    cache = opened(tmp_path)
    assert cache.epochs.of("any", "tenant") > 0
    assert cache.status()[0].failures == {"epochs": 1}


async def test_a_file_damaged_later_keeps_the_epochs_and_empties_memory(tmp_path: Path) -> None:
    cache = opened(tmp_path, "[cache]\ndatabase = false\n")
    path = State(settings(tmp_path)).cache_epochs
    made = epoch_file.flush(path, "", "", 5)
    take_over(cache, EpochWatch(path))
    await asyncio.sleep(0.002)
    cache.keep(question(), TERMS, answer())
    assert cache.peek(question(), TERMS) is not None
    path.write_text("{")
    take_over(cache, EpochWatch(path))
    assert cache.epochs == made
    assert cache.peek(question(), TERMS) is None


async def test_a_flush_between_opening_and_serving_is_not_missed(tmp_path: Path) -> None:
    cache = opened(tmp_path, "[cache]\ndatabase = false\n")
    path = State(settings(tmp_path)).cache_epochs
    made = epoch_file.flush(path, "", "", 7)
    watching = asyncio.create_task(watch_epochs(cache, path))
    await until(lambda: cache.epochs == made)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def test_a_flush_is_seen_while_it_runs(tmp_path: Path) -> None:
    cache = opened(tmp_path, "[cache]\ndatabase = false\n")
    path = State(settings(tmp_path)).cache_epochs
    watching = asyncio.create_task(watch_epochs(cache, path))
    await asyncio.sleep(0)
    made = epoch_file.flush(path, "support", "", 7)
    await until(lambda: cache.epochs == made)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
