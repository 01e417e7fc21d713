"""Start everything in order: settings, snapshot, gateways, control; then watch over them."""

import logging
import os
import socket
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from time import time

from steadyhand.app.state import State
from steadyhand.app.supervisor import Role, Supervisor
from steadyhand.core.errors import ConfigurationError, SteadyhandError
from steadyhand.settings.load import load
from steadyhand.settings.model import Settings
from steadyhand.snapshot import sign, store
from steadyhand.snapshot.compile import compile_snapshot
from steadyhand.telemetry import logs

logger = logging.getLogger(__name__)

GATEWAY_READY_WITHIN_S = 30.0
CONTROL_READY_WITHIN_S = 60.0
CONTROL_NICE = 5
"""The control process yields the CPU: shipping records may wait, answers may not."""


def serve_all(workspace: Path, flags: Mapping[str, object]) -> int:
    """Serve both planes until interrupted; return the exit code.

    Raises:
        SteadyhandError: The workspace has mistakes, or a port is taken.
    """
    logs.configure("supervisor")
    settings = load(workspace, os.environ, flags)
    State(settings).prepare()
    publish(settings)
    server = settings.server
    holder = reserve(server.host, server.port)
    port = holder.getsockname()[1]
    listener = listen(server.control_host, server.control_port)
    supervisor = Supervisor(
        publish=partial(republish, workspace, flags),
        changed=Fingerprint(workspace).changed,
        drain_s=server.drain_s,
    )
    count = server.processes or len(os.sched_getaffinity(0))
    roles = [
        Role(f"gateway {number}", partial(_gateway, settings, number, port), reloads=True)
        for number in range(count)
    ]
    roles.append(Role("control", partial(_control, settings, listener)))
    for role in roles:
        if not supervisor.start(role, READY_WITHIN_S):
            logger.error("%s did not start; its reason is above", role.name)
            supervisor.stop()
            return 1
    print_welcome(settings, port, listener.getsockname()[1], count)
    supervisor.run()
    holder.close()
    listener.close()
    return 0


def serve_gateway(workspace: Path, flags: Mapping[str, object], number: int) -> None:
    """Serve the AI API in this process until interrupted.

    Raises:
        SteadyhandError: The workspace has mistakes, or no snapshot was published yet.
    """
    logs.configure(f"gateway {number}")
    settings = load(workspace, os.environ, flags)
    State(settings).prepare()
    gateway.run(settings, number, settings.server.port)


def serve_control(workspace: Path, flags: Mapping[str, object]) -> None:
    """Serve the control API in this process until interrupted.

    Raises:
        SteadyhandError: The workspace has mistakes, or the port is taken.
    """
    from steadyhand.app import control

    logs.configure("control")
    settings = load(workspace, os.environ, flags)
    State(settings).prepare()
    control.run(settings, listen(settings.server.control_host, settings.server.control_port))


def publish(settings: Settings) -> None:
    """Compile the workspace and put it in force for every gateway that loads it.

    Raises:
        SteadyhandError: The signing key cannot be used.
        OSError: The disk is full or not ours; what was in force stays so.
    """
    state = State(settings)
    key = sign.open_key(state.snapshot_key)
    now_us = int(time() * 1e6)
    snapshot = compile_snapshot(
        keys=settings.keys,
        routes=settings.routes,
        prompts=settings.prompts,
        providers=settings.providers,
        slo_classes=settings.slo_classes,
        now_us=now_us,
        version=store.next_version(state.snapshots, key, now_us),
    )
    build_serving(snapshot, secret_resolver(settings.workspace, os.environ))
    store.publish(snapshot, state.snapshots, key)


def republish(workspace: Path, flags: Mapping[str, object]) -> bool:
    """Read the workspace again and publish it; ``False`` if it has mistakes, which are logged."""
    try:
        publish(load(workspace, os.environ, flags))
    except InvalidWorkspace as error:
        for problem in error.problems:
            logger.error("workspace not taken over: %s", problem.text())
        return False
    except (SteadyhandError, OSError) as error:
        logger.error("workspace not taken over: %s", error)  # noqa: TRY400 - no bug of ours
        return False
    return True


class Fingerprint:
    """Tells when a file of the workspace that shapes answers has changed."""

    PATTERNS = ("steadyhand.toml", "keys.toml", "routes/*.toml", "prompts/*.md")

    def __init__(self, workspace: Path) -> None:
        """Remember the files as they are now."""
        self._workspace = workspace
        self._seen = self._look()

    def changed(self) -> bool:
        """Tell whether any file differs from the last call, by size and time of change."""
        now = self._look()
        if now == self._seen:
            return False
        self._seen = now
        return True

    def _look(self) -> dict[str, tuple[int, int]]:
        found = {}
        for pattern in self.PATTERNS:
            for path in self._workspace.glob(pattern):
                with contextlib.suppress(OSError):
                    status = path.stat()
                    found[str(path)] = (status.st_mtime_ns, status.st_size)
        return found


def reserve(host: str, port: int) -> socket.socket:
    """Hold ``port`` for the gateway processes, which share it; nothing listens on this socket.

    Raises:
        ConfigurationError: Somebody else has it, a second Steadyhand included.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # Without SO_REUSEPORT: two installations must not share the traffic unnoticed.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            port = probe.getsockname()[1]
        holder = socket.socket(family, socket.SOCK_STREAM)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((host, port))
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            hint="stop what holds the port, or choose another with --port",
        ) from error
    return holder


def print_welcome(settings: Settings, port: int, control_port: int, processes: int) -> None:
    """Say where it answers and what to try next."""
    server, workspace = settings.server, settings.workspace
    scheme = "https" if server.tls_cert else "http"
    key_files = sorted(State(settings).directory.glob("*.key"))
    keys = [path for path in key_files if path.name != "snapshot.key"]
    key = f"$(cat {keys[0]})" if keys else "<key>"
    route = next(iter(settings.routes), "<route>")
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


def _gateway(settings: Settings, number: int, port: int, parent: Parent) -> None:
    logs.configure(f"gateway {number}")
    gateway.run(settings, number, port, parent)


def _control(settings: Settings, listener: socket.socket, parent: Parent) -> None:
    from steadyhand.app import control  # FastAPI and SQLAlchemy: only this process needs them

    os.nice(CONTROL_NICE)
    logs.configure("control")
    control.run(settings, listener, parent)
