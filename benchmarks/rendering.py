"""What a prompt costs a request: rendering it, and the stage ``resolve`` with and without it.

``python -m benchmarks.rendering [--save NAME] [--gate]``. Microseconds are the best of many short
rounds, as everything that disturbs a round makes it longer. Beside them, for scale, one msgspec
decode of the same body, and Jinja's own compiled template with the same text and values.

The prompt has 2 KB and ten variables; the body of the request 1 KB. Rendering takes in the check of
the values and the JSON of the messages.
"""

import argparse
import json
import timeit
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from benchmarks.machine import describe
from steadyhand.core.chat import ChatRequest
from steadyhand.gateway.exchange import Exchange, Trail
from steadyhand.gateway.null_reply import NullReply
from steadyhand.gateway.serving import DirectLadders, Ladder, Serving
from steadyhand.gateway.stages.resolve import resolve
from steadyhand.gateway.wire.openai import read_chat
from steadyhand.gateway.wording import wording_of
from steadyhand.http.messages import Request
from steadyhand.prompts.model import Prompt, Template, Text
from steadyhand.prompts.parsing import parse
from steadyhand.prompts.rendering import Prepared
from steadyhand.prompts.settings import VariableSettings
from steadyhand.prompts.values import checked
from steadyhand.routing.model import SloClass
from steadyhand.routing.rungs.error import Error
from steadyhand.snapshot.model import Snapshot
from steadyhand.tenancy.model import Key

LIMITS_US = {"rendering": 40.0, "resolve, a plain prompt": 8.0}
ROUNDS, TIMES = 400, 100
RESULTS = Path(__file__).resolve().parent / "results"

VARIABLES = {
    f"v{number}": VariableSettings(
        origin="application" if number % 2 else "user",
        type="texts" if number == 9 else "text",
    ).variable()
    for number in range(10)
}
VALUES: dict[str, Any] = {f"v{number}": f"value {number} of a caller" for number in range(9)}
VALUES["v9"] = ["one", "two", "three"]
_RULE = "- Give the command first, then one or two sentences on what it does to a table.\n"
TEXT = (
    "You support people who run {{ v0 }} on {{ v1 | upper }}.\n"
    + _RULE * 12
    + "{% if v2 == v3 %}Be brief.{% else %}Explain {{ v2 }} and {{ v3 }}.{% endif %}\n"
    + "{% for one in v9 %}- {{ loop.index }}: {{ one }}\n{% endfor %}"
    + _RULE * 10
    + '{% role "user" %}\nBefore: {{ v4 }}, {{ v5 }}, {{ v6 }}, {{ v7 | truncate(40) }}, {{ v8 }}'
)
BODY = msgspec.json.encode(
    {
        "model": "support",
        "messages": [{"role": "user", "content": "How do I vacuum a table? " * 36}],
        "steadyhand": {"variables": VALUES},
    }
)
PLAIN_BODY = msgspec.json.encode({k: v for k, v in json.loads(BODY).items() if k != "steadyhand"})
USERS_BODY = msgspec.json.encode({**json.loads(PLAIN_BODY), "steadyhand": {"user": "u-1"}})
KEY = Key("app", "acme", "dev", routes=("*",))


def measured() -> dict[str, float]:
    """Return what → microseconds."""
    parsed = parse(TEXT, VARIABLES, lambda _: None)
    assert parsed.mistakes == []
    rich = Prepared(Prompt("rich", parsed.templates, variables=VARIABLES))
    plain = Prepared(Prompt("plain", (Template("system", (Text(_RULE * 24),)),)))
    renderer = rich.renderer("")
    told = renderer.body(checked(VARIABLES, VALUES))
    assert 2_000 < len(told) < 2_600
    sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True)
    theirs = sandbox.from_string(TEXT.replace('{% role "user" %}\n', ""))
    decoder = msgspec.json.Decoder(ChatRequest)
    return {
        "rendering": best_us(lambda: renderer.body(checked(VARIABLES, VALUES))),
        "of it the check of the values": best_us(lambda: checked(VARIABLES, VALUES)),
        "Jinja's own, in its sandbox": best_us(lambda: theirs.render(VALUES)),
        "resolve, no prompt": resolving(ladder(None), PLAIN_BODY),
        "resolve, a plain prompt": resolving(ladder(plain), PLAIN_BODY),
        "resolve, a plain prompt, the user named": resolving(ladder(plain), USERS_BODY),
        "resolve, the prompt with ten variables": resolving(ladder(rich), BODY),
        "decode of the request's struct, for scale": best_us(lambda: decoder.decode(BODY)),
    }


def ladder(prompt: Prepared | None) -> Ladder:
    """Return a ladder that answers with nothing, and has ``prompt``."""
    slo = SloClass("interactive", 1_500, 10_000, 120_000)
    fixed = prompt.fixed if prompt is not None else b""
    return Ladder("support", slo, (), Error(), fixed, (), wording_of(prompt, ()))


def resolving(one: Ladder, body: bytes) -> float:
    """Return the microseconds that the stage takes of a request of the route ``one``."""
    empty: Mapping[str, Any] = {}
    snapshot = Snapshot(1, 1, "sha256:" + "0" * 64, {}, {}, {}, {})
    direct = DirectLadders(lambda _provider, _model: None, Error(), one.slo)
    serving = Serving(snapshot, {"support": one}, empty, direct)
    chat, model_at = read_chat(body)
    request = Request(b"POST", b"/v1/chat/completions", b"", {}, body, 0.0, 0.0, "")
    exchange = Exchange(
        request, NullReply(), "id", "", serving, Trail(), chat, body, model_at, key=KEY
    )

    def once() -> None:
        stage = resolve(exchange)
        try:
            stage.send(None)
        except StopIteration:
            return
        raise AssertionError("the stage waited")

    return best_us(once)


def best_us(work: Callable[[], object]) -> float:
    """Return the microseconds of one call, in the best of many rounds."""
    return min(timeit.repeat(work, number=TIMES, repeat=ROUNDS)) / TIMES * 1e6


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--save", metavar="NAME", help="also results/NAME.json")
    parser.add_argument("--gate", action="store_true", help="exit code 1 if a limit is past")
    options = parser.parse_args()
    found = measured()
    print("| | µs | limit |\n|---|---|---|")
    for name, us in found.items():
        limit = LIMITS_US.get(name)
        print(f"| {name} | {us:.2f} | {limit or '-'} |")
    if options.save:
        text = json.dumps({"machine": describe(), "us": found, "limits_us": LIMITS_US}, indent=2)
        (RESULTS / f"{options.save}.json").write_text(text + "\n")
    return int(options.gate and any(found[name] > limit for name, limit in LIMITS_US.items()))


if __name__ == "__main__":
    raise SystemExit(main())
