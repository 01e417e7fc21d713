"""Browsers may call only from origins that the settings name."""

import pytest

from steadyhand.gateway.cors import Cors
from tests.support.gateways import request

APP = "https://app.example"


@pytest.mark.parametrize(
    ("allowed", "origin", "expected"),
    [
        ((APP,), APP, True),
        (("*",), "https://any.example", True),
        (("https://other.example", APP), APP, True),
        ((APP,), "https://app.example.evil", False),
        ((APP,), "http://app.example", False),
        ((APP,), "null", False),
        ((), APP, False),
    ],
)
def test_only_named_origins_may_read(allowed: tuple[str, ...], origin: str, expected: bool) -> None:
    headers = dict(Cors(allowed).headers(request(headers={b"origin": origin.encode()})))
    assert (headers.get(b"access-control-allow-origin") == origin.encode()) is expected
    assert bool(headers) is expected
    assert (headers.get(b"vary") == b"origin") is expected


def test_a_request_without_an_origin_is_nobodys_business() -> None:
    assert Cors(("*",)).headers(request()) == ()


def test_a_preflight_grants_what_the_browser_asks_for() -> None:
    asked = {b"origin": APP.encode(), b"access-control-request-headers": b"authorization,x-trace"}
    granted = dict(Cors((APP,)).preflight(request(headers=asked)))
    assert granted[b"access-control-allow-origin"] == APP.encode()
    assert granted[b"access-control-allow-headers"] == b"authorization,x-trace"
    assert b"POST" in granted[b"access-control-allow-methods"]
    assert int(granted[b"access-control-max-age"]) > 0


def test_a_preflight_from_elsewhere_grants_nothing() -> None:
    refused = Cors((APP,)).preflight(request(headers={b"origin": b"https://evil.example"}))
    assert refused == [(b"allow", b"GET, POST, OPTIONS")]
