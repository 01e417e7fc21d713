"""What ``steadyhand serve`` prints when it is ready."""

import sys

from steadyhand.app.state import State
from steadyhand.settings.model import Settings


def print_welcome(settings: Settings, port: int, control_port: int, processes: int) -> None:
    """Say where it answers and what to try next."""
    server, workspace = settings.server, settings.workspace
    scheme = "https" if server.tls_cert else "http"
    key_files = sorted(State(settings).directory.glob("*.key"))
    keys = [path for path in key_files if path.name != "snapshot.key"]
    key = f"$(cat {keys[0]})" if keys else "<key>"
    texts = [name for name, route in settings.routes.items() if route.floor.kind == "template"]
    route = next(iter((*texts, *settings.routes)), "<route>")
    body = f'{{"model":"{route}","messages":[{{"role":"user","content":"What does VACUUM do?"}}]}}'
    lines = (
        f"AI API       {scheme}://{server.host}:{port}/v1   ({processes} processes)",
        f"control API  http://{server.control_host}:{control_port}   (metrics at /metrics)",
        f"workspace    {workspace}   (changed files are taken over at once)",
        "try          "
        f"curl -s {scheme}://{server.host}:{port}/v1/chat/completions"
        f' -H "Authorization: Bearer {key}"'
        f" -H 'content-type: application/json' -d '{body}'",
        f"then         steadyhand requests list --workspace {workspace}",
    )
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
