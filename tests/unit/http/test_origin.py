import pytest

from steadyhand.core.errors import ConfigurationError
from steadyhand.http.origin import Origin, request_head


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "base_path", "authority"),
    [
        ("https://a.example.com/v1/", "https", "a.example.com", 443, b"/v1", b"a.example.com"),
        ("http://127.0.0.1:19000", "http", "127.0.0.1", 19000, b"", b"127.0.0.1:19000"),
        ("HTTP://Example.COM:80", "http", "example.com", 80, b"", b"example.com"),
        ("http://[::1]:8080/x", "http", "::1", 8080, b"/x", b"[::1]:8080"),
        ("https://bücher.de", "https", "xn--bcher-kva.de", 443, b"", b"xn--bcher-kva.de"),
    ],
)  # fmt: skip
def test_a_base_url_gives_its_parts(
    url: str, scheme: str, host: str, port: int, base_path: bytes, authority: bytes
) -> None:
    origin = Origin.parse(url)
    assert (origin.scheme, origin.host, origin.port) == (scheme, host, port)
    assert (origin.base_path, origin.authority) == (base_path, authority)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "/v1",
        "ftp://h",
        "http://",
        "http://h:99999",
        "http://h:x",
        "https://user:secret@h/v1",
        "https://h/?a=b",
        "https://h/#f",
        "https://h/a b",
        "https://h/ü",
        "https://h\r\nX: 1/",
        "http://" + "a" * 70 + ".example",
    ],
)
def test_what_is_no_base_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Origin.parse(url)
    assert "secret" not in str(caught.value)


def test_a_head_has_host_length_and_the_given_fields() -> None:
    origin = Origin.parse("http://h:1/v1")
    assert request_head(b"POST", b"/chat?a=b", origin, [(b"x", b"y")], 12) == (
        b"POST /v1/chat?a=b HTTP/1.1\r\nhost: h:1\r\nx: y\r\ncontent-length: 12\r\n\r\n"
    )


def test_a_field_cannot_write_another() -> None:
    with pytest.raises(ValueError, match="line break"):
        request_head(b"POST", b"/", Origin.parse("http://h"), [(b"x", b"y\r\nz: 1")], 0)
