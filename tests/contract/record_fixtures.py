"""Record wire fixtures from a real host, for people with a key: ``make record-fixtures``.

Asks what the transcribed fixtures stand for and writes the answers in their place, so that
``git diff`` shows what the provider has changed since they were transcribed. Goes by the plugin
itself, costs a few hundred tokens, and takes out what names the account. Errors are only recorded
where they can be provoked without harm. Settings, all but the first optional::

    OPENAI_API_KEY=...  RECORD_BASE_URL=https://api.openai.com/v1  RECORD_MODEL=gpt-4.1-mini
"""

import asyncio
import json
import os
import re
import sys
import time
from math import inf
from pathlib import Path
from typing import Any

from steadyhand.core.upstream_errors import scrub
from steadyhand.http.failures import UpstreamError
from steadyhand.http.messages import Limits
from steadyhand.providers.base import Call
from steadyhand.providers.openai import Settings, build
from tests.support.simulators import ports
from tests.support.wire_fixtures import WIRE, Exchange, exchanges

KIND = "openai"
KEPT_HEADERS = re.compile(r"content-type|retry-after(-ms)?|date|x-ratelimit-.*")
QUESTION = [{"role": "user", "content": "Say hello in one word."}]
WRONG: dict[str, dict[str, Any]] = {
    "error_400_value": {"temperature": 3.7},
    "error_404_model": {"model": "no-such-model"},
}
"""Errors that a request can provoke; others stay as they were transcribed."""


def answers() -> list[Exchange]:
    """Return the fixtures to record again: every good answer, and the errors in ``WRONG``."""
    known = exchanges(KIND)
    return [e for e in known if (e.failure is None and e.status == 200) or e.name in WRONG]


class Recorder:
    """Asks one host and writes what it answers."""

    def __init__(self, base_url: str, api_key: str, model: str, wire: Path = WIRE) -> None:
        """Write below ``wire``; the key stays in memory."""
        settings = Settings(base_url=base_url, api_key="env:OPENAI_API_KEY")
        self._provider = build(settings, ports(lambda _: api_key))
        self._source = f"recorded from {model} at {base_url}"
        self._model = model
        self._folder = wire / KIND

    async def run(self) -> int:
        """Record everything; return how many could not be."""
        failed = 0
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            for exchange in answers():
                try:
                    path = await self._record(exchange)
                    sys.stdout.write(f"recorded {path.name}\n")
                except (UpstreamError, ValueError) as error:
                    failed += 1
                    sys.stderr.write(f"{exchange.name}: {type(error).__name__} {error}\n")
        finally:
            await self._provider.close()
        return failed

    async def _record(self, exchange: Exchange) -> Path:
        wrong = WRONG.get(exchange.name, {})
        fields = {"messages": QUESTION, "max_completion_tokens": 100, **exchange.request, **wrong}
        body = json.dumps({"model": "", "stream": exchange.stream, **fields}).encode()
        model = str(wrong.get("model", self._model))
        # The fixture shows what a client gets that sent just this, so no usage is asked for.
        call = Call(body, model, exchange.stream, asks_usage=True)
        reply = await self._provider.open(call, Limits(10, 120, 60, 180, inf))
        try:
            received = await reply.read_all(1_000_000)
        finally:
            reply.close()
        if reply.status != exchange.status:
            raise ValueError(f"expected status {exchange.status}, not {reply.status}")
        headers = {name.decode(): text.decode("latin-1") for name, text in reply.headers.items()}
        kept = {name: text for name, text in headers.items() if KEPT_HEADERS.fullmatch(name)}
        return self._write(exchange, kept, received)

    def _write(self, exchange: Exchange, headers: dict[str, str], received: bytes) -> Path:
        """Write one fixture in the form that :mod:`tests.support.wire_fixtures` reads."""
        month = time.strftime("%Y-%m", time.gmtime())
        clean = anonymous(received.decode())
        if exchange.stream:
            path = self._folder / f"{exchange.name}.sse"
            request = json.dumps(exchange.request)
            facts = (f"source: {self._source}", f"read: {month}", f"request: {request}")
            preface = "".join(f": {fact}\n" for fact in facts)
            path.write_text(f"{preface}\n{clean}", encoding="utf-8")
            return path
        path = self._folder / f"{exchange.name}.json"
        fixture: dict[str, Any] = {
            "source": self._source,
            "read": month,
            "request": exchange.request,
            "status": exchange.status,
            "headers": headers,
            "body": without_credentials(json.loads(clean)),
        }
        if exchange.failure is not None:
            fixture["failure"] = exchange.failure
        text = json.dumps(fixture, indent=2, ensure_ascii=False)
        path.write_text(f"{text}\n", encoding="utf-8")
        return path


def anonymous(text: str) -> str:
    """Replace the ids of one exchange by numbered ones, the same for the same id."""
    numbers: dict[str, int] = {}

    def numbered(match: re.Match[str]) -> str:
        number = numbers.setdefault(match.group(), len(numbers) + 1)
        return f'"{match.group(1)}{number}"'

    return re.sub(r'"(chatcmpl-|call_|req_)[\w-]+"', numbered, text)


def without_credentials(body: Any) -> Any:
    """Scrub the sentence of an error."""
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        body["error"]["message"] = scrub(str(body["error"].get("message")))
    return body


def main() -> int:
    """Record everything; return a process's exit code."""
    api_key = os.environ.get("OPENAI_API_KEY", "")
    if not api_key:
        sys.stderr.write("set OPENAI_API_KEY; every request of this is paid for by its account\n")
        return 2
    base_url = os.environ.get("RECORD_BASE_URL", "https://api.openai.com/v1")
    model = os.environ.get("RECORD_MODEL", "gpt-4.1-mini")
    return 1 if asyncio.run(Recorder(base_url, api_key, model).run()) else 0


if __name__ == "__main__":
    sys.exit(main())
