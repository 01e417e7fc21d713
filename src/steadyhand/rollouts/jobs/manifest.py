"""The Job that Kubernetes is asked to run.

It fits the restricted Pod Security Standard and is never retried by the cluster: the control loop
alone decides whether something is done once more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from steadyhand.rollouts.jobs.model import GRACE_S, JobSpec
from steadyhand.rollouts.jobs.reading import CONTAINER

NAME_LABEL: Final = "app.kubernetes.io/name"
KIND_LABEL: Final = "steadyhand/job-kind"
LABELS: Final[Mapping[str, str]] = {
    # Another name than the gateway's: its Services would send requests to pods of jobs otherwise.
    NAME_LABEL: "steadyhand-job",
    "app.kubernetes.io/component": "rollout-job",
    "app.kubernetes.io/managed-by": "steadyhand",
}
USER: Final = 10001
"""User and group of the image."""


@dataclass(frozen=True, slots=True)
class JobTemplate:
    """What all jobs of an installation have in common.

    Attributes:
        image: With ``steadyhand`` as its entry point, and a tag or a digest.
        service_account: Of the pods. They do not call the cluster and get no token.
        cpu: Requested and at most, as Kubernetes writes quantities.
        memory: Requested and at most.
        scratch: Most of the disk that it may fill below ``/tmp``; nothing else can be written to.
        keep_s: How long a job that is over can be looked at before the cluster deletes it.
        environment: Variables of the command.
        environment_secret: A Secret whose keys become variables too; empty for none.
        pull_policy: When the image is fetched.
        pull_secrets: Names of Secrets that open the registry of the image.
        labels: Further ones, of Job and pod.
    """

    image: str
    service_account: str
    cpu: str = "500m"
    memory: str = "512Mi"
    scratch: str = "256Mi"
    keep_s: int = 24 * 3600
    environment: Mapping[str, str] = field(default_factory=dict)
    environment_secret: str = ""
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


def manifest(spec: JobSpec, template: JobTemplate) -> dict[str, Any]:
    """Return the Job of ``spec`` as an object of ``batch/v1``."""
    labels = {**template.labels, **LABELS, KIND_LABEL: spec.kind}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": spec.name, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": spec.deadline_s,
            "ttlSecondsAfterFinished": template.keep_s,
            "template": {"metadata": {"labels": labels}, "spec": _pod(spec, template)},
        },
    }


def _pod(spec: JobSpec, template: JobTemplate) -> dict[str, Any]:
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "serviceAccountName": template.service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_S,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(spec, template)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": template.scratch}}],
    }
    if template.pull_secrets:
        pod["imagePullSecrets"] = [{"name": name} for name in template.pull_secrets]
    return pod


def _container(spec: JobSpec, template: JobTemplate) -> dict[str, Any]:
    amounts = {"cpu": template.cpu, "memory": template.memory}
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": template.image,
        "imagePullPolicy": template.pull_policy,
        "args": [_literal(argument) for argument in spec.arguments],
        "env": [
            {"name": name, "value": _literal(value)}
            for name, value in sorted(template.environment.items())
        ],
        "resources": {"requests": amounts, "limits": dict(amounts)},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - in the container
    }
    if template.environment_secret:
        container["envFrom"] = [{"secretRef": {"name": template.environment_secret}}]
    return container


def _literal(text: str) -> str:
    """Return what Kubernetes turns into ``text``: it replaces ``$(NAME)``, and ``$$`` by ``$``."""
    return text.replace("$", "$$")
