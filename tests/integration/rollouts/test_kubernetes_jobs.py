"""Jobs of a cluster, over the REST API of an emulator on a real HTTP server."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from kmock import KubernetesError
from typing_extensions import override

from steadyhand.core.errors import ConfigurationError
from steadyhand.rollouts.jobs.base import JobRefused, JobsUnavailable
from steadyhand.rollouts.jobs.cluster import Cluster, ClusterAccess, inside_cluster
from steadyhand.rollouts.jobs.kubernetes import KubernetesJobs
from steadyhand.rollouts.jobs.manifest import JobTemplate, manifest
from steadyhand.rollouts.jobs.model import InvalidJob, JobSpec, JobState, Phase, Verdict
from tests.support.certificates import Authority
from tests.support.job_cluster import NAMESPACE, JobCluster, job_cluster

NAME = "judge-a-0"
SPEC = JobSpec(NAME, "judge", ("judge", "--rollout", "a"), 60)
TEMPLATE = JobTemplate("registry.example/steadyhand:1", "steadyhand-jobs")
PATH = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"


@pytest.fixture
async def cluster() -> AsyncIterator[JobCluster]:
    async with job_cluster() as made:
        yield made


def controller(url: str, timeout_s: float = 10.0) -> KubernetesJobs:
    access = ClusterAccess(url, NAMESPACE, token="token-of-a-test")
    return KubernetesJobs(Cluster(access, timeout_s), TEMPLATE)


async def start(cluster: JobCluster, spec: JobSpec = SPEC) -> None:
    await asyncio.to_thread(controller(cluster.url).start, spec)


async def started(cluster: JobCluster, uid: str = "u1") -> None:
    await start(cluster)
    cluster.admitted(NAME, uid)


async def look(cluster: JobCluster, name: str = NAME) -> JobState:
    return await asyncio.to_thread(controller(cluster.url).look, name)


async def end(cluster: JobCluster) -> None:
    await asyncio.to_thread(controller(cluster.url).end, NAME)


async def test_a_job_is_created_and_watched_to_its_end(cluster: JobCluster) -> None:
    assert await look(cluster) == JobState(Phase.GONE)
    await started(cluster)
    made = cluster.job(NAME)
    made["metadata"].pop("uid")
    assert made == manifest(SPEC, TEMPLATE)
    assert await look(cluster) == JobState(Phase.PENDING)
    cluster.running(NAME)
    assert await look(cluster) == JobState(Phase.RUNNING)
    cluster.complete(NAME)
    state = await look(cluster)
    assert (state, state.verdict) == (JobState(Phase.SUCCEEDED, 0), Verdict.PROMOTE)
    (post,) = cluster.requests("post")
    assert post.url.path == PATH
    headers = {key.lower(): value for key, value in post.headers.items()}
    assert headers["authorization"] == "Bearer token-of-a-test"
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(1, Verdict.ROLL_BACK), (3, Verdict.HOLD), (4, Verdict.INCONCLUSIVE), (2, Verdict.ERROR)],
)
async def test_the_exit_code_of_the_pod_is_the_verdict(
    cluster: JobCluster, code: int, verdict: Verdict
) -> None:
    await started(cluster)
    cluster.pod(NAME, code)
    cluster.failed(NAME)
    state = await look(cluster)
    assert (state.exit_code, state.verdict) == (code, verdict)
    asked = cluster.requests("get")[-1]
    assert asked.url.path == f"/api/v1/namespaces/{NAMESPACE}/pods"
    assert dict(asked.url.query) == {"labelSelector": f"job-name={NAME}"}


async def test_pods_of_other_jobs_and_of_earlier_ones_are_not_read(cluster: JobCluster) -> None:
    """The emulator lists every pod; a cluster those of a deleted Job of the same name."""
    cluster.pod("judge-b-0", 0, uid="u7")
    cluster.pod(NAME, 0, uid="u0")
    await started(cluster)
    cluster.failed(NAME)
    state = await look(cluster)
    assert (state.phase, state.verdict) == (Phase.FAILED, Verdict.ERROR)
    cluster.pod(NAME, 4)
    assert (await look(cluster)).verdict is Verdict.INCONCLUSIVE


async def test_a_job_past_its_deadline_is_timed_out(cluster: JobCluster) -> None:
    await started(cluster)
    cluster.pod(NAME, 143)
    cluster.failed(NAME, "DeadlineExceeded")
    state = await look(cluster)
    assert state == JobState(Phase.TIMED_OUT, reason="DeadlineExceeded: said")


async def test_an_evicted_job_is_told_from_one_with_a_verdict(cluster: JobCluster) -> None:
    await started(cluster)
    cluster.pod(NAME, 1, reason="Evicted")
    cluster.failed(NAME)
    state = await look(cluster)
    assert (state.phase, state.verdict) == (Phase.EVICTED, Verdict.ERROR)


async def test_a_job_that_somebody_deleted_is_gone_and_can_be_done_again(
    cluster: JobCluster,
) -> None:
    await started(cluster)
    cluster.running(NAME)
    cluster.delete(NAME)
    assert await look(cluster) == JobState(Phase.GONE)
    await started(cluster, uid="u2")
    cluster.complete(NAME)
    assert (await look(cluster)).exit_code == 0


async def test_to_start_it_again_changes_nothing(cluster: JobCluster) -> None:
    await started(cluster)
    cluster.complete(NAME)
    await start(cluster, JobSpec(NAME, "judge", ("judge", "--rollout", "other"), 5))
    assert cluster.names() == [NAME]
    assert cluster.job(NAME)["spec"] == manifest(SPEC, TEMPLATE)["spec"]
    assert (await look(cluster)).exit_code == 0


async def test_controllers_that_start_it_at_once_make_one_job(cluster: JobCluster) -> None:
    await asyncio.gather(*(start(cluster) for _ in range(8)))
    assert cluster.names() == [NAME]
    assert len(cluster.requests("post")) == 8


async def test_a_job_is_ended_with_its_pods(cluster: JobCluster) -> None:
    await started(cluster)
    await end(cluster)
    (asked,) = cluster.requests("delete")
    assert asked.url.path == f"{PATH}/{NAME}"
    # Without it, Kubernetes leaves the pods of a Job that is deleted over the API.
    assert dict(asked.url.query) == {"propagationPolicy": "Foreground"}
    assert await look(cluster) == JobState(Phase.GONE)
    await end(cluster)


async def test_none_is_made_beside_one_that_is_still_being_deleted(cluster: JobCluster) -> None:
    await started(cluster)
    cluster.running(NAME)
    cluster.being_deleted(NAME)
    assert (await look(cluster)).phase is Phase.GONE
    with pytest.raises(JobsUnavailable, match="cannot be made yet"):
        await start(cluster)


async def test_a_conflict_about_something_else_is_not_taken_for_a_job(
    cluster: JobCluster,
) -> None:
    """A quota that two requests change at once answers with the same status."""
    busy = KubernetesError(409, "Conflict", "the quota has been modified", {})
    # The emulator keeps the object although it answers so, hence the second line.
    cluster.api[f"post {PATH}"] << busy
    cluster.api[f"get {PATH}/{NAME}"] << KubernetesError(404, "NotFound", "none", {})
    with pytest.raises(JobsUnavailable, match="cannot be made yet"):
        await start(cluster)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, JobRefused),
        (401, JobRefused),
        (403, JobRefused),
        (422, JobRefused),
        (429, JobsUnavailable),
        (500, JobsUnavailable),
        (503, JobsUnavailable),
        (504, JobsUnavailable),
    ],
)
async def test_what_the_api_answers_is_said(
    cluster: JobCluster, status: int, error: type[JobRefused | JobsUnavailable]
) -> None:
    cluster.api[f"{PATH}"] << KubernetesError(status, "Reason", "what it says", {})
    cluster.api[f"{PATH}/{NAME}"] << KubernetesError(status, "Reason", "what it says", {})
    for call in (start(cluster), look(cluster), end(cluster)):
        with pytest.raises(error, match=f"answers {status}: what it says") as raised:
            await call
        assert raised.value.hint


@pytest.mark.parametrize("body", [b"<html>404</html>", b"[]", b"{", b'{"kind": "Other"}'])
async def test_what_is_no_answer_of_kubernetes_says_nothing_about_a_job(
    cluster: JobCluster, body: bytes
) -> None:
    """A proxy's 404 must not read as a job that is gone."""
    cluster.api[f"get {PATH}/{NAME}"] << (404, body)
    with pytest.raises((JobsUnavailable, JobRefused)):
        await look(cluster)


