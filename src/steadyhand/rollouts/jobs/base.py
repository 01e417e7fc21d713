"""The port of what runs jobs, and how it says that it cannot.

A controller may be killed at any moment and another may do the same beside it. So every call can
be made again: what is wanted is said, and what is there already is left alone.
"""

from typing import Protocol

from steadyhand.core.errors import SteadyhandError
from steadyhand.rollouts.jobs.model import JobSpec, JobState


class JobsUnavailable(SteadyhandError):
    """Jobs cannot be started, seen or ended now; what runs goes on. The call may be made again."""

    code, status, retryable = "jobs_unavailable", 503, True


class JobRefused(SteadyhandError):
    """What runs jobs does not take this one, or does not let us in; again would be the same."""

    code, status = "job_refused", 502


class JobRunner(Protocol):
    """What runs jobs. Calls block and belong into a thread."""

    def start(self, spec: JobSpec) -> None:
        """Have the job run, once.

        If there is a job of that name in any state but *gone*, nothing happens, also if it is
        over; the arguments of the first call stay. To do it once more, ``end`` it first. One that
        stays *pending* may be started again, in case whoever started it was killed halfway.

        Raises:
            JobsUnavailable: It is not known whether it has been started: call again.
            JobRefused: It will not be started.
        """

    def look(self, name: str) -> JobState:
        """Return where the job of that name stands; *gone* if there is none.

        Raises:
            JobsUnavailable: That cannot be seen now. It says nothing about the job.
            JobRefused: We may not see it.
            InvalidJob: No job can have that name.
        """

    def end(self, name: str) -> None:
        """Stop the job if it runs, and forget it with its exit code; nothing if there is none.

        Raises:
            JobsUnavailable: It may still be there: call again.
            JobRefused: We may not end it.
            InvalidJob: No job can have that name.
        """
