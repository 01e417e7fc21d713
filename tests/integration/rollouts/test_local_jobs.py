"""Jobs as real processes: exit codes, deadlines, killed controllers, two controllers at once."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from steadyhand.rollouts.jobs.base import JobRunner, JobsUnavailable
from steadyhand.rollouts.jobs.local import LocalJobs
from steadyhand.rollouts.jobs.local_files import Claim, JobFolder, Order
from steadyhand.rollouts.jobs.local_processes import Identity, identity_of, is_alive, send
from steadyhand.rollouts.jobs.model import InvalidJob, JobSpec, JobState, Phase, Verdict
from tests.support.programs import eventually

NAME = "judge-a-0"
SHELL = ("/bin/sh", "-c")
FOREVER = "exec sleep 600"
STUBBORN = "trap '' TERM; echo up; while :; do sleep 0.05; done"

# Of a controller as a process of its own: start the job, say so, and wait to be killed.
CONTROLLER = """
import sys, time
from pathlib import Path
from steadyhand.rollouts.jobs.local import LocalJobs
from steadyhand.rollouts.jobs.model import JobSpec
jobs = LocalJobs(Path(sys.argv[1]), ("/bin/sh", "-c"))
jobs.start(JobSpec("judge-a-0", "judge", (sys.argv[2],), 60))
print("started", flush=True)
time.sleep(600)
"""


def spec(script: str, name: str = NAME, deadline_s: int = 60) -> JobSpec:
    return JobSpec(name, "judge", (script,), deadline_s)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of jobs; whatever still runs in it is ended after the test."""
    place = tmp_path / "jobs"
    yield place
    jobs = LocalJobs(place, grace_s=0.1)
    for path in place.glob("[a-z]*"):
        jobs.end(path.name)


@pytest.fixture
def jobs(folder: Path) -> LocalJobs:
    return LocalJobs(folder, SHELL, grace_s=1.0)


def over(jobs: JobRunner, name: str = NAME) -> JobState:
    eventually(lambda: jobs.look(name).is_over, f"{name} to be over")
    return jobs.look(name)


def running(jobs: JobRunner, name: str = NAME) -> None:
    eventually(lambda: jobs.look(name).phase is Phase.RUNNING, f"{name} to run")


def held(path: Path) -> JobFolder:
    """Return a job's folder as a controller holds it, made if there is none."""
    path.mkdir(parents=True, exist_ok=True)
    folder = JobFolder.open(path)
    assert folder is not None
    return folder


def process_of(folder: Path, name: str = NAME) -> Identity:
    with held(folder / name) as opened:
        claim = opened.read(Claim)
    assert claim is not None
    assert claim.process is not None
    return claim.process


def written_pid(path: Path) -> Identity:
    """Return who wrote its number into ``path`` and lives."""
    text = eventually(lambda: path.exists() and path.read_text().strip(), f"{path.name}")
    found = identity_of(int(str(text)))
    assert found is not None
    return found


def output(folder: Path, name: str = NAME) -> str:
    return (folder / name / "output.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("script", "code", "verdict"),
    [
        ("exit 0", 0, Verdict.PROMOTE),
        ("exit 1", 1, Verdict.ROLL_BACK),
        ("exit 3", 3, Verdict.HOLD),
        ("exit 4", 4, Verdict.INCONCLUSIVE),
        ("exit 255", 255, Verdict.ERROR),
        ("kill -9 $$", 137, Verdict.ERROR),
    ],
)
def test_the_exit_code_is_the_verdict(
    jobs: LocalJobs, script: str, code: int, verdict: Verdict
) -> None:
    jobs.start(spec(script))
    state = over(jobs)
    assert (state.phase, state.exit_code, state.verdict) == (Phase.SUCCEEDED, code, verdict)


def test_by_default_the_command_is_this_program(folder: Path) -> None:
    jobs = LocalJobs(folder)
    jobs.start(JobSpec(NAME, "judge", ("--help",), 60))
    assert over(jobs).exit_code == 0
    assert "steadyhand" in output(folder).lower()


def test_a_command_that_cannot_be_started_has_failed(folder: Path) -> None:
    jobs = LocalJobs(folder, (str(folder / "nothing"),))
    jobs.start(spec("x"))
    state = over(jobs)
    assert (state.phase, state.verdict) == (Phase.FAILED, Verdict.ERROR)
    assert "cannot be started: No such file" in state.reason


