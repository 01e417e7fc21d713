"""Where spans go, and which addresses are refused."""

import pytest
from pydantic import ValidationError

from steadyhand.telemetry.settings import TraceSettings


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
        ("https://otlp.example/", "https://otlp.example/v1/traces"),
        ("https://otlp.example/api/otel", "https://otlp.example/api/otel/v1/traces"),
        ("https://otlp.example/v1/traces", "https://otlp.example/v1/traces"),
    ],
)
def test_the_path_is_added_once(endpoint: str, url: str) -> None:
    assert TraceSettings(endpoint=endpoint).url == url


def test_without_an_endpoint_nothing_is_sent() -> None:
    assert TraceSettings().url == ""
    assert TraceSettings(endpoint=None).url == ""


@pytest.mark.parametrize(
    "endpoint",
    [
        "collector:4318",
        "grpc://collector:4317",
        "https://",
        "https://user:secret@otlp.example",
        "https://otlp.example?key=secret",
        "https://otlp.example#part",
        "http://collector:4318",
    ],
)
def test_addresses_that_cannot_or_should_not_be_used_are_refused(endpoint: str) -> None:
    with pytest.raises(ValidationError):
        TraceSettings(endpoint=endpoint)


def test_http_elsewhere_has_to_be_wished_for() -> None:
    made = TraceSettings(endpoint="http://collector:4318", insecure=True)
    assert made.url == "http://collector:4318/v1/traces"
