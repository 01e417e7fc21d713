"""Where a workspace's running state lies on disk, and how its secrets are found."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from steadyhand.core import secrets
from steadyhand.http.traffic import Traffic
from steadyhand.providers.base import ProviderPorts
from steadyhand.settings.model import Settings
from steadyhand.telemetry.status import FILE


class State:
    """Paths below the state directory; nothing is created by asking for one."""

    def __init__(self, settings: Settings) -> None:
        """Resolve the state directory, which may be relative to the workspace."""
        self.directory = settings.workspace / settings.server.state_dir

    @property
    def snapshots(self) -> Path:
        """Folder of the published snapshots."""
        return self.directory / "snapshot"

    @property
    def answers(self) -> Path:
        """Folder of the compiled collections of curated answers."""
        return self.directory / "answers"

    @property
    def snapshot_key(self) -> Path:
        """File with the key that signs them."""
        return self.directory / "snapshot.key"

    @property
    def registry(self) -> Path:
        """The bare repository of the release registry."""
        return self.directory / "registry.git"

    @property
    def registry_key(self) -> Path:
        """File with the key that signs the registry's commits."""
        return self.directory / "registry_ed25519"

    @property
    def exposure_lease(self) -> Path:
        """File that says until when candidates may be served."""
        return self.run / "exposure.lease"

    @property
    def releases_refused(self) -> Path:
        """File that says which releases could not be put in force, and why."""
        return self.directory / "releases.refused.json"

    @property
    def followed(self) -> Path:
        """File that says when the control plane that is followed was last heard."""
        return self.directory / "followed.json"

    @property
    def log(self) -> Path:
        """Folder of the record log, one folder a writer."""
        return self.directory / "log"

    @property
    def samples(self) -> Path:
        """Folder of the log of samples, one folder a writer."""
        return self.directory / "samples"

    @property
    def database(self) -> Path:
        """The SQLite file that records are shipped to by default."""
        return self.directory / "steadyhand.db"

    @property
    def control_token(self) -> Path:
        """File with the bootstrap user's bearer token."""
        return self.directory / "control.token"

    @property
    def run(self) -> Path:
        """Folder of what only lives as long as the processes."""
        return self.directory / "run"

    @property
    def pid_file(self) -> Path:
        """File that says which process is the supervisor."""
        return self.run / "supervisor.pid"

    @property
    def cache_socket(self) -> Path:
        """Socket at which the control process answers for the database's tier of the cache."""
        return self.run / "cache.sock"

    @property
    def cache_epochs(self) -> Path:
        """File that says what of the cache was flushed."""
        return self.directory / "cache.epochs"

    def board(self, number: int) -> Path:
        """File that gateway process ``number`` publishes its gauges in."""
        return self.run / f"gateway-{number}.board"

    def status(self, number: int) -> Path:
        """File in which gateway process ``number`` says how its deployments and rungs are."""
        return self.run / FILE.format(process=number)

    def proofs(self, number: int) -> Path:
        """File in which gateway process ``number`` tells what it knows of its rungs."""
        return self.run / f"gateway-{number}.proofs"

    @property
    def drill_lock(self) -> Path:
        """File that the gateway process holds which drills."""
        return self.run / "drills.lock"

    @property
    def drill_orders(self) -> Path:
        """Folder in which control asks for drills, and finds what came of them."""
        return self.run / "drills"

    @property
    def serve_lock(self) -> Path:
        """File that ``steadyhand serve`` holds while it runs."""
        return self.run / "serve.lock"

    @property
    def mounted_lock(self) -> Path:
        """File that every mounted gateway holds while it runs."""
        return self.run / "mounted.lock"

    @property
    def publish_lock(self) -> Path:
        """File that a mounted gateway holds while it publishes the snapshot."""
        return self.run / "publish.lock"

    def number_lock(self, number: int) -> Path:
        """File that a mounted gateway holds to be process ``number`` alone."""
        return self.run / f"gateway-{number}.lock"

    def model_socket(self, provider: str) -> Path:
        """Socket at which the host of the local model ``provider`` answers."""
        return self.run / f"model-{provider}.sock"

    def model_board(self, provider: str) -> Path:
        """File in which it publishes its numbers."""
        return self.run / f"model-{provider}.board"

    def prepare(self) -> None:
        """Create the folders, readable by this user only."""
        for folder in (self.directory, self.snapshots, self.log, self.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def clear_boards(self) -> None:
        """Remove what processes of an earlier start reported; fewer may run now."""
        for pattern in (
            "gateway-*.board",
            "gateway-*.status.json",
            ".gateway-*.status.json.*",
            "model-*.board",
            "model-*.sock",
        ):
            for left in self.run.glob(pattern):
                left.unlink(missing_ok=True)


def secret_resolver(workspace: Path, environment: Mapping[str, str]) -> Callable[[str], str]:
    """Return what finds the secret behind a reference; files are relative to the workspace."""

    def read_text(path: str) -> str:
        return (workspace / path).read_text(encoding="utf-8")

    return partial(secrets.resolve, environment=environment, read_text=read_text)


def provider_ports(settings: Settings, environment: Mapping[str, str]) -> ProviderPorts:
    """Return what the providers of one process may reach; they share one count of traffic."""
    workspace = settings.workspace
    sockets = State(settings).model_socket
    return ProviderPorts(secret_resolver(workspace, environment), workspace, Traffic(), sockets)
