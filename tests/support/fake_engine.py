"""An engine without a model, for the tests of its host: it is told what to do by what it is asked.

It is installed as another distribution's engine would be, by an entry point in a folder of its
own. The last message says how to answer, in words such as ``say=5 gap_ms=20``; a file beside the
model file says how to load.

| word | meaning |
|---|---|
| ``say=N`` | N words, ``w0 w1 ...`` |
| ``gap_ms=N`` | wait before each word |
| ``prompt_ms=N`` | wait in four batches before the first |
| ``crash=N`` | abort the process before word N |
| ``hang=N`` | say nothing more from word N on |
| ``refuse=N`` | refuse with this status |
| ``raise`` | raise what no engine should |
| ``text=TEXT`` | say this text, a character at a time |
| ``endless`` | never end |
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from steadyhand.inference.engines.base import ModelTable, RequestRefused, Say

DEADLY = "A prompt that no engine survives."
LOADING = "loading.json"
"""Beside the model file: ``{"wait_s": 1, "fail": "why", "crash": true}``, each optional."""


class FakeEngine:
    """See :class:`steadyhand.inference.engines.base.Engine`."""

    def __init__(self) -> None:
        self._seen: list[str] = []

    def chat(self, body: bytes, say: Say) -> None:
        """See :class:`steadyhand.inference.engines.base.Engine`."""
        asked = json.loads(body)
        orders = read_orders(asked["messages"][-1]["content"])
        if "refuse" in orders:
            raise RequestRefused(int(orders["refuse"]), "refused: exceeds the context size")
        if "raise" in orders:
            raise KeyError("a bug of the engine")
        prompt = json.dumps(asked["messages"][:-1])
        if DEADLY in prompt:
            os.abort()
        cached = 10 if prompt in self._seen else 0
        self._seen.append(prompt)
        for batch in range(4):
            time.sleep(float(orders.get("prompt_ms", 0)) / 4000)
            if say(chunk({"role": "assistant"}, prompt_progress={"processed": batch})):
                return
        words = self._words(orders, int(asked.get("max_tokens") or 5))
        if self._say_all(words, orders, say):
            return
        say(chunk({}, "stop"))
        details = {"cached_tokens": cached}
        usage = {"prompt_tokens": 12, "completion_tokens": len(words)}
        say(chunk(None, usage=usage | {"total_tokens": 17, "prompt_tokens_details": details}))

    def _words(self, orders: dict[str, str], most: int) -> list[str]:
        if "text" in orders:
            return list(orders["text"])
        count = 10**6 if "endless" in orders else int(orders.get("say", most))
        return [f"w{number} " for number in range(count)]

    def _say_all(self, words: list[str], orders: dict[str, str], say: Say) -> bool:
        """Say the words; return whether nobody listens any more."""
        for number, word in enumerate(words):
            time.sleep(float(orders.get("gap_ms", 0)) / 1000)
            if number == int(orders.get("crash", -1)):
                os.abort()
            if number == int(orders.get("hang", -1)):
                time.sleep(3600)
            if say(chunk({"content": word})):
                return True
        return False


def read_orders(text: str) -> dict[str, str]:
    """Return the words of a message with their values."""
    orders = {}
    for word in text.split():
        name, _, value = word.partition("=")
        orders[name] = value
    return orders


def chunk(delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> bytes:
    """Return one chunk of an answer."""
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    head = {"id": "chatcmpl-fake", "created": 7, "model": "/a/path"}
    return json.dumps(head | {"choices": [] if delta is None else choices} | more).encode()


def load(table: ModelTable, workspace: Path) -> FakeEngine:
    """Load as the file beside the model says."""
    orders_file = (workspace / table.model_file).with_name(LOADING)
    orders = json.loads(orders_file.read_text()) if orders_file.exists() else {}
    time.sleep(orders.get("wait_s", 0))
    if orders.get("crash"):
        os.abort()
    if "fail" in orders:
        raise RuntimeError(orders["fail"])
    return FakeEngine()