async def test_an_api_that_hangs_or_is_gone_is_said(cluster: JobCluster) -> None:
    await started(cluster)
    cluster.api[f"get {PATH}/{NAME}"] << (lambda: asyncio.sleep(5))
    with pytest.raises(JobsUnavailable, match="cannot be used"):
        await asyncio.to_thread(controller(cluster.url, timeout_s=0.2).look, NAME)


async def test_an_api_that_is_gone_is_said_and_its_jobs_are_found_when_it_is_back() -> None:
    async with job_cluster() as cluster:
        jobs = controller(cluster.url)
        await asyncio.to_thread(jobs.start, SPEC)
    for call in (lambda: jobs.start(SPEC), lambda: jobs.look(NAME), lambda: jobs.end(NAME)):
        with pytest.raises(JobsUnavailable, match="cannot be used") as raised:
            await asyncio.to_thread(call)
        assert raised.value.retryable
    async with job_cluster() as again:
        jobs = controller(again.url)
        await asyncio.to_thread(jobs.start, SPEC)
        assert again.names() == [NAME]


async def test_an_answer_that_never_ends_is_not_read_to_its_end(
    cluster: JobCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steadyhand.rollouts.jobs.cluster.MOST_BYTES", 1000)
    cluster.api[f"get {PATH}/{NAME}"] << b" " * 1001
    with pytest.raises(JobsUnavailable, match="more than 1,000 bytes"):
        await look(cluster)


def test_a_name_leads_nowhere_else() -> None:
    jobs = controller("http://localhost:1")
    for call in (jobs.look, jobs.end):
        with pytest.raises(InvalidJob):
            call("../pods/a")


class Answering(BaseHTTPRequestHandler):
    """A cluster with TLS: says which token it got, as the reason of a refusal."""

    def do_GET(self) -> None:
        body = json.dumps({"kind": "Status", "message": self.headers["authorization"]}).encode()
        self.send_response(403)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, *_: Any) -> None:
        """Be quiet."""


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str], ThreadingHTTPServer]]:
    """The files and variables of a pod, and the API that they lead to."""
    (tmp_path / "token").write_text("first\n")
    (tmp_path / "namespace").write_text("models\n")
    authority = Authority(tmp_path)
    authority.file.rename(tmp_path / "ca.crt")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.socket = authority.server("127.0.0.1").wrap_socket(server.socket, server_side=True)
    variables = {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(server.server_port),
    }
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield tmp_path, variables, server
    server.shutdown()
    server.server_close()
    thread.join()


