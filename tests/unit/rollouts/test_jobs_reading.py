"""What Jobs and pods of Kubernetes say about a job."""

from typing import Any

import pytest

from steadyhand.rollouts.jobs.model import JobState, Phase, Verdict
from steadyhand.rollouts.jobs.reading import needs_pods, pods_of, state_of

FAILED = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "limit"}


def job(*conditions: dict[str, Any], uid: str = "u1", **status: Any) -> dict[str, Any]:
    return {"metadata": {"uid": uid}, "status": {"conditions": list(conditions), **status}}


def pod(
    terminated: dict[str, Any] | None = None,
    owner: str = "u1",
    created: str = "2026-11-01T00:00:00Z",
    container: str = "job",
    **status: Any,
) -> dict[str, Any]:
    state = {"terminated": terminated} if terminated else {"running": {}}
    return {
        "metadata": {"ownerReferences": [{"uid": owner}], "creationTimestamp": created},
        "status": {"containerStatuses": [{"name": container, "state": state}], **status},
    }


@pytest.mark.parametrize(
    ("read", "phase"),
    [
        ({}, Phase.PENDING),
        ({"metadata": None, "status": None}, Phase.PENDING),
        (job(active=1), Phase.PENDING),
        (job(active=1, ready=0), Phase.PENDING),
        (job(active=1, ready=1), Phase.RUNNING),
        (job({"type": "Suspended", "status": "True"}), Phase.PENDING),
        # The pods of a Job whose deadline has passed are still being ended.
        (job({"type": "FailureTarget", "status": "True"}, active=1, ready=1), Phase.RUNNING),
        (job({**FAILED, "status": "False"}, ready=1), Phase.RUNNING),
        ({"metadata": {"deletionTimestamp": "2026-11-01T00:00:00Z"}}, Phase.GONE),
    ],
)
def test_before_it_is_over(read: dict[str, Any], phase: Phase) -> None:
    assert not needs_pods(read)
    assert state_of(read).phase is phase


def test_complete_is_the_exit_code_0_also_while_it_is_deleted() -> None:
    complete = job({"type": "Complete", "status": "True"})
    complete["metadata"]["deletionTimestamp"] = "2026-11-01T00:00:00Z"
    assert not needs_pods(complete)
    assert state_of(complete) == JobState(Phase.SUCCEEDED, 0)


def test_a_passed_deadline_is_timed_out_whatever_its_pod_says() -> None:
    late = job({**FAILED, "reason": "DeadlineExceeded", "message": "too long"})
    assert not needs_pods(late)
    assert state_of(late, [pod({"exitCode": 0})]) == JobState(
        Phase.TIMED_OUT, reason="DeadlineExceeded: too long"
    )


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(1, Verdict.ROLL_BACK), (3, Verdict.HOLD), (4, Verdict.INCONCLUSIVE), (137, Verdict.ERROR)],
)
def test_the_exit_code_of_a_failed_job_stands_in_its_pod(code: int, verdict: Verdict) -> None:
    failed = job(FAILED)
    assert needs_pods(failed)
    state = state_of(failed, [pod({"exitCode": code, "reason": "Error"})])
    assert (state.exit_code, state.verdict, state.reason) == (code, verdict, "")


def test_a_container_that_ran_out_of_memory_says_so() -> None:
    state = state_of(job(FAILED), [pod({"exitCode": 137, "reason": "OOMKilled"})])
    assert state == JobState(Phase.SUCCEEDED, 137, "OOMKilled")
    assert state.verdict is Verdict.ERROR


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"reason": "Evicted", "message": "low on memory"}, "Evicted: low on memory"),
        (
            {
                "conditions": [
                    {"type": "Ready", "status": "False"},
                    {
                        "type": "DisruptionTarget",
                        "status": "True",
                        "reason": "DeletionByTaintManager",
                    },
                ]
            },
            "DeletionByTaintManager",
        ),
    ],
)
def test_an_evicted_pod_is_no_verdict_though_it_has_an_exit_code(
    status: dict[str, Any], reason: str
) -> None:
    state = state_of(job(FAILED), [pod({"exitCode": 1}, **status)])
    assert state == JobState(Phase.EVICTED, reason=reason)


def test_pods_of_a_deleted_job_of_the_same_name_do_not_count() -> None:
    """They keep the label until they have ended; the exit code 0 here would promote."""
    older = pod({"exitCode": 0}, owner="u0")
    assert state_of(job(FAILED), [older, pod({"exitCode": 1})]).exit_code == 1
    alone = state_of(job(FAILED), [older])
    assert (alone.phase, alone.verdict) == (Phase.FAILED, Verdict.ERROR)
    assert "its pod is gone" in alone.reason
    orphan: dict[str, Any] = {"metadata": {}, "status": {}}
    assert pods_of(job(FAILED), [older, orphan]) == []


def test_of_two_pods_of_a_job_the_latest_counts() -> None:
    first = pod({"exitCode": 4}, created="2026-11-01T00:00:00Z")
    second = pod({"exitCode": 1}, created="2026-11-01T00:01:00Z")
    assert state_of(job(FAILED), [first, second]).exit_code == 1
    assert state_of(job(FAILED), [second, first]).exit_code == 1


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (pod(), "BackoffLimitExceeded: limit"),
        (pod(reason="UnexpectedAdmissionError"), "UnexpectedAdmissionError"),
        (pod({"exitCode": 1}, container="proxy"), "BackoffLimitExceeded: limit"),
        (pod({"exitCode": 256}), "BackoffLimitExceeded: limit"),
        (pod({"exitCode": "1"}), "BackoffLimitExceeded: limit"),
        (pod(containerStatuses=None), "BackoffLimitExceeded: limit"),
    ],
)
def test_without_an_exit_code_of_our_container_it_has_failed(
    found: dict[str, Any], reason: str
) -> None:
    assert state_of(job(FAILED), [found]) == JobState(Phase.FAILED, reason=reason)
