"""Splices do what the dict operation does, and touch no other byte."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from steadyhand.core import splice
from steadyhand.core.errors import InvalidRequest

NAME = "model"
WORDS = st.sampled_from(
    [NAME, "messages", "a", "", '"', "\\", "{", "}", "[]", ",", ":", '{"model":1}', '"model"', "é"]
)
TEXTS = WORDS | st.text(max_size=8) | st.lists(WORDS, max_size=4).map("".join)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=5)
GAPS = st.sampled_from(["", " ", "\n", "\t ", "\r\n"])


@st.composite
def spellings(draw: st.DrawFn, objects: st.SearchStrategy[dict[str, Any]] = OBJECTS) -> bytes:
    """Write an object as a client might: any white space, any of JSON's ways to escape."""
    ascii_only = draw(st.booleans())

    def gap() -> str:
        return draw(GAPS)

    def text(value: str) -> str:
        if value and value.isascii() and draw(st.integers(0, 5)) == 0:
            return '"' + "".join(f"\\u{ord(letter):04x}" for letter in value) + '"'
        return json.dumps(value, ensure_ascii=ascii_only)

    def written(value: object) -> str:
        if isinstance(value, str):
            return text(value)
        if isinstance(value, list):
            return "[" + ",".join(gap() + written(item) + gap() for item in value) + gap() + "]"
        if isinstance(value, dict):
            fields = (
                gap() + text(key) + gap() + ":" + gap() + written(item) + gap()
                for key, item in value.items()
            )
            return "{" + ",".join(fields) + gap() + "}"
        return json.dumps(value)

    body = gap() + written(draw(objects)) + gap()
    return body.encode("utf-8", "surrogatepass")