def test_inside_a_cluster_token_and_authority_are_read_again_for_each_call(
    pod: tuple[Path, dict[str, str], ThreadingHTTPServer],
) -> None:
    folder, variables, _ = pod
    cluster = Cluster(inside_cluster(variables, folder))
    assert cluster.namespace == "models"
    for token in ("first", "second"):
        (folder / "token").write_text(f"{token}\n")
        with pytest.raises(JobRefused, match=f"403: Bearer {token}"):
            cluster.call("GET", "/")
    (folder / "other").mkdir()
    Authority(folder / "other").file.replace(folder / "ca.crt")
    with pytest.raises(JobsUnavailable, match="certificate verify failed") as raised:
        cluster.call("GET", "/")
    assert isinstance(raised.value.__cause__, ssl.SSLCertVerificationError)
    (folder / "ca.crt").unlink()
    with pytest.raises(JobsUnavailable, match="No such file"):
        cluster.call("GET", "/")


@pytest.mark.parametrize("token", ["a b", "a\nb", "é", "a\x00"])
def test_a_token_that_is_none_is_refused_and_not_shown(tmp_path: Path, token: str) -> None:
    (tmp_path / "token").write_text(token, encoding="utf-8")
    access = ClusterAccess("https://127.0.0.1:1", "models", token_file=tmp_path / "token")
    with pytest.raises(JobRefused) as raised:
        Cluster(access).call("GET", "/")
    assert token not in str(raised.value)


def test_without_a_token_none_is_sent() -> None:
    assert ClusterAccess("http://localhost:1", "models").current_token() == ""


def test_outside_of_a_cluster_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no service account"):
        inside_cluster({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, tmp_path)
    (tmp_path / "namespace").write_text("models")
    with pytest.raises(ConfigurationError, match="KUBERNETES_SERVICE_HOST"):
        inside_cluster({}, tmp_path)
    found = inside_cluster({"KUBERNETES_SERVICE_HOST": "fd00::1"}, tmp_path)
    assert found.server == "https://[fd00::1]:443"


@pytest.mark.parametrize("server", ["", "10.0.0.1:6443", "ftp://host", "https://"])
def test_an_address_that_is_none_is_refused(server: str) -> None:
    with pytest.raises(ConfigurationError, match="Kubernetes API is at"):
        ClusterAccess(server, "models")


def test_the_token_of_a_pod_is_not_sent_in_the_clear(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="unencrypted"):
        ClusterAccess("http://localhost", "models", token_file=tmp_path / "token")
