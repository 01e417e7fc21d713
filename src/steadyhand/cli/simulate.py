"""``steadyhand simulate``: a simulated provider on a port, so that faults cross a socket."""

import asyncio
import os
import signal
import time
from typing import Annotated

import typer
import uvloop

from steadyhand.core.errors import ConfigurationError, InvalidValue
from steadyhand.simulation.dials import BadDial, Dials, tuned
from steadyhand.simulation.reference import listing
from steadyhand.simulation.request import Refusal
from steadyhand.simulation.server import SimulatorServer
from steadyhand.simulation.simulator import Simulator

app = typer.Typer(add_completion=False, rich_markup_mode=None)

WELCOME = """\
simulated provider on {url}   (Ctrl-C stops it)

  a model's name is its behaviour: steady, quote, drip, cut-mid-word, error-503 ...
    steadyhand simulate --list shows all; docs/reference/simulated-models.md explains them

  in steadyhand.toml:
    [providers.simulated]
    kind = "openai"
    base_url = "{url}/v1"

  break it, see what it saw, mend it:
    curl {url}/simulate -d '{{"behaviour": "error-500"}}'
    curl {url}/simulate
    curl {url}/simulate/requests
    curl {url}/simulate -d '{{"behaviour": null}}'
"""


@app.command()
def simulate(
    port: Annotated[int, typer.Option(min=0, max=65535, help="port; 0 for any free one")] = 8090,
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    seed: Annotated[int, typer.Option(help="fixes everything that is left to chance")] = 0,
    behaviour: Annotated[
        str, typer.Option(help="answer every model as this one, for example error-500")
    ] = "",
    dials: Annotated[
        str, typer.Option(help="what names leave open, for example p50_ms=300,p99_ms=2000")
    ] = "",
    list_: Annotated[bool, typer.Option("--list", help="list the behaviours and stop")] = False,
) -> None:
    """Serve a simulated provider that speaks OpenAI's chat completions, healthy or broken.

    The name of the model chooses the behaviour. Keys are not checked; nothing leaves the machine.

    Examples:
      steadyhand simulate --port 8090
      steadyhand simulate --behaviour steady:ttft_ms=200,gap_ms=20
      steadyhand simulate --list
    """
    if list_:
        typer.echo(listing())
        return
    try:
        simulator = Simulator(seed, tuned(Dials(), dials), time.time)
        simulator.override(behaviour or None)
    except (BadDial, Refusal) as error:
        raise InvalidValue(str(error), hint="see steadyhand simulate --list") from None
    try:
        uvloop.run(_serve(simulator, host, port))
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {why}", hint="choose another --port"
        ) from error


async def _serve(simulator: Simulator, host: str, port: int) -> None:
    server = SimulatorServer(simulator)
    bound = await server.start(host, port)
    typer.echo(WELCOME.format(url=f"http://{host}:{bound}"))
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await server.stop()
