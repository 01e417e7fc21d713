"""Errors in the client's shape, with true nulls and headers that clients act on."""

import json

import pytest

from steadyhand.core.errors import (
    InvalidKey,
    NoAnswer,
    RouteForbidden,
    SteadyhandError,
    TooManyConnections,
)
from steadyhand.gateway import errors
from steadyhand.gateway.errors import RelayedFailure
from steadyhand.providers.base import Failure


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (InvalidKey("no key"), 401, "authentication_error"),
        (RouteForbidden("no"), 403, "permission_error"),
        (NoAnswer("none"), 503, "server_error"),
        (RelayedFailure(Failure("rate_limited", status=429)), 429, "rate_limit_error"),
        (RelayedFailure(Failure("invalid_request", status=422)), 422, "invalid_request_error"),
        (RelayedFailure(Failure("server_error")), 502, "server_error"),
    ],
)
def test_the_type_follows_the_status(error: SteadyhandError, status: int, kind: str) -> None:
    sent, headers, body = errors.render(error)
    assert sent == status
    assert json.loads(body)["error"]["type"] == kind
    assert dict(headers)[b"content-type"] == b"application/json"
    assert (b"www-authenticate" in dict(headers)) is (status == 401)


def test_nulls_are_nulls_and_the_hint_is_in_the_message() -> None:
    _, _, body = errors.render(InvalidKey("no key", hint="send one"))
    assert json.loads(body) == {
        "error": {
            "message": "no key (send one)",
            "type": "authentication_error",
            "param": None,
            "code": "invalid_api_key",
        }
    }
    assert b'"param":null' in body


def test_what_a_provider_said_is_said_again() -> None:
    said = Failure("invalid_request", True, 400, "bad temperature", "invalid", "temperature", "c")
    _, _, body = errors.render(RelayedFailure(said))
    assert json.loads(body)["error"] == {
        "message": "bad temperature",
        "type": "invalid",
        "param": "temperature",
        "code": "c",
    }


def test_a_provider_that_said_nothing_is_named_by_its_status() -> None:
    _, _, body = errors.render(RelayedFailure(Failure("invalid_request", True, 400)))
    assert json.loads(body)["error"]["message"] == "the provider answered 400"
    assert json.loads(body)["error"]["code"] is None


@pytest.mark.parametrize(
    ("retry_after_s", "seconds", "milliseconds"),
    [(0.2, b"1", b"200"), (1.0, b"1", b"1000"), (1.2345, b"2", b"1235"), (0.0, b"0", b"0")],
)
def test_a_wait_is_rounded_up(retry_after_s: float, seconds: bytes, milliseconds: bytes) -> None:
    _, headers, _ = errors.render(TooManyConnections("full", retry_after_s=retry_after_s))
    assert dict(headers)[b"retry-after"] == seconds
    assert dict(headers)[b"retry-after-ms"] == milliseconds


def test_a_rate_limit_without_a_wait_is_given_one() -> None:
    _, headers, _ = errors.render(RelayedFailure(Failure("rate_limited", status=429)))
    assert dict(headers)[b"retry-after"] == b"1"


def test_no_wait_is_made_up_where_none_will_help() -> None:
    _, headers, _ = errors.render(RelayedFailure(Failure("quota_exhausted", status=429)))
    assert dict(headers).keys() == {b"content-type", b"x-should-retry"}


@pytest.mark.parametrize(("status", "waits"), [(400, False), (413, False), (503, True)])
def test_what_the_server_refuses_has_the_same_shape(status: int, waits: bool) -> None:
    headers, body = errors.server_error(status, "some_code", "some words")
    assert json.loads(body)["error"]["code"] == "some_code"
    assert (b"retry-after" in dict(headers)) is waits
