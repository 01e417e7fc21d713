import pytest

from steadyhand.http.refusal import Refusal
from steadyhand.http.target import check_host, origin_form


@pytest.mark.parametrize(
    ("method", "url", "found"),
    [
        (b"GET", b"/v1?a=b?c", (b"/v1", b"a=b?c", None)),
        (b"GET", b"//x/y", (b"//x/y", b"", None)),
        (b"GET", b"http://h:1/v1?a", (b"/v1", b"a", b"h:1")),
        (b"GET", b"HTTPS://[::1]?a", (b"/", b"a", b"[::1]")),
        (b"GET", b"http://h", (b"/", b"", b"h")),
        (b"OPTIONS", b"*", (b"*", b"", None)),
    ],
)
def test_a_target_of_each_form_has_one_meaning(
    method: bytes, url: bytes, found: tuple[bytes, bytes, bytes | None]
) -> None:
    assert origin_form(method, url) == found


@pytest.mark.parametrize(
    "url",
    [b"*", b"p", b"h:443", b"ftp://h/", b"http:///p", b"http://?a", b"http://u@h/", b"/a#b"],
)
def test_a_target_of_no_form_is_refused(url: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        origin_form(b"GET", url)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "host", [b"", b"h", b"a_b.example:8080", b"127.0.0.1:1", b"[::1]", b"[fe80::1]:80", b"h:"]
)
def test_a_host_and_port_pass(host: bytes) -> None:
    check_host(host)


@pytest.mark.parametrize(
    "host",
    [
        b"a, b",
        b"a b",
        b"u@h",
        b"h/p",
        b"h?q",
        b"h#f",
        b"h:x",
        b"h:123456",
        b"[::1",
        b"::1",
        b"\xe9",
    ],
)
def test_what_is_no_host_is_refused(host: bytes) -> None:
    with pytest.raises(Refusal):
        check_host(host)
