"""The chart, rendered by Helm's own engine, meets Kubernetes' strict schemas and our policy."""

import re
from typing import Any

import pytest

from steadyhand.rollouts.jobs.manifest import JobTemplate, manifest
from steadyhand.rollouts.jobs.model import JobSpec
from tests.support.charts import CASES, REFUSED, Rendered, found_by_schemas
from tests.support.tree import ROOT

WRITABLE = {"/var/lib/steadyhand", "/tmp"}  # noqa: S108 - inside the container


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, charts: dict[str, Rendered]) -> Rendered:
    found: Rendered = charts[request.param]
    assert found.refused == ""
    return found


def labels_match(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


def test_helms_linter_finds_nothing(charts: dict[str, Rendered]) -> None:
    assert charts["lint"].findings == []


def test_every_object_meets_the_strict_schemas(case: Rendered) -> None:
    others = [finding for finding in case.findings if "no schema for ServiceMonitor" not in finding]
    assert others == []
    assert len(case.objects) >= 5


@pytest.mark.parametrize("mistake", REFUSED)
def test_values_that_are_wrong_are_refused(charts: dict[str, Rendered], mistake: str) -> None:
    assert REFUSED[mistake][1] in charts[mistake].refused


def test_the_pod_has_no_more_rights_than_it_needs(case: Rendered) -> None:
    """What the restricted Pod Security Standard asks, and a read-only root."""
    spec, container = case.pod["spec"], case.container
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] >= 10000
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    # Anything but OnRootMismatch would open the state's keys to the group at each start, and they
    # are refused then.
    assert spec["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & spec.keys()
    assert [volume for volume in spec["volumes"] if "hostPath" in volume] == []
    accounts = case.kind("ServiceAccount")
    assert [account["automountServiceAccountToken"] for account in accounts] == [False] * len(
        accounts
    )
    assert case.kind("ClusterRole") + case.kind("ClusterRoleBinding") == []


def test_only_who_runs_jobs_has_a_token_and_rights(charts: dict[str, Rendered]) -> None:
    for name in CASES:
        case, runs_jobs = charts[name], name == "jobs in the cluster"
        assert case.pod["spec"]["automountServiceAccountToken"] is runs_jobs
        assert len(case.kind("Role")) == len(case.kind("RoleBinding")) == int(runs_jobs)


def test_the_rights_of_jobs_are_those_that_are_used(charts: dict[str, Rendered]) -> None:
    case = charts["jobs in the cluster"]
    assert case.one("Role")["rules"] == [
        {
            "apiGroups": ["batch"],
            "resources": ["jobs"],
            "verbs": ["create", "get", "list", "watch", "delete"],
        },
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
    ]
    binding = case.one("RoleBinding")
    assert binding["roleRef"]["name"] == case.one("Role")["metadata"]["name"]
    (subject,) = binding["subjects"]
    assert subject["name"] == case.pod["spec"]["serviceAccountName"]
    others = {account["metadata"]["name"] for account in case.kind("ServiceAccount")}
    assert others - {subject["name"]} == {f"{subject['name']}-jobs"}, "without rights, of the jobs"
    ports = {
        p["port"] for rule in case.one("NetworkPolicy")["spec"]["egress"] for p in rule["ports"]
    }
    assert ports == {53, 443, 6443}, "the API can be reached"


def test_a_job_meets_the_strict_schemas_and_gets_no_callers_request(
    charts: dict[str, Rendered],
) -> None:
    """The Job that the control plane asks for, beside the chart that it runs in."""
    template = JobTemplate(
        "registry.example/steadyhand:1",
        "test-steadyhand-jobs",
        environment={"A": "1"},
        environment_secret="keys",
        pull_secrets=("registry",),
    )
    job = manifest(JobSpec("judge-a-0", "judge", ("judge",), 60), template)
    assert found_by_schemas([job]) == []
    assert found_by_schemas([{**job, "spec": {**job["spec"], "backofLimit": 0}}]) != []
    labels = job["spec"]["template"]["metadata"]["labels"]
    for service in charts["jobs in the cluster"].kind("Service"):
        assert not labels_match(service["spec"]["selector"], labels)


def test_it_is_bounded_and_watched(case: Rendered) -> None:
    container = case.container
    for bound in ("requests", "limits"):
        assert container["resources"][bound].keys() >= {"cpu", "memory"}
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] in ports
    paths = {probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("liveness",)}
    assert paths == {"liveness": "/healthz"}, "a database that is down must not kill gateways"
    assert ":latest" not in container["image"]
    assert re.search(r"(:[\w.-]+|@sha256:[0-9a-f]{64})$", container["image"])


