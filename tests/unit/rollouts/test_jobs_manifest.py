"""The Job that Kubernetes is asked for."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from steadyhand.rollouts.jobs.manifest import JobTemplate, manifest
from steadyhand.rollouts.jobs.model import JobSpec
from tests.support.tree import ROOT

TEMPLATE = JobTemplate("registry.example/steadyhand:1", "jobs")
SPEC = JobSpec("judge-a-0", "judge", ("judge", "--rollout", "a"), 90)


def made(spec: JobSpec = SPEC, template: JobTemplate = TEMPLATE) -> dict[str, Any]:
    return manifest(spec, template)


def pod(job: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = job["spec"]["template"]["spec"]
    return found


def container(job: dict[str, Any]) -> dict[str, Any]:
    (found,) = pod(job)["containers"]
    one: dict[str, Any] = found
    return one


def expanded(text: str) -> str:
    """Do what the kubelet does with an argument, if no variable is set."""
    return re.sub(r"\$(\$|\([^)]*\))", lambda m: "$" if m[1] == "$" else "", text)


def test_the_cluster_tries_once_stops_it_in_time_and_cleans_up() -> None:
    job = made()
    assert (job["apiVersion"], job["kind"], job["metadata"]["name"]) == (
        "batch/v1",
        "Job",
        "judge-a-0",
    )
    spec = job["spec"]
    assert (spec["backoffLimit"], spec["completions"], spec["parallelism"]) == (0, 1, 1)
    assert spec["activeDeadlineSeconds"] == 90
    assert spec["ttlSecondsAfterFinished"] == TEMPLATE.keep_s
    assert pod(job)["restartPolicy"] == "Never"
    assert container(job)["args"] == ["judge", "--rollout", "a"]
    assert "command" not in container(job), "the image's entry point is steadyhand"


def test_a_pod_has_no_more_rights_than_it_needs() -> None:
    """What the restricted Pod Security Standard asks, a read-only root, and no token."""
    job = made()
    context = pod(job)["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    dockerfile = (ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")
    assert f"USER {context['runAsUser']}:{context['runAsGroup']}" in dockerfile
    assert container(job)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert (pod(job)["serviceAccountName"], pod(job)["automountServiceAccountToken"]) == (
        "jobs",
        False,
    )
    (mount,) = container(job)["volumeMounts"]
    assert mount == {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108 - inside the container
    assert pod(job)["volumes"] == [{"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}}]


def test_it_is_bounded() -> None:
    resources = container(made())["resources"]
    assert resources["limits"] == resources["requests"] == {"cpu": "500m", "memory": "512Mi"}


def test_labels_say_what_it_is_and_are_not_the_gateways() -> None:
    """The gateways' Services select by this name: a job must never get a caller's request."""
    own = {"team": "shop", "app.kubernetes.io/name": "steadyhand"}
    job = made(template=JobTemplate("image:1", "jobs", labels=own))
    labels = job["metadata"]["labels"]
    assert labels == job["spec"]["template"]["metadata"]["labels"]
    assert (labels["team"], labels["steadyhand/job-kind"]) == ("shop", "judge")
    assert labels["app.kubernetes.io/name"] == "steadyhand-job"


def test_what_an_installation_sets_is_set() -> None:
    assert "imagePullSecrets" not in pod(made())
    assert "envFrom" not in container(made())
    job = made(
        template=JobTemplate(
            "image@sha256:0",
            "jobs",
            environment={"B": "2", "A": "$1"},
            environment_secret="keys",
            pull_policy="Always",
            pull_secrets=("registry",),
        )
    )
    assert pod(job)["imagePullSecrets"] == [{"name": "registry"}]
    assert container(job)["envFrom"] == [{"secretRef": {"name": "keys"}}]
    assert container(job)["env"] == [{"name": "A", "value": "$$1"}, {"name": "B", "value": "2"}]
    assert container(job)["imagePullPolicy"] == "Always"


@given(argument=st.text(alphabet="$()AB ", max_size=12))
def test_an_argument_arrives_as_it_was_meant(argument: str) -> None:
    spec = JobSpec("judge-a-0", "judge", ("judge", argument), 90)
    assert expanded(container(made(spec))["args"][1]) == argument