def test_a_job_gets_signals_as_every_program_does(jobs: LocalJobs, folder: Path) -> None:
    """What runs it has blocked them."""
    jobs.start(spec("grep -E '^Sig(Blk|Ign)' /proc/self/status"))
    over(jobs)
    masks = [int(line.split()[1], 16) for line in output(folder).splitlines()]
    assert masks == [0, masks[1]]
    assert not masks[1] & 1 << (signal.SIGTERM - 1)


def test_it_is_stopped_at_its_deadline(jobs: LocalJobs) -> None:
    jobs.start(spec(FOREVER, deadline_s=1))
    running(jobs)
    state = over(jobs)
    assert (state.phase, state.verdict) == (Phase.TIMED_OUT, Verdict.ERROR)


def test_what_ignores_the_deadline_is_killed_with_all_that_it_started(
    jobs: LocalJobs, folder: Path, tmp_path: Path
) -> None:
    script = f"sleep 600 & echo $! > {tmp_path}/other; echo $$ > {tmp_path}/self; {STUBBORN}"
    jobs.start(spec(script, deadline_s=3))
    both = [written_pid(tmp_path / "other"), written_pid(tmp_path / "self")]
    assert over(jobs).phase is Phase.TIMED_OUT
    eventually(lambda: not any(map(is_alive, both)), "both processes to be dead")
    assert output(folder) == "up\n"


def test_what_a_job_leaves_behind_ends_with_it(jobs: LocalJobs, tmp_path: Path) -> None:
    wait = f"until [ -e {tmp_path}/go ]; do sleep 0.02; done"
    jobs.start(spec(f"sleep 600 & echo $! > {tmp_path}/other; {wait}; exit 3"))
    other = written_pid(tmp_path / "other")
    (tmp_path / "go").touch()
    assert over(jobs).exit_code == 3
    eventually(lambda: not is_alive(other), "the process in the background to be dead")


def test_to_start_it_again_changes_nothing(jobs: LocalJobs, tmp_path: Path) -> None:
    jobs.start(spec(f"echo x >> {tmp_path}/runs; exit 3"))
    jobs.start(spec("exit 0"))
    assert over(jobs).exit_code == 3
    jobs.start(spec("exit 0"))
    assert jobs.look(NAME).exit_code == 3
    assert (tmp_path / "runs").read_text() == "x\n"


def test_two_controllers_that_start_it_at_once_make_one_process(
    folder: Path, tmp_path: Path
) -> None:
    at_once = 8
    barrier = Barrier(at_once)

    def start(number: int) -> None:
        controller = LocalJobs(folder, SHELL)
        barrier.wait()
        for step in range(5):
            controller.start(spec(f"echo {number} >> {tmp_path}/{step}", f"judge-a-{step}"))

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(start, range(at_once)))
    jobs = LocalJobs(folder, SHELL)
    for step in range(5):
        assert over(jobs, f"judge-a-{step}").exit_code == 0
        assert len((tmp_path / str(step)).read_text().splitlines()) == 1


def test_of_many_processes_that_were_started_for_a_job_one_runs_it(
    folder: Path, tmp_path: Path
) -> None:
    """As after a controller was killed in the middle of a start, again and again."""
    path = folder / NAME
    with held(path) as opened:
        opened.write(Order((*SHELL, f"echo x >> {tmp_path}/runs; sleep 0.2"), 60, 1))
    command = [sys.executable, "-m", "steadyhand.rollouts.jobs.local_child", str(path)]
    for child in [subprocess.Popen(command) for _ in range(6)]:
        assert child.wait(60) == 0
    assert over(LocalJobs(folder)).exit_code == 0
    assert (tmp_path / "runs").read_text() == "x\n"


