"""Jobs as Jobs of a Kubernetes cluster.

The name of a Job is unique in its namespace, so two controllers that ask for the same one make
one. Kubernetes itself may, rarely, run the pod of a Job twice, when a node is lost and comes back:
what jobs do must bear that.
"""

from urllib.parse import urlencode

from steadyhand.rollouts.jobs.base import JobsUnavailable
from steadyhand.rollouts.jobs.cluster import Cluster
from steadyhand.rollouts.jobs.manifest import JobTemplate, manifest
from steadyhand.rollouts.jobs.model import JobSpec, JobState, Phase, check_name
from steadyhand.rollouts.jobs.reading import Object, needs_pods, state_of

_CONFLICT, _NOT_FOUND = 409, 404


class KubernetesJobs:
    """Runs jobs in the namespace of a cluster."""

    def __init__(self, cluster: Cluster, template: JobTemplate) -> None:
        """Take where jobs are made, and what all of them have in common."""
        self._cluster = cluster
        self._template = template
        self._jobs = f"/apis/batch/v1/namespaces/{cluster.namespace}/jobs"
        self._pods = f"/api/v1/namespaces/{cluster.namespace}/pods"

    def start(self, spec: JobSpec) -> None:
        """Have the job run, once; see ``JobRunner``.

        Raises:
            JobsUnavailable, JobRefused: As there.
        """
        wanted = manifest(spec, self._template)
        status, _ = self._cluster.call("POST", self._jobs, wanted, also={_CONFLICT})
        if status != _CONFLICT:
            return
        # A conflict is also what a busy quota says, and a Job that is still being deleted.
        there = self._job(spec.name)
        if there is None or there.get("metadata", {}).get("deletionTimestamp"):
            raise JobsUnavailable(
                f"the job {spec.name} cannot be made yet",
                hint="one of that name is still being deleted: call again",
            )

    def look(self, name: str) -> JobState:
        """Return where the job stands; see ``JobRunner``.

        Raises:
            JobsUnavailable, JobRefused, InvalidJob: As there.
        """
        job = self._job(name)
        if job is None:
            return JobState(Phase.GONE)
        return state_of(job, self._pods_named(name) if needs_pods(job) else ())

    def end(self, name: str) -> None:
        """Stop the job and forget it; see ``JobRunner``.

        The Job stays until its pods have ended, so that no second one can start beside them.

        Raises:
            JobsUnavailable, JobRefused, InvalidJob: As there.
        """
        query = urlencode({"propagationPolicy": "Foreground"})
        self._cluster.call("DELETE", f"{self._path(name)}?{query}", also={_NOT_FOUND})

    def _job(self, name: str) -> Object | None:
        status, job = self._cluster.call("GET", self._path(name), also={_NOT_FOUND})
        return None if status == _NOT_FOUND else job

    def _pods_named(self, name: str) -> list[Object]:
        query = urlencode({"labelSelector": f"job-name={name}"})
        _, answer = self._cluster.call("GET", f"{self._pods}?{query}")
        pods: list[Object] = answer.get("items") or []
        return pods

    def _path(self, name: str) -> str:
        return f"{self._jobs}/{check_name(name)}"
