import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.core.upstream_errors import Complaint, read, reason, retry_after_s, scrub


def wrapped(**fields: object) -> bytes:
    return json.dumps({"error": fields}).encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            wrapped(message="m", type="t", param="p", code="c"),
            Complaint(True, "m", "t", "p", "c"),
        ),
        (wrapped(message=None, type=None, param=None, code=None), Complaint(True)),
        (b"[" + wrapped(message="m", code=429, status="RESOURCE_EXHAUSTED") + b"]",
         Complaint(True, "m", code="RESOURCE_EXHAUSTED", number=429)),
        (wrapped(message="m", code="503"), Complaint(True, "m", number=503)),
        (b'{"error":"broken"}', Complaint(True, "broken")),
        (b'{"message":"m","type":"t"}', Complaint(True, "m", "t")),
        (b'{"detail":"no such model"}', Complaint(True, "no such model")),
        (b'{"detail":[{"msg":"a"},{"msg":"b"},3]}', Complaint(True, "a; b")),
        (b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
         Complaint(True, "Overloaded", "overloaded_error")),
        (b'"just words"', Complaint(True, "just words")),
        (b"plain words, \xff not UTF-8", Complaint(message="plain words, � not UTF-8")),
        (b"<html><title>\n Sign  in </title></html>", Complaint(message="Sign in")),
        (b"<p>No <b>title</b></p>", Complaint(message="No title")),
        (b"", Complaint()),
        (b"{}", Complaint()),
        (b"[]", Complaint()),
        (b"17", Complaint()),
        (b'{"error":null}', Complaint()),
        (b'{"error":{"message":"m","details":[3,{"retryDelay":"1.5s"}]}}',
         Complaint(True, "m", retry_s=1.5)),
        (b'{"error":{"message":"m","details":[{"@type":"x"}]}}', Complaint(True, "m")),
    ],
)  # fmt: skip
def test_every_shape_is_read(body: bytes, expected: Complaint) -> None:
    assert read(body) == expected


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["error", "detail", "message", "code", "details"]), inner),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_comes_is_read_and_named(body: bytes) -> None:
    said = read(body)
    for status in (200, 400, 401, 429, 500):
        name, callers_own = reason(status, said)
        assert name
        assert not (callers_own and status != 400)


@pytest.mark.parametrize(
    ("status", "complaint", "expected"),
    [
        (400, Complaint(True), ("invalid_request", True)),
        (413, Complaint(), ("invalid_request", True)),
        (415, Complaint(), ("invalid_request", True)),
        (422, Complaint(True), ("invalid_request", True)),
        (400, Complaint(True, code="context_length_exceeded"), ("context_length_exceeded", True)),
        (400, Complaint(True, "exceeds the context window"), ("context_length_exceeded", True)),
        (400, Complaint(True, code="content_filter"), ("content_filter", True)),
        (400, Complaint(True, "API key not valid."), ("auth_failed", False)),
        (401, Complaint(True), ("auth_failed", False)),
        (403, Complaint(), ("auth_failed", False)),
        (402, Complaint(True), ("quota_exhausted", False)),
        (404, Complaint(True), ("model_not_found", False)),
        (405, Complaint(), ("invalid_request", False)),
        (408, Complaint(), ("server_error", False)),
        (409, Complaint(), ("server_error", False)),
        (429, Complaint(True, type="requests"), ("rate_limited", False)),
        (429, Complaint(True, type="insufficient_quota"), ("quota_exhausted", False)),
        (429, Complaint(True, code="billing_not_active"), ("quota_exhausted", False)),
        (500, Complaint(True), ("server_error", False)),
        (500, Complaint(True, type="overloaded_error"), ("overloaded", False)),
        (503, Complaint(), ("overloaded", False)),
        (504, Complaint(), ("server_error", False)),
        (529, Complaint(), ("overloaded", False)),
        (301, Complaint(), ("malformed", False)),
        (200, Complaint(message="<html>"), ("malformed", False)),
        (200, Complaint(True, number=429), ("rate_limited", False)),
        (200, Complaint(True, number=17), ("server_error", False)),
        (200, Complaint(True, code="rate_limit_exceeded"), ("rate_limited", False)),
        (200, Complaint(True, type="invalid_request_error"), ("invalid_request", False)),
        (200, Complaint(True, type="overloaded_error"), ("overloaded", False)),
        (200, Complaint(True, "no words that are known"), ("server_error", False)),
    ],
)
def test_a_reason_is_named_and_blame_given(
    status: int, complaint: Complaint, expected: tuple[str, bool]
) -> None:
    assert reason(status, complaint) == expected


DATE = b"Sat, 21 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({b"retry-after": b"20"}, 20.0),
        ({b"retry-after": b"0"}, 0.0),
        ({b"retry-after": b"1.5", b"retry-after-ms": b"1234"}, 1.234),
        ({b"retry-after": b"7", b"retry-after-ms": b"soon"}, 7.0),
        ({b"retry-after": b"-3"}, None),
        ({b"retry-after": b"inf"}, None),
        ({b"retry-after": b"nan"}, None),
        ({b"retry-after": b"Sat, 21 Nov 2026 10:01:00 GMT", b"date": DATE}, 60.0),
        ({b"retry-after": b"Sat, 21 Nov 2026 09:00:00 GMT", b"date": DATE}, 0.0),
        ({b"retry-after": b"Sat, 21 Nov 2026 10:01:00 GMT"}, None),
        ({b"retry-after": b"Sat, 21 Nov 2026 10:01:00 -0000", b"date": DATE}, None),
        ({b"retry-after": b"\xff", b"date": DATE}, None),
    ],
)
def test_a_wait_is_read_from_headers(headers: dict[bytes, bytes], expected: float | None) -> None:
    assert retry_after_s(headers, Complaint()) == expected


def test_a_header_goes_before_the_body() -> None:
    said = Complaint(True, retry_s=34.0)
    assert retry_after_s({}, said) == 34.0
    assert retry_after_s({b"retry-after": b"2"}, said) == 2.0


@pytest.mark.parametrize(
    "credential",
    [
        "sk-proj-abcdef0123456789",
        "sk-ab*****************xyz.",
        "Bearer abc.def",
        "AIzaSyA0123456789abcdef",
        "gsk_0123456789abcdef",
        "hf_0123456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "org-AbCdEf123456",
        "https://host/v1?key=0123456789abcdef",
    ],
)
def test_credentials_are_taken_out(credential: str) -> None:
    clean = scrub(f"Incorrect key {credential} given")
    assert clean.startswith("Incorrect key ")
    assert clean.endswith(" given")
    assert credential[-8:] not in clean


def test_ordinary_words_stay() -> None:
    text = "Invalid 'messages[0].content': the risk-free task-oriented prompt is too long (max 10)."
    assert scrub(text) == text


@given(st.text(min_size=1, max_size=20), st.text(max_size=40), st.text(max_size=40))
def test_our_own_secret_is_never_left(secret: str, before: str, after: str) -> None:
    clean = scrub(before + secret + after, [secret, ""])
    assert secret in "[removed]" or secret not in clean.replace("[removed]", "")


def test_text_is_bounded() -> None:
    assert len(scrub("x" * 100_000)) <= 1000
