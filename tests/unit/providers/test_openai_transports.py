"""Which transport a provider's settings choose, and what they say when it cannot be had."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from steadyhand.core.errors import ConfigurationError, SecretUnavailable
from steadyhand.providers.base import UnusableFile
from steadyhand.providers.openai import Settings, build
from steadyhand.settings.load import load
from steadyhand.settings.problems import InvalidWorkspace
from tests.support.certificates import Authority
from tests.support.simulators import ports
from tests.support.tree import PACKAGE
from tests.support.workspaces import write


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"proxy_url": "http://proxy:3128"}, "set transport = 'aiohttp'"),
        ({"transport": "aiohttp", "proxy_url": "http://me:word@proxy"}, "holds a user"),
        ({"transport": "aiohttp", "proxy_url": "socks5://proxy"}, "not absolute http"),
        ({"transport": "aiohttp", "proxy_url": "https://proxy"}, "http://host:port"),
        ({"transport": "aiohttp", "proxy_url": "http://proxy/path"}, "http://host:port"),
        ({"transport": "aiohttp", "proxy_credentials": "env:P"}, "set proxy_url"),
        (
            {"transport": "aiohttp", "proxy_url": "http://p", "proxy_credentials": "me:word"},
            "pattern",
        ),
        ({"transport": "curl"}, "'native' or 'aiohttp'"),
        ({"client_cert": "a.pem"}, "go together"),
        ({"client_key": "a.pem"}, "go together"),
    ],
)
def test_what_does_not_fit_together_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Settings.model_validate(settings)


def test_without_the_extra_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    Settings()
    with pytest.raises(ConfigurationError) as caught:
        Settings(transport="aiohttp")
    assert "steadyhand[aiohttp]" in caught.value.hint


def test_the_extra_is_imported_only_where_it_is_chosen() -> None:
    program = (
        "import sys\n"
        "from tests.support.simulators import ports\n"
        "from steadyhand.providers.openai import Settings, build\n"
        "build(Settings(), ports())\n"
        "assert 'aiohttp' not in sys.modules\n"
        "build(Settings(transport='aiohttp'), ports())\n"
        "assert 'aiohttp' in sys.modules\n"
    )
    root = PACKAGE.parent.parent
    subprocess.run([sys.executable, "-c", program], cwd=root, check=True, timeout=60)


@pytest.mark.parametrize("secret", ["hunter2", "me:hunter\n2"])
def test_credentials_that_are_none_are_refused(secret: str) -> None:
    settings = Settings(
        transport="aiohttp", proxy_url="http://proxy:3128", proxy_credentials="env:P"
    )
    with pytest.raises(SecretUnavailable, match="env:P") as caught:
        build(settings, ports(lambda _: secret))
    assert secret not in str(caught.value)


def test_a_certificate_and_another_ones_key_are_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    one, other = authority.issue("one"), authority.issue("other")
    build(Settings(client_cert=one.certificate, client_key=one.key), ports())
    with pytest.raises(UnusableFile) as caught:
        build(Settings(client_cert=one.certificate, client_key=other.key), ports())
    assert caught.value.key == "client_cert"


def test_validate_names_the_remedy_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    text = '[providers.near]\nkind = "openai"\ntransport = "aiohttp"\n'
    with pytest.raises(InvalidWorkspace) as caught:
        load(write(tmp_path, {"steadyhand.toml": text}), {}, {})
    (problem,) = [found for found in caught.value.problems if "aiohttp" in found.text()]
    assert problem.code == "E0105"
    assert "pip install 'steadyhand[aiohttp]'" in problem.text()
