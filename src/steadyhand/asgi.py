"""The gateway for other ASGI servers and applications: the names that they import.

In an application::

    from steadyhand.asgi import gateway

    llm = gateway("path/to/workspace")
    app = FastAPI(lifespan=llm.lifespan)
    app.mount("/llm", llm)

Under a server, the workspace named by ``STEADYHAND_WORKSPACE``::

    STEADYHAND_WORKSPACE=demo uvicorn --factory steadyhand.asgi:create
"""

import os
from collections.abc import Mapping
from pathlib import Path

from steadyhand.app.mounted import MountedGateway
from steadyhand.core.errors import ConfigurationError

WORKSPACE = "STEADYHAND_WORKSPACE"


def gateway(
    workspace: str | Path, *, overrides: Mapping[str, object] | None = None
) -> MountedGateway:
    """Return the gateway of ``workspace`` as an ASGI application; nothing runs yet.

    Args:
        workspace: The directory with ``steadyhand.toml``.
        overrides: Key with dots → value, laid over the file and the environment:
            ``{"server.state_dir": "/var/lib/app/steadyhand"}``.
    """
    return MountedGateway(Path(workspace), overrides or {})


def create() -> MountedGateway:
    """Return the gateway of the workspace that ``STEADYHAND_WORKSPACE`` names.

    Raises:
        ConfigurationError: The variable is not set.
    """
    workspace = os.environ.get(WORKSPACE, "")
    if not workspace:
        raise ConfigurationError(
            f"{WORKSPACE} is not set", hint="set it to the directory with steadyhand.toml"
        )
    return gateway(workspace)
