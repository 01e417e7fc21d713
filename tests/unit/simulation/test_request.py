from typing import Any

import pytest

from steadyhand.simulation.request import Refusal, read
from tests.support.simulators import chat_body


@pytest.mark.parametrize(
    ("body", "code", "param", "words"),
    [
        (b"", None, None, "could not parse"),
        (b"{", None, None, "could not parse"),
        (b'{"model":"\xff"}', None, None, "could not parse"),
        (b'{"x":' + b"[" * 100_000, None, None, "could not parse"),
        (b"[]", "invalid_type", None, "Expected `object`"),
        (b'{"messages":[]}', "missing_required_parameter", "model", "parameter: 'model'"),
        (b'{"model":"steady"}', "missing_required_parameter", "messages", "'messages'"),
        (chat_body(messages=[]), "empty_array", "messages", "empty array"),
        (chat_body(messages=[{}]), "invalid_type", "messages[0]", "role"),
        (chat_body(model=1), "invalid_type", "model", "Expected `str`"),
        (chat_body(n=0.5), "invalid_type", "n", "Expected `int"),
        (chat_body(n=129), "integer_out_of_range", "n", "129"),
        (chat_body(n=-1), "integer_out_of_range", "n", "-1"),
        (chat_body(stream_options={}), None, "stream_options", "only allowed when"),
        (chat_body(top_logprobs=2), None, "top_logprobs", "must be true"),
    ],
)
def test_a_request_is_turned_down(
    body: bytes, code: str | None, param: str | None, words: str
) -> None:
    with pytest.raises(Refusal) as caught:
        read(body)
    assert (caught.value.status, caught.value.code, caught.value.param) == (400, code, param)
    assert words in caught.value.message


@pytest.mark.parametrize(
    "fields",
    [
        {"seed": 2**80, "temperature": 0, "user": "u", "metadata": {"a": "b"}, "x_new": [1]},
        {"stream": None, "n": None, "tools": None, "response_format": None, "stop": None},
        {"messages": [{"role": "developer", "content": "x", "name": "y", "cache_control": {}}]},
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"id": "f"}}]}]},
    ],
)
def test_what_is_not_understood_is_accepted(fields: dict[str, Any]) -> None:
    assert read(chat_body(**fields)).model == "route"
