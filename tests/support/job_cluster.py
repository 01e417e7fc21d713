"""A Kubernetes API to run jobs against: kmock's emulator, and what a cluster does beside it.

The emulator keeps objects and answers over HTTP. It has no controllers and ignores selectors, so
the uid of an object, the conditions of a Job and its pods are written here, as a cluster would.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from kmock import KubernetesEmulator, Request, ResourceInfo, Server

NAMESPACE = "models"
JOBS = "batch/v1/jobs"
PODS = "v1/pods"


class JobCluster:
    """The cluster, as its own controllers see it."""

    def __init__(self, api: KubernetesEmulator, server: Server) -> None:
        self.api = api
        self.url = str(server.url).rstrip("/")

    def requests(self, method: str) -> list[Request]:
        """Return the requests of one method that came, the latest last."""
        return list(self.api[method])

    def job(self, name: str) -> dict[str, Any]:
        """Return a Job as it was asked for."""
        found: dict[str, Any] = self.api.objects[JOBS, NAMESPACE, name].raw
        return found

    def names(self) -> list[str]:
        """List the Jobs that are there."""
        return [
            name
            for (resource, _, name), thing in self.api.objects.items()
            if resource.plural == "jobs" and not thing.deleted
        ]

    def admitted(self, name: str, uid: str = "u1") -> None:
        """The API server has taken the Job and given it its uid."""
        self._change(name, {"metadata": {"uid": uid}})

    def running(self, name: str) -> None:
        """The pod of the Job runs."""
        self._change(name, {"status": {"active": 1, "ready": 1}})

    def complete(self, name: str) -> None:
        """The pod has exited with 0."""
        self._over(name, "Complete", "CompletionsReached")

    def failed(self, name: str, reason: str = "BackoffLimitExceeded") -> None:
        """The Job is given up."""
        self._over(name, "Failed", reason)

    def being_deleted(self, name: str) -> None:
        """The Job waits for its pods to end, after somebody has deleted it."""
        self._change(name, {"metadata": {"deletionTimestamp": "2026-11-01T00:02:00Z"}})

    def pod(self, name: str, exit_code: int | None, uid: str = "u1", reason: str = "") -> None:
        """There is a pod of the Job, which has ended."""
        terminated = {"exitCode": exit_code, "reason": "Error"}
        states = [] if exit_code is None else [{"terminated": terminated}]
        self.api.objects[PODS, NAMESPACE, f"{name}-{uid}"] = {
            "metadata": {
                "name": f"{name}-{uid}",
                "namespace": NAMESPACE,
                "labels": {"job-name": name},
                "creationTimestamp": "2026-11-01T00:00:00Z",
                "ownerReferences": [{"kind": "Job", "name": name, "uid": uid}],
            },
            "status": {
                "phase": "Failed",
                "containerStatuses": [{"name": "job", "state": state} for state in states],
                **({"reason": reason} if reason else {}),
            },
        }

    def delete(self, name: str) -> None:
        """Somebody deletes the Job, or its time after the end is over."""
        self.api.objects[JOBS, NAMESPACE, name].delete()

    def _over(self, name: str, kind: str, reason: str) -> None:
        condition = {"type": kind, "status": "True", "reason": reason, "message": "said"}
        self._change(name, {"status": {"active": 0, "ready": 0, "conditions": [condition]}})

    def _change(self, name: str, change: dict[str, Any]) -> None:
        self.api.objects[JOBS, NAMESPACE, name].patch(change)


@asynccontextmanager
async def job_cluster() -> AsyncIterator[JobCluster]:
    """Serve an empty cluster on loopback."""
    async with KubernetesEmulator() as api, Server(api) as server:
        api.resources[JOBS] = ResourceInfo(kind="Job", namespaced=True)
        api.resources[PODS] = ResourceInfo(kind="Pod", namespaced=True)
        yield JobCluster(api, server)
