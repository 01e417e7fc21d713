"""The chart as Helm's engine renders it, and the workspace volume as a kubelet lays it out."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.tree import ROOT

CHART = ROOT / "deploy" / "helm" / "steadyhand"
PYTHON = ROOT / ".venv-deploy" / "bin" / "python"
VERSIONS = ("1.30", "1.33", "1.37")
"""Of Kubernetes: the first that the chart takes, one between, and the newest with schemas."""

CASES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "one replica": {"replicas": 1},
    "everything": {
        "replicas": 3,
        "image": {
            "repository": "registry.example/steadyhand",
            "digest": "sha256:" + "a" * 64,
            "pullPolicy": "Always",
            "pullSecrets": ["registry"],
        },
        "secrets": {"environment": "provider-keys", "controlToken": "control-token"},
        "server": {"drainSeconds": 120, "strictHosts": ["steadyhand.example"]},
        "state": {"size": "100Gi", "storageClass": "fast"},
        "service": {"type": "LoadBalancer", "port": 443, "controlPort": 9081},
        "serviceAccount": {"annotations": {"example.org/role": "gateway"}},
        "networkPolicy": {
            "from": [{"namespaceSelector": {"matchLabels": {"team": "shop"}}}],
            "controlFrom": [{"podSelector": {"matchLabels": {"app": "prometheus"}}}],
            "egress": [{"to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}]}],
        },
        "disruptionBudget": {"maxUnavailable": "25%"},
        "serviceMonitor": {"enabled": True, "interval": "30s", "labels": {"release": "prom"}},
        "podAnnotations": {"example.org/note": "x"},
        "podLabels": {"tier": "front"},
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "models", "operator": "Exists", "effect": "NoSchedule"}],
        "affinity": {"podAntiAffinity": {}},
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "steadyhand"}},
            }
        ],
    },
    "jobs in the cluster": {"rollouts": {"jobs": {"enabled": True}}},
    "a workspace of its own": {
        "workspace": {
            "volume": {"persistentVolumeClaim": {"claimName": "workspace", "readOnly": True}}
        },
        "networkPolicy": {"enabled": False},
    },
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown key": ({"replica": 2}, "replica"),
    "an unknown key below": ({"image": {"name": "x"}}, "name"),
    "the tag latest": ({"image": {"tag": "latest"}}, "/image/tag"),
    "no replica": ({"replicas": 0}, "/replicas"),
    "a fraction of a CPU as limit": ({"resources": {"limits": {"cpu": "500m"}}}, "limits/cpu"),
    "no limit of memory": ({"resources": {"limits": {"memory": None}}}, "memory"),
    "a file that is no part of a workspace": ({"workspace": {"files": {"../x": ""}}}, "../x"),
    "jobs that are neither on nor off": (
        {"rollouts": {"jobs": {"enabled": "yes"}}},
        "rollouts/jobs/enabled",
    ),
    "a budget that allows nothing": ({"disruptionBudget": {"maxUnavailable": 0}}, "maxUnavailable"),
}


@dataclass(frozen=True)
class Rendered:
    """One set of values: the objects, or why Helm refused; what the schemas say of them."""

    refused: str
    objects: list[dict[str, Any]]
    findings: list[str]
    notes: str

    def kind(self, kind: str) -> list[dict[str, Any]]:
        """Return the objects of one kind."""
        return [one for one in self.objects if one["kind"] == kind]

    def one(self, kind: str) -> dict[str, Any]:
        """Return the only object of one kind."""
        (found,) = self.kind(kind)
        return found

    @property
    def pod(self) -> dict[str, Any]:
        """The pod's template."""
        template: dict[str, Any] = self.one("StatefulSet")["spec"]["template"]
        return template

    @property
    def container(self) -> dict[str, Any]:
        """The only container."""
        (found,) = self.pod["spec"]["containers"]
        container: dict[str, Any] = found
        return container

    def environment(self) -> dict[str, str]:
        """Return the container's variables as a kubelet would set them."""
        found = {}
        for entry in self.container["env"]:
            if "value" in entry:
                found[entry["name"]] = entry["value"]
            else:
                place, what = entry["valueFrom"]["resourceFieldRef"]["resource"].split(".")
                found[entry["name"]] = self.container["resources"][place][what]
        return found


def asked(
    cases: dict[str, dict[str, Any]], objects: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """Have `.venv-deploy` render and judge ``cases``; judge ``objects``, which are made."""
    assert PYTHON.exists(), "Helm's engine is missing: make deploy-tools"
    question = {
        "chart": str(CHART),
        "cases": cases,
        "objects": objects,
        "versions": VERSIONS,
    }
    done = subprocess.run(
        [PYTHON, Path(__file__).with_name("chart_program.py")],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def rendered() -> dict[str, Rendered]:
    """Return every case of both tables, and under ``lint`` what Helm's linter finds."""
    answer = asked({**CASES, **{name: values for name, (values, _) in REFUSED.items()}})
    found = {name: Rendered(**case) for name, case in answer["cases"].items()}
    lint = [f"{m['path']}: {m['error']}" for m in answer["lint"]["messages"] if m["severity"] > 1]
    return {**found, "lint": Rendered("", [], lint + answer["lint"]["errors"], "")}


def found_by_schemas(objects: Sequence[dict[str, Any]]) -> list[str]:
    """Return what the strict schemas of Kubernetes find wrong with ``objects``."""
    found: list[str] = asked({}, objects)["findings"]
    return found


class ConfigMapVolume:
    """A folder that changes as a mounted ConfigMap does: all files at once, behind links."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._version = 0

    def write(self, data: dict[str, str], items: list[dict[str, str]]) -> None:
        """Bring the volume to ``data``, laid out as ``items`` say."""
        self._version += 1
        version = self._folder / f"..version_{self._version}"
        for item in items:
            path = version / item["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(data[item["key"]], encoding="utf-8")
        coming = self._folder / "..data_tmp"
        coming.symlink_to(version.name)
        coming.replace(self._folder / "..data")
        for top in {Path(item["path"]).parts[0] for item in items}:
            if not (self._folder / top).is_symlink():
                os.symlink(f"..data/{top}", self._folder / top)
