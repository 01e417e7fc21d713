from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from steadyhand.core.errors import ConfigurationError, SecretUnavailable
from steadyhand.providers.openai import Settings, build
from tests.support.simulators import ports


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_url", "api.openai.com/v1"),
        ("base_url", "https://user:word@example.com/v1"),
        ("base_url", "https://example.com/v1?x=1"),
        ("api_key", "sk-in-the-file"),
        ("headers", {"authorization": "Bearer x"}),
        ("headers", {"Api-Key": "x"}),
        ("headers", {"Host": "elsewhere"}),
        ("headers", {"Content-Length": "0"}),
        ("headers", {"x-a": "b\r\nx-c: d"}),
        ("headers", {"x a": "b"}),
        ("organization", "org\n"),
        ("idle_timeout_s", 0),
        ("max_connections", 0),
        ("retries", 3),
    ],
)
def test_a_mistake_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({field: value})


def test_every_setting_is_described() -> None:
    assert [n for n, f in Settings.model_fields.items() if not f.description] == []


@pytest.mark.parametrize("key", ["sk-one\r\nx-evil: 1", "schlüssel", "sk\x00"])
def test_a_key_that_cannot_be_a_key_is_refused(key: str) -> None:
    with pytest.raises(SecretUnavailable, match="env:KEY") as caught:
        build(Settings(api_key="env:KEY"), ports(lambda _: key))
    assert key not in str(caught.value)


def test_authorities_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.pem", tmp_path):
        with pytest.raises(ConfigurationError, match="ca_file"):
            build(Settings(ca_file=path), ports())
