"""Same family, so nothing is translated: what the client wrote arrives, what the model wrote too.

Only ``model`` is replaced on the way up, by splice; every other byte stays as it was.
"""

import base64
import json
import random
from typing import Any

import pytest

from tests.support.canned_upstream import Script
from tests.support.chats import answer_body
from tests.support.installations import Installation, chat_body
from tests.support.raw_client import Answer
from tests.support.wire_fixtures import Exchange, exchanges

ANSWERS = [found for found in exchanges("openai") if "error" not in found.name]


def ask_bytes(house: Installation, script: Script, body: bytes) -> Answer:
    """Send ``body``, in which ``$`` stands for the model."""
    return house.ask("", body=body.replace(b"$", f"canned/{script.model}".encode()))


def arrived(script: Script) -> bytes:
    """Return the body that came upstream, with ``$`` put back for the model."""
    return script.request.body.replace(script.model.encode(), b"$")


ODD_BODIES = {
    "unknown fields": b'{"model":"$","messages":[{"role":"user","content":"Hi"}],'
    b'"novelty":{"a":[1,null,{"b":"c"}]},"metadata":{"team":"a"},"service_tier":"flex","user":"u"}',
    "the developer role": b'{"model":"$","messages":[{"role":"developer","content":"Be brief"},'
    b'{"role":"user","content":"Hi"}]}',
    "names and unknown fields of messages": b'{"model":"$","messages":[{"role":"user","name":"Ann",'
    b'"content":"Hi","cache_control":{"type":"ephemeral"},"novelty":1}]}',
    "nulls": b'{"model":"$","messages":[{"role":"assistant","content":null,"refusal":null},'
    b'{"role":"user","content":"Hi"}],"stop":null,"temperature":null,"stream":null,"tools":null}',
    "64-bit integers": b'{"model":"$","messages":[{"role":"user","content":"Hi"}],'
    b'"seed":9223372036854775807,"top":18446744073709551615,"low":-9223372036854775808}',
    "numbers as they are spelled": b'{"model":"$","messages":[{"role":"user","content":"Hi"}],'
    b'"temperature":1.0,"top_p":1e-3,"x":0.30000000000000004,"y":1E5}',
    "white space and order": b'{ "messages" :\n\t[ {"content":"Hi", "role":"user"} ] ,\r\n'
    b'  "n" : 1 , "model"\t:"$" }',
    "escapes as they are spelled": rb'{"model":"$","messages":[{"role":"user","content":'
    rb'"\u00e9\/\ud83d\ude00 \"model\": x"}]}',
    "line separators": (
        '{"model":"$","messages":[{"role":"user","content":"a\u2028b\u0085c"}]}'.encode()
    ),
    "URLs, unfetched": b'{"model":"$","messages":[{"role":"user","content":[{"type":"image_url",'
    b'"image_url":{"url":"http://127.0.0.1:1/never.png","detail":"low"}}]}]}',
    "files": b'{"model":"$","messages":[{"role":"user","content":[{"type":"file","file":'
    b'{"file_id":"file-1","filename":"a.pdf"}},{"type":"text","text":"Hi"}]}]}',
    "audio": b'{"model":"$","modalities":["text","audio"],"audio":{"voice":"alloy","format":"wav"},'
    b'"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":'
    b'{"data":"UklGRgAAAABXQVZF","format":"wav"}}]}]}',
}


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES.keys())
def test_a_request_reaches_the_model_byte_for_byte(house: Installation, body: bytes) -> None:
    script = house.canned.answer(answer_body())
    assert ask_bytes(house, script, body).status == 200
    assert arrived(script) == body


def test_an_image_of_two_megabytes_arrives_byte_identical(house: Installation) -> None:
    image = base64.b64encode(random.Random(7).randbytes(2_000_000)).decode()
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}"}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, part]}]
    body = json.dumps({"model": "$", "messages": messages}).encode()
    script = house.canned.answer(answer_body())
    assert ask_bytes(house, script, body).status == 200
    assert arrived(script) == body


def test_a_stream_s_request_gains_the_wish_for_usage_and_nothing_else(
    house: Installation,
) -> None:
    script = house.canned.answer(answer_body())
    body = b'{"model":"$","messages":[{"role":"user","content":"Hi"}],"stream":true}'
    ask_bytes(house, script, body)
    assert arrived(script) == body[:-1] + b',"stream_options":{"include_usage":true}}'


def test_our_own_extension_does_not_go_upstream(house: Installation) -> None:
    script = house.canned.answer(answer_body())
    body = chat_body("$", steadyhand={"deadline_ms": 9000}, user="u")
    assert ask_bytes(house, script, body).status == 200
    assert json.loads(arrived(script)) == json.loads(chat_body("$", user="u"))


@pytest.mark.parametrize("found", ANSWERS, ids=[found.name for found in ANSWERS])
def test_an_answer_reaches_the_client_byte_for_byte(house: Installation, found: Exchange) -> None:
    """Unknown fields, nulls, refusals, logprobs, annotations, 64-bit integers and all."""
    fields: dict[str, Any] = dict(found.request)
    if found.stream:
        fields |= {"stream": True, "stream_options": {"include_usage": True}}
    script = house.canned.script(found.raw())
    answer = house.ask(f"canned/{script.model}", **fields)
    assert answer.status == 200
    assert answer.body == found.body


def test_an_answer_of_megabytes_arrives_whole(house: Installation) -> None:
    body = answer_body("x" * 5_000_000)
    script = house.canned.answer(body)
    assert house.ask(f"canned/{script.model}").body == body
