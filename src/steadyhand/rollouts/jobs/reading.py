"""What a Job of Kubernetes and its pods say about the job, as the objects of the API.

A Job is over when its condition ``Complete`` or ``Failed`` is true, and not before: while its
deadline is enforced its pods end one by one. ``Complete`` can only mean the exit code 0. Why a Job
has failed stands in its pod.
https://kubernetes.io/docs/concepts/workloads/controllers/job/ (read 2026-11)
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from steadyhand.rollouts.jobs.model import JobState, Phase

Object = Mapping[str, Any]
"""An object of the API, as JSON."""

CONTAINER: Final = "job"
"""Name of the container that runs the command; its exit code is the job's."""

_DEADLINE = "DeadlineExceeded"


def needs_pods(job: Object) -> bool:
    """Tell whether only the pods can say how the Job ended."""
    failed = _condition(job, "Failed")
    return failed is not None and failed.get("reason") != _DEADLINE


def state_of(job: Object, pods: Iterable[Object] = ()) -> JobState:
    """Return where a Job stands; ``pods`` are those that ``needs_pods`` asks for."""
    if _condition(job, "Complete") is not None:
        return JobState(Phase.SUCCEEDED, 0)
    failed = _condition(job, "Failed")
    if failed is not None:
        if failed.get("reason") == _DEADLINE:
            return JobState(Phase.TIMED_OUT, reason=_said(failed))
        return _failed(failed, pods_of(job, pods))
    if _metadata(job).get("deletionTimestamp"):
        return JobState(Phase.GONE, reason="it is being deleted")
    # `active` also counts pods that still wait for a node or an image; `ready` those that run.
    is_running = bool(_status(job).get("ready"))
    return JobState(Phase.RUNNING if is_running else Phase.PENDING)


def pods_of(job: Object, pods: Iterable[Object]) -> list[Object]:
    """Return the pods that this very Job has made, the latest first.

    A Job of the same name may have been deleted before, and its pods may still be there, with the
    same label: only the owner's uid tells them apart.
    """
    uid = _metadata(job).get("uid")
    ours = [pod for pod in pods if uid in _owners(pod)]
    return sorted(ours, key=lambda pod: str(_metadata(pod).get("creationTimestamp")), reverse=True)


def _failed(condition: Object, pods: Sequence[Object]) -> JobState:
    # Before the exit code: an evicted pod has one, that of the signal which ended it.
    for pod in pods:
        if reason := _eviction(pod):
            return JobState(Phase.EVICTED, reason=reason)
    for pod in pods:
        code = _exit_code(pod)
        if code is not None:
            return JobState(Phase.SUCCEEDED, code, _termination(pod))
    if not pods:
        said = f"{_said(condition)}; its pod is gone, and with it the exit code"
        return JobState(Phase.FAILED, reason=said)
    return JobState(Phase.FAILED, reason=_said(_status(pods[0])) or _said(condition))


def _eviction(pod: Object) -> str:
    """Return why the pod had to leave its node; empty if it did not have to."""
    if _status(pod).get("reason") == "Evicted":
        return _said(_status(pod))
    disruption = _condition(pod, "DisruptionTarget")
    return _said(disruption) if disruption is not None else ""


def _exit_code(pod: Object) -> int | None:
    code = _terminated(pod).get("exitCode")
    return code if isinstance(code, int) and 0 <= code <= 255 else None


def _termination(pod: Object) -> str:
    reason = _terminated(pod).get("reason", "")
    return "" if reason in {"Error", "Completed"} else str(reason)  # these repeat the code


def _terminated(pod: Object) -> Object:
    for container in _status(pod).get("containerStatuses") or ():
        if container.get("name") == CONTAINER:
            found: Object = (container.get("state") or {}).get("terminated") or {}
            return found
    return {}


def _condition(thing: Object, kind: str) -> Object | None:
    for condition in _status(thing).get("conditions") or ():
        if condition.get("type") == kind and condition.get("status") == "True":
            found: Object = condition
            return found
    return None


def _said(thing: Object) -> str:
    parts = (str(thing.get(key) or "") for key in ("reason", "message"))
    return ": ".join(part for part in parts if part)[:500]


def _owners(pod: Object) -> set[object]:
    return {owner.get("uid") for owner in _metadata(pod).get("ownerReferences") or ()}


def _metadata(thing: Object) -> Object:
    found: Object = thing.get("metadata") or {}
    return found


def _status(thing: Object) -> Object:
    found: Object = thing.get("status") or {}
    return found
