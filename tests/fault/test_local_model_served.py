"""A whole installation over a model on this machine: floors in time while it is away, and back."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installations import (
    FLOOR_TEXT,
    Installation,
    Upstreams,
    route_text,
    serving,
    settings_text,
)
from tests.support.local_models import GGUF, install_fake_engine, loading
from tests.support.programs import eventually, is_running
from tests.support.raw_client import Answer, Line

PROVIDER = """
[providers.here]
kind = "local"
engine = "fake"
model_file = "model.gguf"
parallel = 2
"""
PROMPT = """+++
description = "a test"
owner = "tests"
+++
You are asked.
"""


@pytest.fixture
def local_house(
    tmp_path_factory: pytest.TempPathFactory, upstreams: Upstreams
) -> Iterator[Installation]:
    """An installation whose model is added while it runs."""
    folder = tmp_path_factory.mktemp("local")
    with pytest.MonkeyPatch.context() as patch:
        install_fake_engine(tmp_path_factory.mktemp("engine"), patch)
        with serving(folder, upstreams) as made:
            (made.root / "model.gguf").write_bytes(GGUF)
            yield made


def ask(house: Installation, orders: str) -> Answer:
    messages = [{"role": "user", "content": orders}]
    return house.ask("local", messages=messages)


def said(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    return str(answer.json["choices"][0]["message"]["content"])


def metric(house: Installation, series: str) -> float:
    with Line(house.control_port) as line:
        text = line.ask("GET", "/metrics", {"Host": "localhost"}).body.decode()
    values = [row.rsplit(" ", 1)[1] for row in text.splitlines() if row.startswith(series + " ")]
    return float(values[0]) if values else -1.0


def of_here(name: str, more: str = "") -> str:
    return f'steadyhand_model_{name}{{{more}provider="here"}}'


def back(house: Installation) -> bool:
    return said(ask(house, "say=2")) == "w0 w1 "


def test_a_model_comes_dies_and_comes_back(local_house: Installation, upstreams: Upstreams) -> None:
    house = local_house
    loading(house.root, wait_s=2)
    (house.root / "prompts").mkdir()
    (house.root / "prompts/asked.md").write_text(PROMPT)
    route = 'prompt = "asked"\n' + route_text("here/fake")
    house.write("steadyhand.toml", settings_text(upstreams) + PROVIDER)
    house.write("routes/local.toml", route)

    # While it loads, the floor speaks.
    first = ask(house, "say=2")
    assert said(first) == FLOOR_TEXT
    record = house.record(first.headers["x-request-id"])
    assert [attempt["reason"] for attempt in record["attempts"]] in (
        ["model_loading"],
        ["connect_failed"],  # not even its host was there yet
    )
    eventually(lambda: back(house), "the model's first answer")
    eventually(lambda: metric(house, of_here("up")) == 1, "the model to be shown")
    eventually(lambda: metric(house, of_here("warm_ups_total")) == 1, "the route's prompt")

    # Killed in the middle of a stream: it breaks, others get the floor, it comes back.
    pid = int(metric(house, of_here("process_id")))
    with house.begin("local", messages=[{"role": "user", "content": "endless gap_ms=20"}],
                     stream=True) as (line, begun):  # fmt: skip
        line.piece(begun)
        os.kill(pid, signal.SIGKILL)
        line.rest(begun)
        assert b"model_crashed" in begun.body
        assert b"[DONE]" not in begun.body
    assert said(ask(house, "say=2")) in (FLOOR_TEXT, "w0 w1 ")
    eventually(lambda: back(house), "the model after its crash")
    assert not is_running(pid)
    eventually(lambda: metric(house, of_here("restarts_total")) == 1, "the restart")
    crashed = of_here("requests_total", 'outcome="crashed",')
    eventually(lambda: metric(house, crashed) == 1, "the broken request")
    eventually(lambda: metric(house, of_here("warm_ups_total")) == 2, "the prompt, once more")

    # The host dies with its model: named at once, and both come back.
    host = parent_of(int(metric(house, of_here("process_id"))))
    os.kill(host, signal.SIGKILL)
    house.serve.says("models ended with -9")
    eventually(lambda: back(house), "the host and its model")
    gone = eventually(
        lambda: house.records(route="local", outcome="floor"), "records of what the floor said"
    )
    assert gone

    # A changed table is a new process; a table that is gone ends it.
    pid = int(eventually(lambda: max(0, metric(house, of_here("process_id"))), "its process"))
    house.write("steadyhand.toml", settings_text(upstreams) + PROVIDER.replace("= 2", "= 1"))
    eventually(lambda: not is_running(pid), "the old process to end")
    eventually(lambda: back(house), "the model with other settings")
    (house.root / "routes/local.toml").unlink()
    house.write("steadyhand.toml", settings_text(upstreams))
    eventually(lambda: metric(house, of_here("host_up")) == -1, "the model to be put away")


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
