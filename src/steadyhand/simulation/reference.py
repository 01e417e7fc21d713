"""The reference of simulated models, written from the tables that the code runs on.

``python -m steadyhand.simulation.reference`` prints ``docs/reference/simulated-models.md``.
"""

import sys
from dataclasses import fields

from steadyhand.simulation.behaviour import BEHAVIOURS, GROUPS
from steadyhand.simulation.dials import Dials

_BEGINNING = """\
# Simulated models

A simulated provider answers like OpenAI's chat completions, without a model. The *name of the
model* chooses how it behaves. There are two ways to run one, and both play the same scripts:

* in process: `kind = "simulated"` in a `[providers.<name>]` table. `behaviour = "error-500"` there
  overrides every model's name; saving the file is enough.
* as a server: `steadyhand simulate --port 8090`, behind `kind = "openai"` with
  `base_url = "http://127.0.0.1:8090/v1"`. Its behaviour is changed while it runs:

```sh
curl http://127.0.0.1:8090/simulate -d '{"behaviour": "error-500"}'                    # every model
curl http://127.0.0.1:8090/simulate -d '{"behaviour": "drip", "model": "steady"}'      # one model
curl http://127.0.0.1:8090/simulate -d '{"behaviour": null}'                           # mended
curl http://127.0.0.1:8090/simulate             # overrides; requests, by model too; who left early
curl http://127.0.0.1:8090/simulate/requests    # headers and bodies of the latest 100 requests
```

The same seed, requests and order of requests give the same answers and the same waits. The answer
repeats the question, calls the first tool that is offered (until a tool has answered), or makes an
instance of the JSON schema that is asked for; `n`, `stop`, `max_tokens`, `logprobs`, `tool_choice`,
`stream_options`, images and audio are understood as OpenAI documents them. A name that is no
behaviour is refused as OpenAI refuses an unknown model: 404, `model_not_found`.

## Parameters

After a colon, `name=value` separated by commas: `steady:ttft_ms=200,gap_ms=20,tokens=50`.

| parameter | default | meaning |
|---|---|---|
"""

_MIDDLE = """
## Behaviours

*Streamed* and *plain* say what a client ends up with if it reads as it should. `connection_lost`,
`first_byte_timeout` and the like are the names that records and metrics carry; over a socket
`refused` is seen as `connection_lost` and `unreachable` as `first_byte_timeout`, because the server
has already accepted the connection.
"""


def page() -> str:
    """Return ``docs/reference/simulated-models.md``."""
    lines = [_BEGINNING.rstrip("\n")]
    for dial in fields(Dials):
        default = f"`{dial.default:g}`" if dial.default != "" else "none"
        lines.append(f"| `{dial.name}` | {default} | {dial.metadata['does']} |")
    lines.append(_MIDDLE.rstrip("\n"))
    for group, rows in GROUPS.items():
        lines += [
            "",
            f"### {group}",
            "",
            "| model | does | streamed | plain |",
            "|---|---|---|---|",
        ]
        for row in rows:
            preset = f" (`{row.preset}`)" if row.preset else ""
            lines.append(f"| `{row.name}` | {row.does}{preset} | {row.streamed} | {row.plain} |")
    return "\n".join(lines) + "\n"


def listing() -> str:
    """Return one line for each behaviour, for a terminal."""
    width = max(map(len, BEHAVIOURS))
    return "\n".join(f"{row.name:<{width}}  {row.does}" for row in BEHAVIOURS.values())


if __name__ == "__main__":
    sys.stdout.write(page())
