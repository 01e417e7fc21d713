"""Samples of answers: after the last byte, of whole live answers, of routes that are named."""

import asyncio
import json

from msgspec.structs import replace

from steadyhand.evals.grounding.context import segments
from steadyhand.evals.grounding.sample import Arm, Sample, Terms, decoded
from steadyhand.gateway.climb.gear import Gear
from steadyhand.gateway.climb.keepable import good_whole
from steadyhand.gateway.climb.samples import Samples
from steadyhand.gateway.serving import Choice, Serving
from steadyhand.records.annotation import Annotation
from steadyhand.records.exposures.model import CANDIDATE, COMPARED, CONTROL, STABLE
from steadyhand.routing.exposure import slices
from steadyhand.routing.rungs.template import Template
from steadyhand.tenancy.model import Key
from tests.support.chats import answer_body, chat_body, chunk, event, says, stops, text_events
from tests.support.gateways import GatewayBench, gateway_bench, request
from tests.support.ladders import until
from tests.support.replies import MemoryReply
from tests.support.upstreams import Script, answers, refuses, streams

CONTEXT = {"role": "tool", "tool_call_id": "c", "content": "Refunds take 30 days."}


class Bench:
    """A gateway whose route ``assistant`` is sampled, and its samples."""

    def __init__(
        self,
        *scripts: Script,
        probability: float = 1.0,
        most_bytes: int = 50_000,
        instructions: str = "",
        own: tuple[str, ...] = (),
    ) -> None:
        self.notes: list[Annotation] = []
        samples = Samples(
            {"assistant": Terms(probability, 60)}, b"k" * 32, most_bytes, self.notes.append
        )
        self.house: GatewayBench = gateway_bench(
            {"first": scripts},
            floor=Template("Later."),
            gear=Gear(samples=samples),
            instructions=instructions,
            own_instructions=own,
        )

    async def ask(self, model: str = "assistant", **fields: object) -> MemoryReply:
        return await self.house.ask(chat_body(model, messages=[CONTEXT], **fields))

    @property
    def sample(self) -> Sample:
        (note,) = self.notes
        assert note.request_id == self.house.record().request_id
        return decoded(note.body)


async def test_a_whole_answer_and_a_stream_are_sampled() -> None:
    bench = Bench(answers(answer_body("It is so.")))
    await bench.ask()
    found = bench.sample
    assert (found.tenant, found.route, found.answer) == ("acme", "assistant", "It is so.")
    assert (found.probability, found.keep_s, found.problem, found.arm) == (1, 60, "", Arm())
    assert segments(found.asked) == ["Refunds take 30 days."]
    streamed = Bench(streams(*text_events("It is", " so.")))
    reply = await streamed.ask(stream=True)
    assert streamed.sample.answer == "It is so."
    assert b"[DONE]" in reply.body


async def test_what_the_model_was_given_is_what_went_upstream() -> None:
    labelled = "<document>Shipping is free.</document>"
    for bench in (
        Bench(answers(), instructions=labelled),
        Bench(answers(), instructions="Be kind.", own=(labelled,)),
    ):
        await bench.ask()
        assert segments(bench.sample.asked) == ["Shipping is free.", "Refunds take 30 days."]


async def test_a_route_that_is_not_named_is_not_sampled() -> None:
    bench = Bench(answers(), answers())
    await bench.ask("classify")
    assert bench.notes == []
    await bench.ask("first/first-model")
    assert bench.notes == []


async def test_a_sample_that_was_not_drawn_costs_the_answer_nothing() -> None:
    bench = Bench(streams(), probability=1e-12)
    reply = await bench.ask(stream=True)
    assert bench.notes == []
    assert b"[DONE]" in reply.body


async def test_what_no_live_model_said_is_not_sampled() -> None:
    bench = Bench(refuses(500))
    await bench.ask()
    assert bench.house.record().outcome == "floor"
    assert bench.notes == []


async def test_an_answer_that_was_cut_is_not_sampled() -> None:
    bench = Bench(streams(event(chunk(says("It is")))))
    await bench.ask(stream=True)
    assert bench.house.record().outcome == "truncated"
    assert bench.notes == []


async def test_a_client_that_leaves_is_not_sampled() -> None:
    gate, reached = asyncio.Event(), asyncio.Event()
    bench = Bench(streams(event(chunk(says("It is"))), gate))
    reply = MemoryReply()
    task = asyncio.ensure_future(
        bench.house.ask(
            chat_body(messages=[CONTEXT], stream=True), reply=reply, leaves_when=reached
        )
    )
    await until(lambda: bool(reply.body))
    reached.set()
    await task
    assert bench.notes == []


async def test_what_is_no_plain_text_or_too_long_is_counted_without_content() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    tools = Bench(answers(answer_body(choices=[choice])))
    await tools.ask()
    assert (tools.sample.problem, tools.sample.asked, tools.sample.answer) == ("not_plain", b"", "")
    cut = Bench(
        streams(event(chunk(says("It is"))), event(chunk(stops("length"))), b"data: [DONE]\n\n")
    )
    await cut.ask(stream=True)
    assert cut.sample.problem == "not_plain"
    long = Bench(answers(answer_body("ü" * 300)), most_bytes=600)
    await long.ask()
    assert (long.sample.problem, long.sample.asked, long.sample.answer) == ("too_long", b"", "")


def test_an_answer_that_is_nested_too_deeply_to_be_read_again_is_none_to_keep() -> None:
    deep = answer_body("It is so.").replace(
        b'"logprobs":null', b'"x":' + b"[" * 5_000 + b"]" * 5_000
    )
    assert good_whole(deep, "") is None


async def test_what_the_house_asks_of_itself_is_not_sampled() -> None:
    bench = Bench(answers())
    gateway, reply = bench.house.gateway, MemoryReply()
    asked = request(chat_body())
    ladder = gateway.serving.ladders["assistant"]
    exchange = gateway.rehearsal(ladder, asked, reply, asked.received_s + 20)
    await gateway.rehearse(exchange)
    assert json.loads(reply.body)["choices"]
    assert bench.notes == []


async def test_a_sample_tells_where_its_request_stood_in_a_rollout() -> None:
    bench = Bench(*[answers() for _ in range(60)])
    gateway = bench.house.gateway
    gateway.gear.lease.until_us = 1 << 62
    ladder = gateway.serving.ladders["assistant"]
    cut = slices(2_500)
    choice = Choice(ladder, ladder, ladder, (ladder,) * cut.controls, cut, "salt", "conversation")
    key = Key("app", "acme", "production", routes=("*",))
    serving = gateway.serving
    gateway.serving = Serving(
        replace(serving.snapshot, keys=dict.fromkeys(serving.snapshot.keys, key)),
        serving.ladders,
        serving.providers,
        serving._direct,
        {"production": {"assistant": choice}},
    )
    for number in range(60):
        await bench.ask(steadyhand={"conversation": f"c{number}"})
    found = {note.request_id: decoded(note.body).arm for note in bench.notes}
    assert len(found) == 60
    slots = {COMPARED: ("candidate", 0), CANDIDATE: ("candidate", -1), STABLE: ("stable", -1)}
    for record in bench.house.records:
        arm = found[record.request_id]
        assert (arm.rollout, arm.unit, arm.weight) == ("salt", record.unit, 2_500)
        assert arm.controls == record.controls
        if arm.slot == CONTROL:
            assert record.arm == "control"
        else:
            assert slots[arm.slot] == (record.arm, record.part)
    assert {arm.slot for arm in found.values()} >= {COMPARED, CONTROL, STABLE}
