"""Methods and targets beyond the usual: what each gets, and what it costs the connection."""

import pytest

from tests.support.installations import CHAT, Installation
from tests.support.raw_client import request_bytes


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "QUERY", "GET", "HEAD"])
def test_other_methods_on_chat_are_405_and_the_connection_stays(
    house: Installation, method: str
) -> None:
    with house.line() as line:
        line.send(request_bytes(method, CHAT))
        answer = line.answer(bodiless=method == "HEAD")
        assert answer.status == 405
        assert answer.headers["allow"] == "POST, OPTIONS"
        assert line.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize(("method", "status"), [("BREW", 400), ("get", 400), ("CONNECT", 405)])
def test_methods_that_nobody_knows_end_the_connection(
    house: Installation, method: str, status: int
) -> None:
    target = "h:443" if method == "CONNECT" else CHAT
    with house.line() as line:
        line.send(request_bytes(method, target))
        answer = line.answer()
        assert (answer.status, answer.headers["connection"]) == (status, "close")
        assert line.is_closed()


def test_a_trace_does_not_say_secrets_back(house: Installation) -> None:
    with house.line() as line:
        line.send(request_bytes("TRACE", "/v1/models", {"Authorization": "Bearer sk-secret"}))
        assert b"sk-secret" not in line.answer().body


def test_options_of_the_server_as_a_whole_are_said(house: Installation) -> None:
    with house.line() as line:
        answer = line.ask("OPTIONS", "*")
        assert (answer.status, answer.headers["allow"]) == (204, "GET, POST, OPTIONS")
        line.send(request_bytes("GET", "*"))
        assert line.answer().status == 400


def test_a_target_of_mebibytes_is_431(house: Installation) -> None:
    with house.line() as line:
        line.send(request_bytes("GET", "/" + "a" * 200_000))
        assert line.answer().status == 431
