"""Where answers are kept: the same question of the same person, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.caching.key import ADDRESS_BYTES, MOST_BODY_BYTES, Namespace, packed, top_fields
from steadyhand.routing.rungs.base import Question
from tests.support.questions import body, question

SECRET = b"k" * 32


def address(asked: Question, *, shared: bool = False, sampled: bool = True) -> bytes | str:
    namespace = Namespace(
        SECRET, tenant=asked.tenant, route=asked.route, release=asked.release, epoch=0
    )
    return namespace.address(asked, shared=shared, sampled=sampled)


def test_the_same_question_has_the_same_address() -> None:
    assert address(question()) == address(question())
    assert len(address(question())) == ADDRESS_BYTES


@pytest.mark.parametrize(
    "other",
    [
        question(tenant="globex"),
        question(key="other"),
        question(user="u"),
        question(route="classify"),
        question(release="r2"),
        question(body("How do I drop a table?")),
        question(body(temperature=0.1)),
        question(body(user="u")),
        question(body(seed=1)),
        question(body(metadata={})),
    ],
)
def test_whatever_shapes_an_answer_shapes_the_address(other: Question) -> None:
    assert address(other) != address(question())


def test_the_epoch_and_the_secret_enter() -> None:
    asked = question()
    names = {"tenant": asked.tenant, "route": asked.route, "release": asked.release}
    found = {
        Namespace(secret, **names, epoch=epoch).address(asked, shared=False)
        for secret in (SECRET, b"j" * 32)
        for epoch in (0, 1)
    }
    assert len(found) == 4


@pytest.mark.parametrize(
    "fields",
    [
        {"stream": True},
        {"stream": False},
        {"stream": True, "stream_options": {"include_usage": True}},
        {"stream_options": None},
    ],
)
def test_a_stream_and_a_whole_answer_share_one(fields: dict[str, Any]) -> None:
    assert address(question(body(**fields))) == address(question())


def test_the_order_of_fields_and_blanks_between_them_do_not_count() -> None:
    plain = {"messages": [{"role": "user"}], "model": "m", "temperature": 0.5}
    compact = json.dumps(plain, separators=(",", ":")).encode()
    turned = json.dumps(dict(reversed(plain.items())), separators=(",", ":")).encode()
    assert address(question(compact)) == address(question(turned))
    spaced = compact.replace(b',"', b' ,\n  "')
    assert address(question(spaced)) == address(question(compact))


class TestWhoseItIs:
    def test_two_keys_of_a_tenant_share_a_named_user(self) -> None:
        assert address(question(key="a", user="u")) == address(question(key="b", user="u"))

    def test_a_user_named_as_a_key_is_somebody_else(self) -> None:
        assert address(question(key="app", user="app")) != address(question(key="app"))

    def test_shared_answers_are_the_same_for_all_of_a_tenant(self) -> None:
        named = question(body(user="u1", safety_identifier="x"), user="u1")
        other = question(body(user="u2"), user="u2", key="b")
        assert address(named, shared=True) == address(other, shared=True)
        assert address(named, shared=True) != address(question(tenant="globex"), shared=True)
        assert address(named, shared=True) != address(named)

    def test_facts_of_one_user_are_never_shared(self) -> None:
        one = question(user="u1", has_user_context=True)
        two = question(user="u2", has_user_context=True)
        assert address(one, shared=True) != address(two, shared=True)
        assert address(one, shared=True) == address(question(user="u1"))

    def test_a_shared_answer_is_not_that_of_a_key_with_such_a_name(self) -> None:
        found = [
            address(question(), shared=True),
            address(question(key="s")),
            address(question(key="")),
            address(question(user="s")),
        ]
        assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"functions": [{}]}, "tools"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "logprobs"),
        ({"n": 2}, "choices"),
        ({"audio": {"voice": "alloy"}}, "audio"),
        ({"modalities": ["text", "audio"]}, "audio"),
    ],
)
def test_what_is_never_kept_has_no_address(fields: dict[str, Any], refused: str) -> None:
    assert address(question(body(**fields))) == refused


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": []},
        {"tools": None},
        {"logprobs": False, "top_logprobs": 0},
        {"n": 1},
        {"n": None},
        {"modalities": ["text"]},
    ],
)
def test_a_field_that_asks_for_nothing_is_no_obstacle(fields: dict[str, Any]) -> None:
    assert isinstance(address(question(body(**fields))), bytes)


@pytest.mark.parametrize(
    ("fields", "kept"),
    [({}, False), ({"temperature": 0.2}, False), ({"temperature": 0}, True)],
)
def test_a_route_may_keep_only_what_is_not_sampled(fields: dict[str, Any], kept: bool) -> None:
    found = address(question(body(**fields)), sampled=False)
    assert (found != "sampled") is kept


def test_a_huge_question_is_not_looked_up() -> None:
    assert address(question(body("x" * MOST_BODY_BYTES))) == "too_large"


@pytest.mark.parametrize(
    "text",
    [
        b'{"messages":[],"messages":[1]}',
        b'{"messages":[],"mess\\u0061ges":[1]}',
        b'{"a":1, "a":2}',
        b'{"model":"x","a":[{"b":1}],"model":"y"}',
        b"[]",
        b"{",
        b'{"\xff":1}',
        b'{"a" :"\xff"}',
        b"",
    ],
)
def test_what_readers_may_understand_differently_has_no_address(text: bytes) -> None:
    assert address(question(text)) == "ambiguous"


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":{"b":1,"b":2}}',  # below the top the bytes themselves are the key
        b'{"a": [ {"b" : 1} ] , "c":null }',
        '{"é":1,"b":"ü"}'.encode(),
        b'{"\\u0061":1}',
        b"{}",
    ],
)
def test_odd_spellings_of_one_meaning_are_taken(text: bytes) -> None:
    assert isinstance(address(question(text)), bytes)


def test_numbers_that_no_reader_can_hold_are_taken_as_they_stand() -> None:
    assert address(question(b'{"a":1e400 }')) != address(question(b'{"a":1e401 }'))


def test_nesting_that_a_reader_may_give_up_on_has_no_address() -> None:
    deep = b'{"a" :' + b"[" * 5_000 + b"]" * 5_000 + b"}"
    assert address(question(deep)) == "ambiguous"


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_no_two_lists_of_parts_give_one_text(one: list[str], two: list[str]) -> None:
    assert (packed(one) == packed(two)) is (one == two)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
PAIRS = st.lists(st.tuples(st.text(max_size=3), JSON_VALUES), max_size=5)


@given(PAIRS, st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : ")]), st.booleans())
def test_a_repeated_field_never_hides(
    pairs: list[tuple[str, object]], separators: tuple[str, str], ascii_only: bool
) -> None:
    comma, colon = separators

    def text(value: object) -> str:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only)

    whole = comma.join(f"{text(name)}{colon}{text(value)}" for name, value in pairs)
    try:
        encoded = f"{{{whole}}}".encode()
    except UnicodeEncodeError:
        encoded = b"{"
    found = top_fields(encoded)
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        assert found is None
    elif found is not None:
        assert {name: json.loads(bytes(raw)) for name, raw in found.items()} == dict(pairs)


def test_no_two_of_many_near_questions_meet() -> None:
    tricks = [
        "",
        "a",
        "a\x00",
        "a:b",
        "1:a",
        "\uff41",
        "\u00e1",
        "a\u0301",
        "\u202ea",
        "a ",
        "\ud800",
    ]
    found = [
        address(question(body(text), tenant=tenant, user=user))
        for text in ("x", "y")
        for tenant in tricks
        for user in tricks
    ]
    assert len(set(found)) == len(found)
