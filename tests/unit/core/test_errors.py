"""Every error has its own stable code and a status, and reads as one line."""

import re

import pytest

from steadyhand.core import errors
from steadyhand.core.errors import NoAnswer, SteadyhandError


def tree(root: type[SteadyhandError]) -> list[type[SteadyhandError]]:
    return [root, *(one for child in root.__subclasses__() for one in tree(child))]


TREE = [kind for kind in tree(SteadyhandError) if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", TREE, ids=lambda kind: kind.__name__)
def test_an_error_has_a_code_and_a_status(kind: type[SteadyhandError]) -> None:
    assert re.fullmatch(r"[a-z_]+", kind.code)
    assert 400 <= kind.status <= 599
    assert not kind.retryable or kind.status in (429, 503)


def test_codes_are_not_shared() -> None:
    codes = [kind.code for kind in TREE]
    assert len(set(codes)) == len(codes)


def test_an_error_reads_as_one_line_with_its_hint() -> None:
    error = NoAnswer("no model answered", hint="try later", param="model", retry_after_s=2.5)
    assert str(error) == "no model answered (try later)"
    assert str(NoAnswer("no model answered")) == "no model answered"
    assert (error.message, error.param, error.retry_after_s) == ("no model answered", "model", 2.5)
