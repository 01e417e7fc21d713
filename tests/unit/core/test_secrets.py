"""A reference names where a secret is; an error names the place and never the secret."""

import re

import pytest

from steadyhand.core.errors import SecretUnavailable
from steadyhand.core.secrets import PATTERN, resolve

ENVIRONMENT = {"KEY": " sk-1\n", "EMPTY": "  "}
FILES = {"key": "sk-2\n", "blank": "\n"}


def read_text(place: str) -> str:
    if place not in FILES:
        raise FileNotFoundError(2, "No such file or directory", place)
    return FILES[place]


@pytest.mark.parametrize(("reference", "secret"), [("env:KEY", "sk-1"), ("file:key", "sk-2")])
def test_a_secret_is_found_and_stripped(reference: str, secret: str) -> None:
    assert resolve(reference, ENVIRONMENT, read_text) == secret


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("env:MISSING", "environment variable MISSING is not set (export MISSING=...)"),
        ("env:EMPTY", "environment variable EMPTY is not set"),
        ("file:missing", "secret file missing cannot be read: No such file or directory"),
        ("file:blank", "secret file blank is empty"),
        ("vault:x", "secret reference 'vault:x' has no known scheme (use env:NAME or file:PATH)"),
    ],
)
def test_what_is_not_there_says_where_it_was_looked_for(reference: str, said: str) -> None:
    with pytest.raises(SecretUnavailable, match=re.escape(said)):
        resolve(reference, ENVIRONMENT, read_text)


@pytest.mark.parametrize(
    ("reference", "is_one"),
    [
        ("env:OPENAI_API_KEY", True),
        ("file:keys/openai", True),
        ("env:1X", False),
        ("env:", False),
        ("file:", False),
        ("sk-live-1234", False),
    ],
)
def test_settings_accept_references_only(reference: str, is_one: bool) -> None:
    assert bool(PATTERN.match(reference)) is is_one
