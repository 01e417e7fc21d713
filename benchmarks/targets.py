"""What can be measured, and how each is started: direct, nginx, and the gateway twice.

A builder takes a :class:`Site` and returns a :class:`Target`, or raises :class:`Unavailable` with
what to do about it. Each start of a target has a site of its own, so nothing is warm but the
machine's file cache.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from benchmarks.workspace import KEY, write_workspace

ROOT = Path(__file__).resolve().parents[1]
PATH = "/v1/chat/completions"
_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin")


class Unavailable(Exception):
    """A target cannot be started on this machine; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a target is to run.

    Attributes:
        folder: Empty, its own, removed at the end.
        port: Free, to listen on.
        second_port: Another.
        upstream: Address of the mock upstream, without path.
    """

    folder: Path
    port: int
    second_port: int
    upstream: str

    @property
    def url(self) -> str:
        """Where the target is to answer."""
        return f"http://127.0.0.1:{self.port}{PATH}"

    @property
    def upstream_port(self) -> str:
        """Port of the mock upstream."""
        return self.upstream.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Target:
    """Something that answers chat completions.

    Attributes:
        url: Where.
        command: What starts it in the foreground; empty if it runs already.
        version: For the reader of results.
        environment: Variables to add.
        start_limit_s: How long it may take to its first good answer.
    """

    url: str
    command: tuple[str, ...] = ()
    version: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    start_limit_s: float = 30.0


Builder = Callable[[Site], Target]


def direct(site: Site) -> Target:
    """Return the mock upstream itself: what the tools and the loopback interface cost."""
    return Target(site.upstream + PATH)


_NGINX = """\
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    keepalive_requests 100000000;
    keepalive_timeout 300s;
    client_body_buffer_size 64k;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream mock {{
        server 127.0.0.1:{upstream_port};
        keepalive 512;
        keepalive_requests 100000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://mock;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_read_timeout 600s;
        }}
    }}
}}
"""


def nginx(site: Site) -> Target:
    """Return nginx as a reverse proxy with kept connections: a limit rather than a peer."""
    folders = os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM_FOLDERS))
    program = shutil.which("nginx", path=folders)
    if program is None:
        raise Unavailable("nginx is not installed; your system's package is called nginx-light")
    configuration = site.folder / "nginx.conf"
    configuration.write_text(
        _NGINX.format(folder=site.folder, port=site.port, upstream_port=site.upstream_port),
        encoding="utf-8",
    )
    told = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
    return Target(
        url=site.url,
        command=(program, "-p", str(site.folder), "-e", "stderr", "-c", str(configuration)),
        version=told.strip().rpartition("/")[2],
    )


def pass_through(site: Site) -> Target:
    """Return our server and client with nothing between them: what HTTP alone costs us."""
    script = ROOT / "benchmarks" / "http_passthrough.py"
    arguments = ("--port", str(site.port), "--upstream", site.upstream)
    return Target(
        url=site.url,
        command=(sys.executable, str(script), *arguments),
        version=f"{commit()}, uvloop {version('uvloop')}, httptools {version('httptools')}",
    )


def everything(site: Site) -> Target:
    """Return ``steadyhand serve`` as people run it: keys, routes, records, metrics, control plane.

    One gateway process, as there is one core; supervisor and control process share it.
    """
    workspace = site.folder / "workspace"
    write_workspace(workspace, site.upstream)
    return Target(
        url=site.url,
        command=(
            *(sys.executable, "-m", "steadyhand", "serve", "--workspace", str(workspace)),
            *("--port", str(site.port), "--control-port", str(site.second_port)),
            *("--processes", "1"),
        ),
        version=commit(),
        environment={"PYTHONUNBUFFERED": "1"},
    )


def under_uvicorn(site: Site) -> Target:
    """Return the gateway as an ASGI application, run by uvicorn alone; no control process."""
    return _by_uvicorn(site, "--factory", "steadyhand.asgi:create")


def mounted(site: Site) -> Target:
    """Return the gateway mounted in a Starlette application under uvicorn."""
    program = (
        "from starlette.applications import Starlette\n"
        "from starlette.routing import Mount\n"
        "from steadyhand.asgi import create\n"
        "llm = create()\n"
        "app = Starlette(routes=[Mount('/', llm)], lifespan=llm.lifespan)\n"
    )
    (site.folder / "host.py").write_text(program, encoding="utf-8")
    return _by_uvicorn(site, "--app-dir", str(site.folder), "host:app")


def over_aiohttp(site: Site) -> Target:
    """Return ``steadyhand serve`` as above, its provider reached by the aiohttp transport."""
    target = everything(site)
    settings = site.folder / "workspace" / "steadyhand.toml"
    text = settings.read_text(encoding="utf-8")
    chosen = text.replace('kind = "openai"\n', 'kind = "openai"\ntransport = "aiohttp"\n')
    settings.write_text(chosen, encoding="utf-8")
    return target


def _by_uvicorn(site: Site, *arguments: str) -> Target:
    workspace = site.folder / "workspace"
    write_workspace(workspace, site.upstream)
    return Target(
        url=site.url,
        command=(
            *(sys.executable, "-m", "uvicorn", "--port", str(site.port), "--no-access-log"),
            *("--log-level", "warning", "--ws", "none", *arguments),
        ),
        version=f"{commit()}, uvicorn {version('uvicorn')}",
        environment={"STEADYHAND_WORKSPACE": str(workspace)},
    )


HEADERS = (f"Authorization: Bearer {KEY}",)
"""Every target gets the key, whether it looks at it or not."""

OWN: Mapping[str, Builder] = {
    "direct": direct,
    "nginx": nginx,
    "pass-through": pass_through,
    "ours": everything,
}
"""Name → builder of what a comparison always wants, in the order of the table."""

OTHER_CARRIERS: Mapping[str, Builder] = {
    "uvicorn": under_uvicorn,
    "mounted": mounted,
    "aiohttp": over_aiohttp,
}
"""Second implementations of our ports; measured when ``--only`` names them."""


def commit() -> str:
    """Return the commit of this working tree, marked if it has changes."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return "no commit"
    command = [git, "describe", "--always", "--dirty", "--abbrev=10"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "no commit"
