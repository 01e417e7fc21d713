"""``steadyhand restart``: new gateway processes in the place of the running ones."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(invoke_without_command=True, no_args_is_help=False)


@app.callback()
def restart(
    workspace: Annotated[Path, typer.Option(help="Directory with steadyhand.toml.")] = Path(),
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the last of them.")] = 600.0,
) -> None:
    """Replace the gateway processes one by one, without a failed request.

    For each a successor is started; when it is ready, the one before it drains. So changes of
    [server] and [records], and new TLS certificates, are taken over. A successor that does not
    get ready ends the restart, and the process before it goes on.

    Examples:
      steadyhand restart --workspace demo
      steadyhand restart --workspace demo --timeout 60
    """
    from steadyhand.app.restart import restart as begin

    for line in begin(workspace, timeout):
        typer.echo(line)
