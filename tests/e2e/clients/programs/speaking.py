"""What every Python program here shares: whom to ask what, and how to say what came of it.

A program runs in the clients' environment, one process for all scenarios of one library, because
these libraries take seconds to import. It prints a line of JSON for each scenario; the tests, which
run in the other environment, read them.
"""

import asyncio
import inspect
import io
import json
import os
import re
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

BASE_URL = os.environ["STEADYHAND_URL"]
KEY = os.environ["STEADYHAND_KEY"]
WRONG_KEY = "sk-wrong-0000000000"
WORD = os.environ["STEADYHAND_WORD"]
"""Only this program's, so that its requests are found upstream."""
ASK = f"How warm is it in {WORD}?"
FACT = "31 degrees"
"""What the tool answers."""

STEADY = "up/steady"
ROUTE = "answers"
FLOORED = "floored"
PARALLEL = "up/steady:parallel=1"
"""Calls every tool that it is offered, at once."""
OWN = f"period_s={re.sub(r'[^0-9]', '', WORD)}"
"""Ends the names of models that fail: whoever shared one would find its breaker open."""
CUT = f"up/cut-mid-word:{OWN}"
CUT_CALL = f"up/cut-mid-tool-call:{OWN}"
RATE_LIMIT = f"up/rate-limit:retry_after_s=3,{OWN}"
RETRIES = f"up/rate-limit:retry_after_s=0.2,{OWN}"
ODD_STREAMS = (
    *("usage-on-last-choice", "usage-every-chunk", "choices-null-usage", "crlf", "comments"),
    *("no-space", "multi-line-data", "fragments", "unicode-separators", "reasoning"),
)
"""Simulated models whose streams are odd but whole."""

PAGE = Path(__file__).resolve().parents[4] / "docs/guides/clients.md"
SECTION = r"(?ms)^## {}$.*?^```python\n(.*?)^```$"

Scenario = Callable[[], Any]


class Weather(BaseModel):
    """How it is somewhere; what structured answers have to be."""

    city: str
    celsius: float
    sky: Literal["clear", "cloudy"]


def raised(error: BaseException) -> dict[str, Any]:
    """Return what a caller can know of an error: its type, and what hangs on it and its causes."""
    found: dict[str, Any] = {
        "types": [base.__qualname__ for base in type(error).__mro__],
        "text": str(error),
    }
    link: BaseException | None = error
    for _ in range(10):
        if link is None:
            break
        for name in ("status_code", "code"):
            if getattr(link, name, None) is not None:
                found.setdefault(name, getattr(link, name))
        response = getattr(link, "response", None)
        if response is not None and "retry-after" in response.headers:
            found.setdefault("retry_after", response.headers["retry-after"])
        link = link.__cause__ or link.__context__
    return found


def caught(call: Scenario) -> Any:
    """Return what :func:`raised` tells of the error that ``call`` ends in, soon or at once."""
    try:
        answer = call()
        if inspect.isawaitable(answer):
            return caught_later(answer)
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return raised(error)
    return {"types": [], "answer": answer}


async def caught_later(answer: Any) -> dict[str, Any]:
    """As :func:`caught`, of what is still to come."""
    try:
        return {"types": [], "answer": await answer}
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return raised(error)


def asking(ask: Callable[..., Any]) -> dict[str, Scenario]:
    """Return the scenarios that only need ``ask(model, key=..., max_retries=...)``."""
    return {
        "floor": lambda: ask(FLOORED),
        "wrong_key": lambda: caught(lambda: ask(STEADY, key=WRONG_KEY)),
        "unknown_model": lambda: caught(lambda: ask("nowhere")),
        "refused": lambda: caught(lambda: ask("up/context-length")),
        "rate_limit": lambda: caught(lambda: ask(RATE_LIMIT)),
        "retries": lambda: caught(lambda: ask(RETRIES, max_retries=1)),
        "no_answer": lambda: caught(lambda: ask(f"up/error-500:{OWN}")),
    }


def reading(read: Callable[[str], Any]) -> dict[str, Scenario]:
    """Return the scenarios that only need ``read(model)``, which reads a stream to its end."""

    async def odd() -> dict[str, Any]:
        return {name: await resolved(read(f"up/{name}")) for name in ODD_STREAMS}

    return {
        "floor_streamed": lambda: read(FLOORED),
        "odd_streams": odd,
        "cut": lambda: caught(lambda: read(CUT)),
    }


async def resolved(found: Any) -> Any:
    """Return ``found``, awaited if it has to be."""
    return await found if inspect.isawaitable(found) else found


def page(title: str) -> dict[str, str]:
    """Run what the guide has under ``title``, at this gateway's address, and return its words."""
    block = re.search(SECTION.format(re.escape(title)), PAGE.read_text(encoding="utf-8"))
    assert block, f"no Python under {title!r} in {PAGE.name}"
    text = (
        block.group(1).replace("http://127.0.0.1:8080/v1", BASE_URL).replace('support"', 'answers"')
    )
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(text, f"{PAGE.name}, {title}", "exec"), {"__name__": "page"})  # noqa: S102 - our page
    return {"printed": printed.getvalue()}


def main(title: str, package: str, scenarios: dict[str, Scenario]) -> None:
    """Run ``scenarios`` and the guide's lines, and print what each found or how it broke."""
    say({"scenario": "version", "found": {"package": package, "version": version(package)}})
    with asyncio.Runner() as runner:  # one loop for all: some libraries share their connections
        for name, scenario in {"page": lambda: page(title), **scenarios}.items():
            began_s = time.monotonic()
            line: dict[str, Any] = {"scenario": name}
            try:
                found = scenario()
                line["found"] = runner.run(found) if inspect.iscoroutine(found) else found
            except Exception:  # noqa: BLE001 - the test that reads this line fails with it
                line["broke"] = traceback.format_exc()
            say({**line, "took_s": round(time.monotonic() - began_s, 3)})


def say(line: dict[str, Any]) -> None:
    """Print one line of the result."""
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()