def test_a_stop_is_given_the_time_that_it_may_take(case: Rendered) -> None:
    drain_s = float(case.environment()["STEADYHAND_SERVER__DRAIN_S"])
    pause_s = case.container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert case.pod["spec"]["terminationGracePeriodSeconds"] >= pause_s + drain_s + 5 + 5


def test_mounts_fit_and_only_state_can_be_written(case: Rendered) -> None:
    spec = case.one("StatefulSet")["spec"]
    volumes = {volume["name"] for volume in case.pod["spec"]["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]}
    mounts = case.container["volumeMounts"]
    assert {mount["name"] for mount in mounts} == volumes
    assert {m["mountPath"] for m in mounts if not m.get("readOnly")} == WRITABLE
    dockerfile = (ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")
    for path in WRITABLE - {"/tmp"} | {"/workspace"}:  # noqa: S108 - inside the container
        assert f'"{path}"' in dockerfile, "the image and the chart mean the same folders"


def test_the_workspace_volume_has_every_file_of_the_config_map(case: Rendered) -> None:
    (volume,) = [v for v in case.pod["spec"]["volumes"] if v["name"] == "workspace"]
    if "configMap" not in volume:
        assert case.kind("ConfigMap") == []
        return
    made = case.one("ConfigMap")
    assert volume["configMap"]["name"] == made["metadata"]["name"]
    assert {item["key"] for item in volume["configMap"]["items"]} == made["data"].keys()
    assert "routes/support.toml" in {item["path"] for item in volume["configMap"]["items"]}


def test_selectors_find_the_pod(case: Rendered) -> None:
    pod = case.pod["metadata"]["labels"]
    ports = {port["name"] for port in case.container["ports"]}
    assert labels_match(case.one("StatefulSet")["spec"]["selector"]["matchLabels"], pod)
    services = case.kind("Service")
    for service in services:
        assert labels_match(service["spec"]["selector"], pod)
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    governing = case.one("StatefulSet")["spec"]["serviceName"]
    (headless,) = [s for s in services if s["metadata"]["name"] == governing]
    assert headless["spec"]["clusterIP"] == "None"
    for policy in case.kind("NetworkPolicy"):
        assert labels_match(policy["spec"]["podSelector"]["matchLabels"], pod)
        assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        named = {p["port"] for rule in policy["spec"]["ingress"] for p in rule["ports"]}
        assert named == ports
        assert all(rule["from"] for rule in policy["spec"]["ingress"]), "open to all"
    for budget in case.kind("PodDisruptionBudget"):
        assert labels_match(budget["spec"]["selector"]["matchLabels"], pod)


def test_a_single_replica_does_not_block_the_drain_of_its_node(charts: dict[str, Rendered]) -> None:
    assert charts["one replica"].kind("PodDisruptionBudget") == []
    assert len(charts["as it is"].kind("PodDisruptionBudget")) == 1


def test_the_service_monitor_scrapes_metrics_of_each_replica(charts: dict[str, Rendered]) -> None:
    case = charts["everything"]
    monitor: dict[str, Any] = case.one("ServiceMonitor")
    wanted = monitor["spec"]["selector"]["matchLabels"]
    found = [s for s in case.kind("Service") if labels_match(wanted, s["metadata"]["labels"])]
    (service,) = found
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint == {"port": "control", "path": "/metrics", "interval": "30s"}
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert charts["as it is"].kind("ServiceMonitor") == []


def test_the_notes_say_that_a_key_is_missing(charts: dict[str, Rendered]) -> None:
    assert "steadyhand key create" in charts["as it is"].notes
