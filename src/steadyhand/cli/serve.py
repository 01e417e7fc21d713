"""``steadyhand serve``: the supervisor with both planes, or one plane alone."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(invoke_without_command=True, no_args_is_help=False)

Workspace = Annotated[Path, typer.Option(help="Directory with steadyhand.toml.")]
Port = Annotated[int | None, typer.Option(help="Port of the AI API.", show_default="8080")]
ControlPort = Annotated[
    int | None, typer.Option(help="Port of the control API.", show_default="8081")
]
Host = Annotated[str | None, typer.Option(help="Address of the AI API.", show_default="127.0.0.1")]


@app.callback()
def serve(
    context: typer.Context,
    workspace: Workspace = Path(),
    host: Host = None,
    port: Port = None,
    control_port: ControlPort = None,
    processes: Annotated[
        int | None, typer.Option(help="Gateway processes.", show_default="one for each CPU")
    ] = None,
) -> None:
    """Serve the gateway and the control plane until interrupted.

    A changed file of the workspace is taken over while requests go on; one with a mistake is
    reported and the last good state stays in force.

    Examples:
      steadyhand serve --workspace demo
      steadyhand serve --workspace demo --port 9000 --control-port 9001 --processes 2
    """
    flags: dict[str, object] = {
        "server.host": host,
        "server.port": port,
        "server.control_port": control_port,
        "server.processes": processes,
    }
    if context.invoked_subcommand is not None:
        return
    from steadyhand.app.serve import serve_all

    raise typer.Exit(serve_all(workspace, flags))


@app.command()
def gateway(
    workspace: Workspace = Path(),
    host: Host = None,
    port: Port = None,
    number: Annotated[int, typer.Option(help="Number of this process, in metrics.")] = 0,
) -> None:
    """Serve the AI API alone, from the snapshot published last.

    Examples:
      steadyhand serve gateway --workspace demo --port 8080
      steadyhand serve gateway --workspace demo --port 8080 --number 1
    """
    from steadyhand.app.serve import serve_gateway

    serve_gateway(workspace, {"server.host": host, "server.port": port}, number)


@app.command()
def control(workspace: Workspace = Path(), control_port: ControlPort = None) -> None:
    """Serve the control API alone, and ship records.

    Examples:
      steadyhand serve control --workspace demo
      steadyhand serve control --workspace demo --control-port 9001
    """
    from steadyhand.app.serve import serve_control

    serve_control(workspace, {"server.control_port": control_port})
