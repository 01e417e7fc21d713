"""The gateways that are compared: how each is set up, started and asked.

Each is set up by its own documentation to fall back from a first deployment to a second one; the
files are in ``peers/``. All are told the same wish: first content of a stream in 1.5 s, an
answer that is not streamed in 10 s, no stream longer than 25 s.
"""

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import steadyhand
from benchmarks.failover import environments
from benchmarks.failover.cases import PREPARED, Case
from benchmarks.failover.upstreams import Upstreams, first_model, second_model
from benchmarks.targets import Site, Target, commit, everything
from benchmarks.workspace import KEY

STREAM_TIMEOUT_MS, WHOLE_TIMEOUT_MS = 700, 4_500
"""For each of Portkey's two targets, by the form of the request."""
STREAM_CAP_MS, IDLE_S = 25_000, 5
"""Longest stream, and longest silence in one: callers leave after 30 s."""

_WORKSPACE = "failover"
ANSWERS = Path(steadyhand.__file__).parent / "settings" / "demo" / "answers"
"""The curated answers of the demo."""
_SETTINGS = """\
[slo.interactive]
first_content_ms = 1500
whole_ms = 10000
stream_cap_ms = {cap}

[server]
max_connections_per_client = 0
"""
_PROVIDER = """
[providers.{name}]
kind = "openai"
base_url = "{url}"
idle_timeout_s = {idle}
"""
_KEYS = """\
[keys.bench]
hash = "sha256:{digest}"
tenant = "bench"
routes = {routes}
"""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway that can be started.

    Attributes:
        title: What tables call it.
        build: Makes the target for upstreams and cases.
        rates: Requests a second to offer; 0 stands for half of its own capacity.
        marked_by: Response header by which it says what answered, or empty.
        more: Further headers of a request of a case, by whether it is a stream.
        database: Where it keeps its records, below the folder it runs in; ``None`` if it has none.
    """

    title: str
    build: Callable[[Site, Upstreams, Sequence[Case], Path], Target]
    rates: tuple[float, ...]
    marked_by: str = ""
    more: Callable[[Upstreams, Case, str], Mapping[str, str]] = field(
        default=lambda _upstreams, _case, _form: {}
    )
    database: Callable[[Path], Path] | None = None


def write_workspace(
    folder: Path, upstreams: Upstreams, cases: Sequence[Case], template: str
) -> None:
    """Write a workspace with a route for each case, made from a ``template`` of ``peers/``."""
    (folder / "routes").mkdir(parents=True)
    providers = {"first": upstreams.first, "second": upstreams.second, "dead": upstreams.dead}
    settings = _SETTINGS.format(cap=STREAM_CAP_MS) + "".join(
        _PROVIDER.format(name=name, url=f"http://127.0.0.1:{port}/v1", idle=IDLE_S)
        for name, port in providers.items()
    )
    (folder / "steadyhand.toml").write_text(settings, encoding="utf-8")
    (folder / "keys.toml").write_text(
        _KEYS.format(
            digest=sha256(KEY.encode()).hexdigest(),
            routes=json.dumps([case.route for case in cases]),
        ),
        encoding="utf-8",
    )
    route = (environments.PINS / template).read_text(encoding="utf-8")
    shutil.copytree(ANSWERS, folder / "answers")
    for case in cases:
        text = _filled(
            route,
            first="first" if case.first else "dead",
            first_model=first_model(case),
            second="second" if case.second else "dead",
            second_model=second_model(case),
            prepared=PREPARED,
        )
        (folder / "routes" / f"{case.route}.toml").write_text(text, encoding="utf-8")


def _filled(text: str, **values: str) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _steadyhand(
    site: Site,
    upstreams: Upstreams,
    cases: Sequence[Case],
    _home: Path,
    template: str = "steadyhand-route.toml",
) -> Target:
    target = everything(site)  # its workspace is not used: the command names ours
    workspace = site.folder / _WORKSPACE
    write_workspace(workspace, upstreams, cases, template)
    old = str(site.folder / "workspace")
    command = tuple(str(workspace) if part == old else part for part in target.command)
    return Target(target.url, command, commit(), target.environment)


def _litellm(site: Site, upstreams: Upstreams, cases: Sequence[Case], home: Path) -> Target:
    folder = environments.litellm(home)
    one = (environments.PINS / "litellm-case.yaml").read_text(encoding="utf-8")
    blocks = [_filled(one, route=case.route, **_deployments(upstreams, case)) for case in cases]
    settings = (environments.PINS / "litellm.yaml").read_text(encoding="utf-8")
    fallbacks = ", ".join(f'{{"{case.route}": ["{case.route}-second"]}}' for case in cases)
    configuration = site.folder / "litellm.yaml"
    configuration.write_text(
        _filled(settings, deployments="".join(blocks).rstrip(), fallbacks=fallbacks, key=KEY),
        encoding="utf-8",
    )
    return Target(
        url=site.url,
        command=(
            *(str(folder / "bin" / "litellm"), "--config", str(configuration)),
            *("--host", "127.0.0.1", "--port", str(site.port), "--num_workers", "1"),
            *("--telemetry", "False"),
        ),
        version=_version(folder / "bin" / "python", "litellm"),
        environment={
            "LITELLM_MODE": "PRODUCTION",
            "LITELLM_LOG": "ERROR",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_MAX_STREAMING_DURATION_SECONDS": f"{STREAM_CAP_MS / 1000}",
            "NO_DOCS": "True",
        },
        start_limit_s=180.0,
    )


def _portkey(site: Site, _upstreams: Upstreams, _cases: Sequence[Case], home: Path) -> Target:
    folder, node = environments.portkey(home)
    package = folder / "node_modules" / "@portkey-ai" / "gateway"
    told = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
    return Target(
        url=site.url,
        command=(
            *(node, str(package / "build" / "start-server.js")),
            *(f"--port={site.port}", "--headless"),
        ),
        version=f"{told}, node {_told([node, '--version'])}",
        environment={"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "localhost,127.0.0.1"},
    )


def _portkey_headers(upstreams: Upstreams, case: Case, form: str) -> Mapping[str, str]:
    text = (environments.PINS / "portkey.json").read_text(encoding="utf-8")
    timeout_ms = STREAM_TIMEOUT_MS if form == "stream" else WHOLE_TIMEOUT_MS
    filled = _filled(text, timeout_ms=str(timeout_ms), **_deployments(upstreams, case))
    return {"x-portkey-config": json.dumps(json.loads(filled), separators=(",", ":"))}


def _deployments(upstreams: Upstreams, case: Case) -> dict[str, str]:
    first_url, second_url = upstreams.urls(case)
    return {
        "first_url": first_url,
        "first_model": first_model(case),
        "second_url": second_url,
        "second_model": second_model(case),
    }


def _version(python: Path, package: str) -> str:
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return _told([str(python), "-c", code])


def _told(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def database_of_ours(folder: Path) -> Path:
    """Return where Steadyhand keeps its records, if it runs in ``folder``."""
    return folder / _WORKSPACE / ".steadyhand" / "steadyhand.db"


GATEWAYS: Mapping[str, Gateway] = {
    "steadyhand": Gateway(
        "Steadyhand",
        _steadyhand,
        (20.0, 500.0),
        "x-steadyhand-rung",
        database=database_of_ours,
    ),
    "litellm": Gateway("LiteLLM proxy", _litellm, (20.0, 0.0)),
    "portkey": Gateway("Portkey gateway", _portkey, (20.0, 0.0), more=_portkey_headers),
}


def instant() -> Gateway:
    """Return Steadyhand with routes of the class ``instant`` and every kind of rung."""
    template = "steadyhand-instant-route.toml"
    return replace(GATEWAYS["steadyhand"], build=partial(_steadyhand, template=template))


def version_of_ours() -> str:
    """Return the commit that is measured."""
    return commit()
