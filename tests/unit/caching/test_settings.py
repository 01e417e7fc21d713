"""``[cache]``: an address of Redis never holds a secret in the workspace."""

import pytest
from pydantic import ValidationError

from steadyhand.caching.settings import Settings


@pytest.mark.parametrize(
    "url",
    [
        "env:REDIS_URL",
        "file:secrets/redis",
        "redis://127.0.0.1:6379/0",
        "redis://localhost/1",
        "redis://[::1]:6379",
        "rediss://localhost:6380/0",
        "unix:///run/redis.sock",
    ],
)
def test_addresses_that_may_stand_there(url: str) -> None:
    assert Settings(redis_url=url).redis_url == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://cache.example:6379/0", "is a secret"),
        ("redis://:hunter2@127.0.0.1:6379/0", "is a secret"),
        ("http://127.0.0.1:6379", "write env:NAME"),
        ("127.0.0.1:6379", "write env:NAME"),
        ("", "at least 1 character"),
    ],
)
def test_addresses_that_may_not(url: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings(redis_url=url)


def test_bounds() -> None:
    for wrong in ({"hot_mib": -1}, {"redis_timeout_ms": 0}, {"database_mib": 0}, {"max_age_s": 0}):
        with pytest.raises(ValidationError):
            Settings.model_validate(wrong)
