"""The corpus that fuzzing has gathered, held to the same promises without the fuzzer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz import request_reader, response_reader
from tests.support.smuggling import AFTER, suspects
from tests.support.valid_messages import REQUESTS, RESPONSES

CORPUS = Path(__file__).parent / "corpus"
MOST_FILES, MOST_BYTES = 300, 300_000
TARGETS = {"request_reader": request_reader.check, "response_reader": response_reader.check}


@pytest.mark.parametrize(("target", "check"), TARGETS.items(), ids=TARGETS)
def test_every_input_of_the_corpus_keeps_the_promises(
    target: str, check: Callable[[bytes], None]
) -> None:
    files = sorted((CORPUS / target).iterdir())
    assert 30 < len(files) <= MOST_FILES
    assert sum(file.stat().st_size for file in files) <= MOST_BYTES
    for file in files:
        check(file.read_bytes())


def test_suspects_and_valid_requests_keep_them_too() -> None:
    for suspect in suspects():
        request_reader.check(suspect.wire + AFTER)
    for wire in REQUESTS.values():
        request_reader.check(wire)


def test_valid_responses_keep_them_too() -> None:
    for wire in RESPONSES.values():
        response_reader.check(wire)