def test_a_job_outlives_its_killed_controller_and_another_one_finds_it(
    folder: Path, tmp_path: Path
) -> None:
    script = f"until [ -e {tmp_path}/go ]; do sleep 0.05; done; exit 3"
    command = [sys.executable, "-c", CONTROLLER, str(folder), script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as controller:
        assert controller.stdout is not None
        assert controller.stdout.readline() == "started\n"
        other = LocalJobs(folder, SHELL)
        running(other)
        os.kill(controller.pid, signal.SIGKILL)
    other.start(spec("exit 0"))
    assert other.look(NAME).phase is Phase.RUNNING
    (tmp_path / "go").touch()
    assert over(other).exit_code == 3


def test_a_killed_controller_does_not_lift_the_deadline(folder: Path) -> None:
    script = CONTROLLER.replace(", 60)", ", 1)")
    command = [sys.executable, "-c", script, str(folder), FOREVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as controller:
        assert controller.stdout is not None
        controller.stdout.readline()
        running(LocalJobs(folder))
        os.kill(controller.pid, signal.SIGKILL)
    time.sleep(1.5)  # nobody looks meanwhile
    process = process_of(folder)
    eventually(lambda: not is_alive(process), "the job to be stopped")
    assert LocalJobs(folder).look(NAME).phase is Phase.TIMED_OUT


def test_a_start_that_was_killed_halfway_is_done_by_the_next(jobs: LocalJobs, folder: Path) -> None:
    (folder / NAME).mkdir(parents=True)
    assert jobs.look(NAME).phase is Phase.PENDING
    with held(folder / NAME) as opened:
        opened.write(Order((*SHELL, "exit 3"), 60, 1))
    assert jobs.look(NAME).phase is Phase.PENDING
    jobs.start(spec("exit 3"))
    assert over(jobs).exit_code == 3


def test_a_job_whose_keeper_was_killed_has_failed_and_nothing_of_it_goes_on(
    jobs: LocalJobs, folder: Path, tmp_path: Path
) -> None:
    jobs.start(spec(f"echo $$ > {tmp_path}/self; {FOREVER}"))
    command = written_pid(tmp_path / "self")
    send(process_of(folder), signal.SIGKILL)
    state = over(jobs)
    assert (state.phase, state.verdict) == (Phase.FAILED, Verdict.ERROR)
    eventually(lambda: not is_alive(command), "its command to be dead")
    jobs.start(spec("exit 0"))
    assert jobs.look(NAME).phase is Phase.FAILED, "it is not done twice"


def test_a_number_that_another_process_has_now_is_not_taken_for_the_job(
    jobs: LocalJobs, folder: Path
) -> None:
    """The number in the claim is that of a process that lives and is none of ours to end."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as foreign:
        try:
            alive = identity_of(foreign.pid)
            assert alive is not None
            for process in (
                Identity(alive.pid, alive.started - 1, alive.boot),
                Identity(alive.pid, alive.started, "another start of the machine"),
            ):
                with held(folder / NAME) as opened:
                    opened.write(Order((*SHELL, FOREVER), 60, 1))
                    opened.write(Claim(process))
                assert jobs.look(NAME).phase is Phase.FAILED
                jobs.end(NAME)
                assert jobs.look(NAME).phase is Phase.GONE
            assert foreign.poll() is None
        finally:
            foreign.kill()


def test_a_job_that_is_ended_is_gone_and_can_be_done_again(
    jobs: LocalJobs, folder: Path, tmp_path: Path
) -> None:
    jobs.start(spec(f"echo $$ > {tmp_path}/self; {FOREVER}"))
    command = written_pid(tmp_path / "self")
    LocalJobs(folder).end(NAME)
    assert not is_alive(command)
    assert jobs.look(NAME) == JobState(Phase.GONE)
    assert list(folder.iterdir()) == []
    jobs.end(NAME)
    jobs.start(spec("exit 4"))
    assert over(jobs).exit_code == 4
    jobs.end(NAME)
    assert jobs.look(NAME).phase is Phase.GONE


def test_a_job_that_a_shutdown_has_ended_is_gone_and_the_next_start_does_it_again(
    jobs: LocalJobs, folder: Path, tmp_path: Path
) -> None:
    jobs.start(spec(f"echo x >> {tmp_path}/runs; {FOREVER}"))
    running(jobs)
    send(process_of(folder), signal.SIGTERM)
    assert over(jobs).phase is Phase.GONE
    jobs.start(spec(f"echo x >> {tmp_path}/runs; exit 3"))
    assert over(jobs).exit_code == 3


def test_what_ignores_the_end_is_killed(jobs: LocalJobs, tmp_path: Path) -> None:
    jobs.start(spec(f"echo $$ > {tmp_path}/self; {STUBBORN}"))
    command = written_pid(tmp_path / "self")
    jobs.end(NAME)
    assert not is_alive(command)


def test_a_keeper_that_does_not_answer_is_killed_with_its_command(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steadyhand.rollouts.jobs.local.KILL_S", 0.5)
    jobs = LocalJobs(folder, SHELL, grace_s=0.2)
    jobs.start(spec(f"echo $$ > {tmp_path}/self; {FOREVER}"))
    command = written_pid(tmp_path / "self")
    process = process_of(folder)
    send(process, signal.SIGSTOP)
    jobs.end(NAME)
    assert not is_alive(process)
    eventually(lambda: not is_alive(command), "its command to be dead")


def test_an_end_that_comes_before_the_process_wins(
    jobs: LocalJobs, folder: Path, tmp_path: Path
) -> None:
    for number in range(10):
        jobs.start(spec(f"echo $$ > {tmp_path}/{number}; {FOREVER}"))
        jobs.end(NAME)
        assert jobs.look(NAME).phase is Phase.GONE
        assert list(folder.iterdir()) == []
    time.sleep(0.5)
    for path in tmp_path.iterdir():
        if path.name.isdecimal() and (text := path.read_text().strip()):
            assert identity_of(int(text)) is None


def test_an_end_that_was_killed_halfway_is_gone_and_the_next_start_does_the_rest(
    jobs: LocalJobs, folder: Path
) -> None:
    with held(folder / NAME) as opened:
        opened.write(Order((*SHELL, "exit 0"), 60, 1))
        opened.write(Claim(None))
    assert jobs.look(NAME).phase is Phase.GONE
    jobs.start(spec("exit 3"))
    assert over(jobs).exit_code == 3


def test_ends_and_starts_of_many_controllers_leave_one_process_or_none(
    folder: Path, tmp_path: Path
) -> None:
    """Each run holds a lock that two at once could not have."""
    ending = f"trap 'rmdir {tmp_path}/alone; exit 0' TERM; mkdir {tmp_path}/alone || echo two >> "
    script = f"{ending}{tmp_path}/twice; echo x >> {tmp_path}/runs; while :; do sleep 0.02; done"

    began_s = time.monotonic()
    alone = LocalJobs(folder, SHELL, grace_s=5)
    alone.start(spec(script))
    eventually((tmp_path / "runs").exists, "the job to run")
    takes_s = time.monotonic() - began_s
    alone.end(NAME)

    def work(number: int) -> None:
        controller = LocalJobs(folder, SHELL, grace_s=5)
        for turn in range(4):
            controller.start(spec(script))
            time.sleep(takes_s / 2 * ((number + turn) % 4))
            controller.end(NAME)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert not (tmp_path / "twice").exists()
    assert list(folder.iterdir()) == []


def test_a_name_leads_nowhere_else(jobs: LocalJobs) -> None:
    for call in (jobs.look, jobs.end):
        with pytest.raises(InvalidJob):
            call("../other")


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    jobs = LocalJobs(tmp_path / "file")
    for call in (lambda: jobs.start(spec("x")), lambda: jobs.look(NAME), lambda: jobs.end(NAME)):
        with pytest.raises(JobsUnavailable, match=NAME) as raised:
            call()
        assert raised.value.retryable
        assert raised.value.hint


def test_a_damaged_file_is_said_and_not_guessed(jobs: LocalJobs, folder: Path) -> None:
    jobs.start(spec("exit 0"))
    over(jobs)
    path = folder / NAME / "outcome.json"
    path.write_text(json.dumps({"exit_code": "0"}))
    with pytest.raises(JobsUnavailable, match="damaged"):
        jobs.look(NAME)
    path.unlink()


def test_who_waits_too_long_for_another_controller_says_so(
    jobs: LocalJobs, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steadyhand.rollouts.jobs.local_files.LOCK_S", 0.1)
    jobs.start(spec("exit 0"))
    over(jobs)
    with held(folder / NAME) as other, other.locked():
        with pytest.raises(JobsUnavailable, match="another process has held"):
            jobs.end(NAME)
        assert jobs.look(NAME).exit_code == 0, "to look waits for nobody"
