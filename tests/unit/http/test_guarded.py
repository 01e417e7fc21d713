"""Which addresses nobody can listen in on."""

import pytest

from steadyhand.http.guarded import is_guarded


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hooks.example/a", True),
        ("http://127.0.0.1:4318", True),
        ("http://localhost", True),
        ("http://[::1]:8080/x", True),
        ("http://hooks.example/a", False),
        ("http://127.0.0.1.example", False),
        ("https://", False),
        ("ftp://127.0.0.1", False),
        ("", False),
    ],
)
def test_https_and_this_machine_are_guarded(url: str, expected: bool) -> None:
    assert is_guarded(url) is expected
