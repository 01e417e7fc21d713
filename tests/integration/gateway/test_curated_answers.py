"""A knowledge rung in a whole gateway: spoken with its citation, silent when not sure or broken."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from steadyhand.app.curated import CuratedAnswers
from steadyhand.gateway.serving import Rung
from steadyhand.knowledge.library import Library
from steadyhand.knowledge.shelf import SUFFIX, clear, shelve
from steadyhand.routing.ports import RungPorts
from steadyhand.routing.rungs import knowledge
from steadyhand.routing.rungs.template import Template
from tests.support.chats import chat_body
from tests.support.curated import entry
from tests.support.gateways import GatewayBench, gateway_bench

NOW_US = 1_790_000_000_000_000
QUESTION = "How do I rebuild a broken index?"
ANSWER = "Run REINDEX.\n"
ENTRIES = [
    entry("reindex", QUESTION, "Rebuilding an index", answer=ANSWER),
    entry("theirs", "How do I rotate the flux capacitor?", tenants=["globex"]),
    entry("old", "How do I defragment the turbo encabulator?", expires_day=100),
]
FLOOR = Template("not now")


def bench(library: Library, digest: str, floor: Template = FLOOR) -> GatewayBench:
    reading = library.open({"help": digest}, NOW_US)

    def rungs(ports: RungPorts) -> Sequence[Rung]:
        ports = RungPorts(ports.providers, knowledge=CuratedAnswers(reading))
        return [knowledge.build(knowledge.Settings(collection="help"), ports)]

    return gateway_bench(rungs=rungs, floor=floor)


@pytest.fixture
def shelved(tmp_path: Path) -> tuple[Library, str]:
    digest = shelve(ENTRIES, tmp_path)
    library = Library(tmp_path, lambda: NOW_US)
    library.load({"help": digest})
    library.took_over({"help": digest})
    return library, digest


def body(question: object, **more: Any) -> bytes:
    return chat_body(messages=[{"role": "user", "content": question}], **more)


async def test_a_curated_answer_is_spoken_word_for_word(shelved: tuple[Library, str]) -> None:
    gateway = bench(*shelved)
    reply = await gateway.ask(body(QUESTION))
    assert json.loads(reply.body)["choices"][0]["message"]["content"] == ANSWER
    headers = dict(reply.headers)
    assert headers[b"x-steadyhand-rung"] == b"knowledge"
    assert headers[b"x-steadyhand-reason"] == b"curated"
    assert headers[b"x-steadyhand-source"] == b"source of reindex"
    assert 0.95 <= float(headers[b"x-steadyhand-confidence"]) <= 1
    record = gateway.record()
    assert (record.rung, record.source) == ("knowledge", "source of reindex")
    assert record.confidence == pytest.approx(float(headers[b"x-steadyhand-confidence"]), abs=1e-3)


async def test_it_is_streamed_as_well(shelved: tuple[Library, str]) -> None:
    reply = await bench(*shelved).ask(body(QUESTION, stream=True))
    assert dict(reply.headers)[b"x-steadyhand-source"] == b"source of reindex"
    assert b"Run REINDEX." in reply.body
    assert reply.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        (body("How do I bake bread?"), "nothing_near"),
        (body("How do I rotate the flux capacitor?"), "not_for_this_asker"),
        (body("How do I defragment the turbo encabulator?"), "not_for_this_asker"),
        (body([{"type": "image_url", "image_url": {"url": "data:,"}}]), "not_text"),
        (body("x" * 1_000_000), "too_long"),
    ],
)
async def test_what_it_does_not_answer_goes_to_the_floor(
    shelved: tuple[Library, str], asked: bytes, outcome: str
) -> None:
    library, digest = shelved
    reply = await bench(library, digest).ask(asked)
    assert json.loads(reply.body)["choices"][0]["message"]["content"] == "not now"
    [status] = library.status()
    assert status.answers == {outcome: 1}
    assert status.entries == len(ENTRIES)


async def test_a_request_with_tools_gets_no_text(shelved: tuple[Library, str]) -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    reply = await bench(*shelved).ask(body(QUESTION, tools=[tool]))
    assert b"REINDEX" not in reply.body
    assert reply.status == 503


@pytest.mark.parametrize("damage", ["missing", "cut", "changed"])
async def test_a_collection_that_cannot_be_loaded_is_silent_and_counted(
    tmp_path: Path, damage: str
) -> None:
    digest = shelve(ENTRIES, tmp_path)
    path = tmp_path / f"{digest}{SUFFIX}"
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:99] if damage == "cut" else content[:-1] + b"?")
    library = Library(tmp_path, lambda: NOW_US)
    library.load({"help": digest})
    library.took_over({"help": digest})
    reply = await bench(library, digest).ask(body(QUESTION))
    assert json.loads(reply.body)["choices"][0]["message"]["content"] == "not now"
    [status] = library.status()
    assert (status.entries, status.answers) == (0, {"absent": 1})
    assert sum(status.failures.values()) == 1
    assert shelve(ENTRIES, tmp_path) == digest  # the next publication mends it
    assert path.read_bytes() == content


async def test_answers_go_on_while_others_are_loaded(shelved: tuple[Library, str]) -> None:
    library, digest = shelved
    more = [entry(f"e{n}", f"What is the purpose of gadget{n}?") for n in range(2_000)]
    other = shelve([*ENTRIES, *more], library._directory)
    gateway = bench(library, digest)
    loading = asyncio.create_task(library.prepare({"help": other}))
    asked = 0
    while not loading.done() or not asked:
        reply = await gateway.ask(body(QUESTION))
        assert json.loads(reply.body)["choices"][0]["message"]["content"] == ANSWER
        asked += 1
        await asyncio.sleep(0)
    await loading
    assert library.holds({"help": other})
    library.took_over({"help": other})
    assert not library.holds({"help": digest})
    [status] = library.status()
    assert status.entries == 2_003


def test_files_that_nobody_names_are_removed(tmp_path: Path) -> None:
    old, new = shelve(ENTRIES, tmp_path), shelve(ENTRIES[:1], tmp_path)
    assert clear(tmp_path, keep=[new]) == [old]
    assert [path.stem for path in tmp_path.iterdir()] == [new]


def test_a_rung_without_anybody_to_ask_is_silent() -> None:
    rung = knowledge.build(knowledge.Settings(collection="help"), RungPorts({}))
    assert rung.peek(None) is None  # type: ignore[arg-type]  # it is not looked at
