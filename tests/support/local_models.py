"""Hosts of local models under test: real processes with the fake engine, on real sockets."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from steadyhand.http.limits import ServerLimits
from steadyhand.http.messages import Limits
from steadyhand.http.traffic import Traffic
from steadyhand.http.unix import serve_at
from steadyhand.inference.engines.base import ModelTable
from steadyhand.inference.model import Model
from steadyhand.inference.service import Service, refusal
from steadyhand.providers import local
from steadyhand.providers.base import Call, ProviderPorts
from tests.support.fake_engine import LOADING
from tests.support.programs import PATIENCE_S, PLUGINS
from tests.support.simulators import limits, no_secret
from tests.support.tree import ROOT

GGUF = b"GGUF\x03\x00\x00\x00" + b"\0" * 1016
ENTRY = "[steadyhand.inference.engines]\nfake = tests.support.fake_engine\n"


def install_fake_engine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the fake engine in ``folder``, as a distribution, for our children too."""
    made = folder / "fake_engine-1.0.dist-info"
    made.mkdir(parents=True)
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-engine\nVersion: 1.0\n")
    (made / "entry_points.txt").write_text(ENTRY)
    before = os.environ.get("PYTHONPATH", "")
    paths = [str(folder), str(ROOT / "src"), str(ROOT), *([before] if before else [])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setenv(PLUGINS, os.pathsep.join((str(folder), str(ROOT))))
    monkeypatch.syspath_prepend(str(folder))


def loading(folder: Path, **orders: Any) -> None:
    """Say how the fake engine shall load from now on."""
    (folder / LOADING).write_text(json.dumps(orders))


@dataclass
class Heard:
    """A reply: status, and the events of a stream or the whole body."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.json["error"]["code"])


@dataclass
class Bench:
    """A model at work, and a provider that speaks to it."""

    folder: Path
    model: Model
    provider: local.LocalProvider

    async def ask(self, orders: str, *, left_s: float = inf, **fields: Any) -> Heard:
        """Ask, and read the whole reply."""
        bounds = patient(give_up_at_s=monotonic() + left_s)
        reply = await self.provider.open(call(orders, **fields), bounds)
        try:
            return Heard(reply.status, await reply.read_all(10_000_000))
        finally:
            reply.close()

    async def until(self, what: str) -> None:
        """Wait for a phase, or for ``idle``."""
        await until(lambda: (self._free() if what == "idle" else self.model.phase) == what)

    def _free(self) -> str:
        model = self.model
        return "idle" if model.phase == "up" and not model.holding + model.waiting else "busy"


def patient(give_up_at_s: float = inf) -> Limits:
    """Return limits for a machine that may stall for seconds."""
    return limits(60, 60, 60, 120, give_up_at_s)


async def until(look: Callable[[], bool]) -> None:
    """Wait until ``look`` says so."""
    async with asyncio.timeout(PATIENCE_S):
        while not look():  # noqa: ASYNC110  what is waited for is a plain number
            await asyncio.sleep(0.01)


def call(orders: str, **fields: Any) -> Call:
    """Return a call with the fake engine's orders as the question."""
    messages = fields.pop("messages", [{"role": "user", "content": orders}])
    body = json.dumps({"model": "r", "messages": messages, **fields}).encode()
    return Call(body, "small", bool(fields.get("stream")), asks_usage=False)


@asynccontextmanager
async def model_bench(folder: Path, **settings: Any) -> AsyncIterator[Bench]:
    """Run a model with the fake engine in ``folder``, which has its model file."""
    (folder / "model.gguf").write_bytes(GGUF)
    table = ModelTable("model.gguf", engine="fake", **settings)
    model = Model("fake", table, folder)
    socket = folder / "model.sock"
    server = await serve_at(socket, Service(model).handle, ServerLimits(), refusal)
    running = asyncio.create_task(model.run())
    ports = ProviderPorts(no_secret, folder, Traffic(), lambda _: socket, "fake")
    provider = local.build(local.Settings(model_file="model.gguf"), ports)
    try:
        yield Bench(folder, model, provider)
    finally:
        await provider.close()
        await server.close(0)
        running.cancel()
        await asyncio.wait({running})
