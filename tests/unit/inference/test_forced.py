"""A tool call is read off the text that the engine writes for it, however it is cut."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.inference.forced import ForcedCall

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(st.text(min_size=1, max_size=12), values, st.sampled_from([None, 2]), st.data())
def test_name_and_arguments_come_out_as_they_went_in(
    name: str, arguments: object, indent: int | None, data: st.DataObject
) -> None:
    text = json.dumps({"name": name, "arguments": arguments}, indent=indent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    call = ForcedCall()
    said = ""
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        said += call.feed(text[start:end])
    assert call.name == name
    assert json.loads(said) == arguments
    assert call.rest() == ""
    assert call.feed("\n\n") == "", "what follows the call is not part of it"


@pytest.mark.parametrize("text", ["", "{", '{"name": "f"', "Sure! I can"])
def test_what_never_becomes_a_call_is_kept(text: str) -> None:
    call = ForcedCall()
    assert call.feed(text) == ""
    assert (call.name, call.rest()) == (None, text)


def test_arguments_are_passed_on_as_they_come() -> None:
    call = ForcedCall()
    assert call.feed('{"name":"f","arguments":{"a":') == '{"a":'
    assert call.feed('"}\\""') == '"}\\""'
    assert call.feed("}}") == "}"
