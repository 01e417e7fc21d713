from email.utils import parsedate_to_datetime

import pytest

from steadyhand.http.head import DatedStatus, header_lines, status_line


def test_fields_become_lines() -> None:
    assert header_lines([(b"a", b"1"), (b"b", b"")]) == b"a: 1\r\nb: \r\n"
    assert header_lines([]) == b""


@pytest.mark.parametrize("value", [b"x\r\nset-cookie: 1", b"x\n", b"\rx"])
def test_a_field_cannot_write_another(value: bytes) -> None:
    with pytest.raises(ValueError, match="line break"):
        header_lines([(b"a", b"1"), (b"b", value)])


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (200, b"HTTP/1.1 200 OK\r\n"),
        (413, b"HTTP/1.1 413 Request Entity Too Large\r\n"),
        (529, b"HTTP/1.1 529 Unknown\r\n"),
    ],
)
def test_statuses_have_their_reason(status: int, line: bytes) -> None:
    assert status_line(status) == line


def test_the_date_is_in_the_form_of_the_rfc() -> None:
    dated = DatedStatus()
    first, date, end = dated(200).split(b"\r\n")
    assert (first, end) == (b"HTTP/1.1 200 OK", b"")
    assert date.startswith(b"date: ")
    assert date.endswith(b" GMT")
    assert parsedate_to_datetime(date[6:].decode()).year >= 2024
    assert dated(200) == dated(200)
    assert dated(404) != dated(200)
