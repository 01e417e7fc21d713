"""What a job is called, what its exit code says, and which states there are."""

import re
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.rollouts.jobs.model import (
    EXIT_CODES,
    MOST_ARGUMENT_BYTES,
    MOST_DEADLINE_S,
    MOST_STEP,
    InvalidJob,
    JobSpec,
    JobState,
    Kind,
    Phase,
    Verdict,
    check_name,
    job_name,
    verdict_of,
)

KINDS: tuple[Kind, ...] = get_args(Kind)
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")  # of RFC 1123, what Kubernetes takes


def spec(
    name: str = "judge-a-0", arguments: tuple[str, ...] = ("judge",), deadline_s: int = 60
) -> JobSpec:
    return JobSpec(name, "judge", arguments, deadline_s)


@given(code=st.integers(-300, 300))
def test_only_0_promotes_and_what_is_not_listed_is_an_error(code: int) -> None:
    listed = {0: "promote", 1: "roll_back", 3: "hold", 4: "inconclusive"}
    assert verdict_of(code) == listed.get(code, "error")


def test_each_verdict_has_its_exit_code() -> None:
    assert {verdict: verdict_of(code) for verdict, code in EXIT_CODES.items()} == {
        verdict: verdict for verdict in Verdict
    }


@given(rollout=st.text(), kind=st.sampled_from(KINDS), step=st.integers(0, MOST_STEP))
def test_a_name_can_be_a_label_and_is_always_the_same(rollout: str, kind: Kind, step: int) -> None:
    name = job_name(rollout, kind, step)
    assert name == job_name(rollout, kind, step) == check_name(name)
    assert LABEL.fullmatch(name)
    assert len(name) <= 63
    assert name.startswith(f"{kind}-")


def test_different_jobs_have_different_names() -> None:
    rollouts = ("checkout", "Checkout", "check out", "check-out", "", "é", "x" * 40, "x" * 41)
    jobs = list(product(rollouts, KINDS, (0, 1, 11)))
    assert len({job_name(*job) for job in jobs}) == len(jobs)


def test_a_name_does_not_change_with_the_version_of_this_program() -> None:
    """A controller of the next version must find what this one has started."""
    assert job_name("checkout/Prompt 7", "judge", 3) == "judge-checkout-prompt-7-3-d3a1ad6b9b4e45b1"
    assert job_name("§", "probe", 0).startswith("probe-rollout-0-")


@pytest.mark.parametrize("step", [-1, MOST_STEP + 1])
def test_a_step_out_of_range_is_refused(step: int) -> None:
    with pytest.raises(InvalidJob):
        job_name("a", "judge", step)


@pytest.mark.parametrize("name", ["", "A", "1a", "a-", "-a", ".a", "a/b", "..", "a\n", "a" * 64])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(InvalidJob):
        check_name(name)
    with pytest.raises(InvalidJob):
        spec(name=name)


@pytest.mark.parametrize("deadline_s", [0, -1, MOST_DEADLINE_S + 1])
def test_a_job_has_a_deadline(deadline_s: int) -> None:
    with pytest.raises(InvalidJob):
        spec(deadline_s=deadline_s)


@pytest.mark.parametrize(
    "arguments", [(), ("a\0b",), ("\ud800",), ("é" * (MOST_ARGUMENT_BYTES // 2),)]
)
def test_arguments_that_no_command_can_get_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(InvalidJob):
        spec(arguments=arguments)


def test_the_largest_job_is_taken() -> None:
    taken = spec(arguments=("a" * (MOST_ARGUMENT_BYTES - 1),), deadline_s=MOST_DEADLINE_S)
    assert taken.deadline_s == MOST_DEADLINE_S


@pytest.mark.parametrize("phase", Phase)
def test_a_state_says_a_verdict_when_it_is_over_and_never_a_good_one_without_a_code(
    phase: Phase,
) -> None:
    state = JobState(phase, 0 if phase is Phase.SUCCEEDED else None)
    expected = {
        Phase.PENDING: None,
        Phase.RUNNING: None,
        Phase.SUCCEEDED: Verdict.PROMOTE,
    }
    assert state.verdict == expected.get(phase, Verdict.ERROR)
    assert state.is_over == (state.verdict is not None)


@pytest.mark.parametrize(
    ("phase", "code"),
    [
        (Phase.SUCCEEDED, None),
        (Phase.SUCCEEDED, -1),
        (Phase.SUCCEEDED, 256),
        (Phase.FAILED, 0),
        (Phase.TIMED_OUT, 143),
    ],
)
def test_a_state_without_sense_cannot_be_made(phase: Phase, code: int | None) -> None:
    with pytest.raises(ValueError, match=phase):
        JobState(phase, code)