def with_name(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects that have the field, at any place among the others."""
    return st.tuples(OBJECTS, strategy, OBJECTS).map(
        lambda parts: (
            {k: v for k, v in parts[0].items() if k != NAME}
            | {NAME: parts[1]}
            | {k: v for k, v in parts[2].items() if k != NAME}
        )
    )


def read(body: bytes) -> Any:
    return json.loads(body.decode("utf-8", "surrogatepass"))


@given(spellings())
@example(b'{"x \\"model": 1}')  # an escaped quote is not the beginning of a key
@example(b'{"a}\\"model": 1}')
@example(b'{"a": "model", "\\u006dodel": 2}')
@example(b'{"a": {"model": 1}}')
def test_a_field_is_found_where_it_stands(body: bytes) -> None:
    fields = read(body)
    span = splice.find(body, b"model")
    assert (span is not None) == (NAME in fields)
    if span is not None:
        assert read(body[span.value : span.end]) == fields[NAME]
        assert read(b"{" + body[span.key : span.end] + b"}") == {NAME: fields[NAME]}


@given(spellings(), VALUES)
def test_set_is_the_dict_operation(body: bytes, value: object) -> None:
    edited = splice.set_field(body, b"model", json.dumps(value).encode())
    assert read(edited) == {**read(body), NAME: value}
    assert list(read(edited)) == list({**read(body), NAME: value}), "the order has changed"


@given(spellings())
def test_remove_is_the_dict_operation(body: bytes) -> None:
    expected = read(body)
    expected.pop(NAME, None)
    assert list(read(splice.remove_field(body, b"model")).items()) == list(expected.items())


@given(spellings(), VALUES)
def test_append_is_the_dict_operation(body: bytes, value: object) -> None:
    if NAME in read(body):
        return
    edited = splice.append(body, b"model", json.dumps(value).encode())
    assert list(read(edited).items()) == [*read(body).items(), (NAME, value)]


@given(spellings(with_name(st.lists(VALUES, max_size=3))), VALUES)
def test_put_first_is_the_list_operation(body: bytes, element: object) -> None:
    edited = splice.put_first(body, b"model", json.dumps(element).encode())
    fields = read(body)
    assert read(edited) == {**fields, NAME: [element, *fields[NAME]]}


@given(spellings(with_name(VALUES)))
def test_every_other_byte_stays(body: bytes) -> None:
    span = splice.find(body, b"model")
    assert span is not None
    head, tail = body[: span.value], body[span.end :]
    assert splice.set_field(body, b"model", b"null") == head + b"null" + tail
    removed = splice.remove_field(body, b"model")
    left, right = body[: span.key].rstrip(), tail.lstrip()
    left = left[: -left.endswith(b",") or None]
    assert removed.startswith(left)
    assert removed.endswith(right.removeprefix(b","))


@given(spellings(with_name(st.lists(VALUES, max_size=3))))
def test_put_first_only_inserts(body: bytes) -> None:
    edited = splice.put_first(body, b"model", b"0")
    assert len(edited) - len(body) in (1, 2)
    at = next(
        i for i, (old, new) in enumerate(zip(body + b" ", edited, strict=False)) if old != new
    )
    assert edited[:at] + edited[at + len(edited) - len(body) :] == body


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":1,"model":2}',
        b'{"model":1,"x":{"model":3},"model":2}',
        b'{"model":1,"\\u006dodel":2}',
        b'{"\\u006d\\u006f\\u0064\\u0065\\u006C":1,"mod\\u0065l":2}',
    ],
)
def test_a_field_given_twice_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="given twice") as caught:
        splice.find(body, b"model")
    assert caught.value.param == "model"


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"models":[1]}',
        b'{"model":{"a":1}}',
        b'{"model":"[1]"}',
        b'{"model":null}',
        b'{"x":{"model":[1]}}',
        b'{"\\u006dodel":5}',
        b'{"a":"model","\\u006dodels":[1]}',
    ],
)
def test_put_first_needs_an_array(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="must be an array"):
        splice.put_first(body, b"model", b"0")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"model":"m"}', b'{"model":"x"}'),
        (
            b'{ "n" : 9007199254740993 , "model" : "m" }',
            b'{ "n" : 9007199254740993 , "model" : "x" }',
        ),
        (b'{"m":"model","model":"m\\"}"}', b'{"m":"model","model":"x"}'),
        (b'{"m":1.10,"mod\\u0065l":"m"}', b'{"m":1.10,"mod\\u0065l":"x"}'),
        (b'{"m":1}', b'{"m":1,"model":"x"}'),
        (b"{ }", b'{ "model":"x"}'),
    ],
)
def test_the_model_is_set_in_place(body: bytes, expected: bytes) -> None:
    assert splice.set_model(body, b'"x"') == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", {"include_usage": True}),
        ("null", {"include_usage": True}),
        ("{}", {"include_usage": True}),
        ('{"include_usage":false}', {"include_usage": True}),
        ('{"include_usage":null,"new":1}', {"include_usage": True, "new": 1}),
        ('{"include_obfuscation":false}', {"include_obfuscation": False, "include_usage": True}),
    ],
)
def test_usage_is_asked_for(options: str, expected: dict[str, Any]) -> None:
    field = f',"stream_options":{options}' if options else ""
    body = f'{{"stream":true{field},"messages":[]}}'.encode()
    asked = read(splice.ask_usage(body))
    assert asked == {"stream": True, "stream_options": expected, "messages": []}


@pytest.mark.parametrize(
    "text",
    [b"A" * 4_000_000, b"\\u0061" * 100_000, b'\\"' * 200_000],
    ids=["an image", "escaped letters", "escaped quotes"],
)
def test_a_long_string_costs_little_memory(text: bytes) -> None:
    """An image in a message is one string of megabytes; the scan must not keep a stack of it."""
    body = b'{"stream_options":{"a":1},"messages":["%b"]}' % text
    tracemalloc.start()
    try:
        assert splice.find(body, b"stream_options") == splice.Span(1, 18, 25)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * len(body)


def test_a_body_that_is_cut_has_no_field_that_can_be_taken_out() -> None:
    """Such a body is refused before it is edited; here it must not raise what nobody foresees."""
    assert splice.find(b'{"steadyhand":{"user":"u"', b"steadyhand") is None
