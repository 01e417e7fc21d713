"""Start everything in order: settings, snapshot, gateways, control; then watch over them."""

import logging
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from steadyhand.app import gateway
from steadyhand.app.children import Parent, Role
from steadyhand.app.exclusion import claim_for_serve
from steadyhand.app.latency import prefer_short_slices
from steadyhand.app.open_files import raise_limit
from steadyhand.app.pidfile import claim
from steadyhand.app.publish import (
    Fingerprint,
    Published,
    models_published,
    publish,
    republish,
)
from steadyhand.app.state import State
from steadyhand.app.supervisor import Supervisor
from steadyhand.app.welcome import print_welcome
from steadyhand.core.errors import SteadyhandError
from steadyhand.http.listening import join, listen, listen_shared
from steadyhand.settings.load import load
from steadyhand.settings.model import Settings
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.snapshot import store
from steadyhand.telemetry import logs

logger = logging.getLogger(__name__)

LOG_LEVEL = "info"
READY_WITHIN_S = 60.0
CONTROL_NICE = 10
"""The control process yields the CPU: shipping records may wait, answers may not."""
STRICT_SWITCH_S = 0.0005
"""How long the loop may keep the interpreter from the log's thread, which has synced."""


def serve_all(workspace: Path, flags: Mapping[str, object]) -> int:
    """Serve both planes until interrupted; return the exit code.

    Raises:
        SteadyhandError: The workspace has mistakes, or a port is taken.
    """
    logs.configure(sys.stderr, LOG_LEVEL, "supervisor")
    raise_limit()
    current = Current(workspace, flags)
    settings, state = current.settings, State(current.settings)
    state.prepare()
    lock = claim_for_serve(state)
    state.clear_boards()
    follows = settings.follow.url is not None
    if follows:
        _begin_following(settings)
    else:
        publish(settings)
    server = settings.server
    count = server.processes or len(os.sched_getaffinity(0))
    listeners = listen_shared(server.host, server.port, count)
    port = listeners[0].getsockname()[1]
    control_listener = listen(server.control_host, server.control_port)
    control_port = control_listener.getsockname()[1]
    claimed = claim(state.pid_file)
    if claimed is None:
        logger.warning("another supervisor serves this workspace; 'restart' speaks to that one")
    models = LocalModels(settings)
    current_snapshot = state.snapshots / store.CURRENT
    supervisor = Supervisor(
        publish=(lambda: True) if follows else partial(republish, workspace, flags),
        changed=Published(current_snapshot).changed
        if follows
        else Fingerprint(workspace, current_snapshot).changed,
        renew=current.renew,
        stop_within_s=server.readiness_lead_s + server.drain_s,
        added=models.added,
    )
    roles = [
        Role(f"gateway {number}", partial(_gateway, current, number, each), each, is_gateway=True)
        for number, each in enumerate(listeners)
    ]
    roles[:0] = models.added()  # first: they load while the others start
    if follows:
        roles.append(Role("follower", partial(_follower, settings), None))
    roles.append(Role("control", partial(_control, settings, control_listener), control_listener))
    for child in [supervisor.add(role) for role in roles]:
        if not supervisor.start(child, READY_WITHIN_S):
            logger.error("%s did not start; its reason is above", child.role.name)
            supervisor.stop()
            return 1
    print_welcome(
        settings,
        port,
        control_port,
        count,
        configured_control_port=load(workspace, os.environ, {}).server.control_port,
    )
    supervisor.run()
    lock.release()
    return 0


class Current:
    """What processes are started with: the settings as they were last found to be good.

    Attributes:
        settings: Of the workspace; what is fixed for the life of a supervisor never changes.
    """

    FIXED = ("host", "port", "control_host", "control_port", "processes", "state_dir")

    def __init__(self, workspace: Path, flags: Mapping[str, object]) -> None:
        """Read the workspace.

        Raises:
            SteadyhandError: It has mistakes.
        """
        self._workspace = workspace
        self._flags = flags
        self.settings = load(workspace, os.environ, flags)

    def renew(self) -> bool | None:
        """Read the workspace again; tell whether new processes would differ from those before.

        ``None`` if it has mistakes: they are logged and the settings stay as they were.
        """
        try:
            found = load(self._workspace, os.environ, self._flags)
        except InvalidWorkspace as error:
            for problem in error.problems:
                logger.error("settings not taken over: %s", problem.text())  # noqa: TRY400 - no bug
            return None
        except (SteadyhandError, OSError) as error:
            logger.error("settings not taken over: %s", error)  # noqa: TRY400 - no bug of ours
            return None
        former = self.settings.server
        kept = {name: getattr(former, name) for name in self.FIXED}
        for name in self.FIXED:
            if getattr(found.server, name) != kept[name]:
                logger.warning("[server] %s stays as it is until 'serve' is started anew", name)
        server = found.server.model_copy(update=kept)
        held = self.settings
        is_changed = (server, found.records, found.cache) != (former, held.records, held.cache)
        self.settings = replace(found, server=server)
        return is_changed


def serve_gateway(workspace: Path, flags: Mapping[str, object], number: int) -> None:
    """Serve the AI API in this process until interrupted.

    Raises:
        SteadyhandError: The workspace has mistakes, or no snapshot was published yet.
    """
    logs.configure(sys.stderr, LOG_LEVEL, f"gateway {number}")
    raise_limit()
    settings = load(workspace, os.environ, flags)
    State(settings).prepare()
    server = settings.server
    gateway.run(settings, number, join(server.host, server.port))


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


class LocalModels:
    """The role that hosts models on this machine; there is none until a provider needs it."""

    def __init__(self, settings: Settings) -> None:
        """Start nothing."""
        self._settings = settings
        self._is_added = False

    def added(self) -> list[Role]:
        """Return the role, once, when what is published has a model to host."""
        if self._is_added or not models_published(self._settings):
            return []
        self._is_added = True
        return [Role("models", partial(_models, self._settings), None, is_told=True)]


def _begin_following(settings: Settings) -> None:
    """Have something to serve before anything starts.

    Raises:
        SteadyhandError: There is nothing that may be served.
    """
    from steadyhand.app.follower import Follower

    Follower(settings).begin()


def _follower(settings: Settings, parent: Parent) -> None:
    logs.configure(sys.stderr, LOG_LEVEL, "follower")
    from steadyhand.app import follower

    parent.ready()
    follower.run(settings, parent.lifeline)


def _models(settings: Settings, parent: Parent) -> None:
    logs.configure(sys.stderr, LOG_LEVEL, "models")
    from steadyhand.app import models  # only those who have one pay for it

    models.run(settings, parent)


def _gateway(current: Current, number: int, listener: socket.socket, parent: Parent) -> None:
    logs.configure(sys.stderr, LOG_LEVEL, f"gateway {number}")
    prefer_short_slices()
    if current.settings.records.durability == "strict":
        sys.setswitchinterval(STRICT_SWITCH_S)
    gateway.run(current.settings, number, listener, parent)


def _control(settings: Settings, listener: socket.socket, parent: Parent) -> None:
    os.nice(CONTROL_NICE)
    logs.configure(sys.stderr, LOG_LEVEL, "control")
    from steadyhand.app import control  # FastAPI and SQLAlchemy: only this process needs them

    control.run(settings, listener, parent)
