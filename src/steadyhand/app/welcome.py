"""What ``steadyhand serve`` prints when it is ready."""

import shutil
import sys
from pathlib import Path

from steadyhand.app.state import State
from steadyhand.settings.model import Settings


def print_welcome(
    settings: Settings,
    port: int,
    control_port: int,
    processes: int,
    *,
    configured_control_port: int,
) -> None:
    """Say where it answers and what to try next.

    Args:
        settings: With flags laid over the file.
        port: Of the AI API.
        control_port: Of the control API.
        processes: Number of gateway processes.
        configured_control_port: What other commands read from the workspace.
    """
    server, workspace = settings.server, settings.workspace
    scheme = "https" if server.tls_cert else "http"
    key_files = sorted(State(settings).directory.glob("*.key"))
    keys = [path for path in key_files if path.name != "snapshot.key"]
    key = f"$(cat {keys[0]})" if keys else "<key>"
    texts = [name for name, route in settings.routes.items() if route.floor.kind == "template"]
    route = next(iter((*texts, *settings.routes)), "<route>")
    body = f'{{"model":"{route}","messages":[{{"role":"user","content":"What does VACUUM do?"}}]}}'
    count = "1 process" if processes == 1 else f"{processes} processes"
    # Commands find the control API in the workspace, unless a flag has moved it.
    moved = control_port != configured_control_port
    control = f" --url http://{server.control_host}:{control_port}" if moved else ""
    lines = (
        f"AI API       {scheme}://{server.host}:{port}/v1   ({count})",
        f"control API  http://{server.control_host}:{control_port}   (metrics at /metrics)",
        f"workspace    {workspace}   (changed files are taken over at once)",
        "try          "
        f"curl -s {scheme}://{server.host}:{port}/v1/chat/completions"
        f' -H "Authorization: Bearer {key}"'
        f" -H 'content-type: application/json' -d '{body}'",
        f"then         {command()} requests list --workspace {workspace}{control}",
    )
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def command() -> str:
    """Return what to type for this program: its name if the shell finds it, else its path."""
    called = Path(sys.argv[0])
    found = shutil.which("steadyhand")
    if found is not None and Path(found).resolve() == called.resolve():
        return "steadyhand"
    return str(called) if called.name == "steadyhand" else f"{sys.executable} -m steadyhand"
