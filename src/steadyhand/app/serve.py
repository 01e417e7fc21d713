"""Start everything in order: settings, snapshot, gateways, control; then watch over them."""

import logging
import os
import socket
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from steadyhand.app import gateway
from steadyhand.app.exclusion import claim_for_serve
from steadyhand.app.publish import Fingerprint, publish, republish
from steadyhand.app.state import State
from steadyhand.app.supervisor import Parent, Role, Supervisor
from steadyhand.app.welcome import print_welcome
from steadyhand.http.listening import listen, reserve
from steadyhand.settings.load import load
from steadyhand.settings.model import Settings
from steadyhand.snapshot import store
from steadyhand.telemetry import logs

logger = logging.getLogger(__name__)

LOG_LEVEL = "info"
READY_WITHIN_S = 60.0
CONTROL_NICE = 10
"""The control process yields the CPU: shipping records may wait, answers may not."""


def serve_all(workspace: Path, flags: Mapping[str, object]) -> int:
    """Serve both planes until interrupted; return the exit code.

    Raises:
        SteadyhandError: The workspace has mistakes, or a port is taken.
    """
    logs.configure(sys.stderr, LOG_LEVEL, "supervisor")
    settings = load(workspace, os.environ, flags)
    State(settings).prepare()
    claim = claim_for_serve(State(settings))
    State(settings).clear_boards()
    publish(settings)
    server = settings.server
    holder = reserve(server.host, server.port)
    port = holder.getsockname()[1]
    listener = listen(server.control_host, server.control_port)
    supervisor = Supervisor(
        publish=partial(republish, workspace, flags),
        changed=Fingerprint(workspace, State(settings).snapshots / store.CURRENT).changed,
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
    print_welcome(
        settings,
        port,
        listener.getsockname()[1],
        count,
        configured_control_port=load(workspace, os.environ, {}).server.control_port,
    )
    supervisor.run()
    holder.close()
    listener.close()
    claim.release()
    return 0


def serve_gateway(workspace: Path, flags: Mapping[str, object], number: int) -> None:
    """Serve the AI API in this process until interrupted.

    Raises:
        SteadyhandError: The workspace has mistakes, or no snapshot was published yet.
    """
    logs.configure(sys.stderr, LOG_LEVEL, f"gateway {number}")
    settings = load(workspace, os.environ, flags)
    State(settings).prepare()
    gateway.run(settings, number, settings.server.port)


def serve_control(workspace: Path, flags: Mapping[str, object]) -> None:
    """Serve the control API in this process until interrupted.

    Raises:
        SteadyhandError: The workspace has mistakes, or the port is taken.
    """
    from steadyhand.app import control

    logs.configure(sys.stderr, LOG_LEVEL, "control")
    settings = load(workspace, os.environ, flags)
    State(settings).prepare()
    control.run(
        settings,
        listen(settings.server.control_host, settings.server.control_port),
    )


def _gateway(settings: Settings, number: int, port: int, parent: Parent) -> None:
    logs.configure(sys.stderr, LOG_LEVEL, f"gateway {number}")
    gateway.run(settings, number, port, parent)


def _control(settings: Settings, listener: socket.socket, parent: Parent) -> None:
    os.nice(CONTROL_NICE)
    logs.configure(sys.stderr, LOG_LEVEL, "control")
    from steadyhand.app import control  # FastAPI and SQLAlchemy: only this process needs them

    control.run(settings, listener, parent)
