"""The value that travels: what a stage may ask of it, and when."""

import pytest

from steadyhand.gateway.exchange import Exchange, Trail
from steadyhand.gateway.wire.openai import read_chat
from tests.support.chats import chat_body
from tests.support.gateways import gateway_bench, request
from tests.support.replies import MemoryReply


def test_stages_in_the_wrong_order_are_a_bug_that_says_so() -> None:
    serving = gateway_bench().gateway.serving
    chat, _ = read_chat(chat_body())
    exchange = Exchange(request(), MemoryReply(), "req_1", "", serving, Trail(), chat, chat_body())
    with pytest.raises(RuntimeError, match="'resolve' must come before"):
        exchange.answering_ladder()
