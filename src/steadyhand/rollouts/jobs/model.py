"""What a job of the control loop is, in which state it can be, and what its exit code says.

A job is named for what it is done for, so asking for it again finds it instead of making another.
The exit code is the verdict. Only 0 is success, so the same command also serves as the Job metric
of an Argo Rollouts analysis, which knows no more than success and failure of a Job.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from steadyhand.core.errors import SteadyhandError

Kind = Literal["judge", "replay", "probe"]
"""Compare candidate and stable; send recorded load again; send requests made for the purpose."""

MOST_DEADLINE_S: Final = 7 * 24 * 3600
GRACE_S: Final = 10
"""What a job has to end after SIGTERM, before it is killed."""

MOST_STEP: Final = 999_999
MOST_ARGUMENT_BYTES: Final = 64 * 1024
"""Of all arguments together: far below what Linux takes, and what a Kubernetes object may hold."""

# A DNS label: it becomes the name of a Kubernetes object, the value of a label, and of a folder.
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_OTHER = re.compile(r"[^a-z0-9]+")
_UNSENDABLE = re.compile("[\0\ud800-\udfff]")
_SLUG_CHARS = 24


class InvalidJob(SteadyhandError):
    """A job is named or described in a way that no runner takes."""

    code, status = "invalid_job", 400


class Verdict(StrEnum):
    """What a job found out."""

    PROMOTE = "promote"
    ROLL_BACK = "roll_back"
    HOLD = "hold"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


EXIT_CODES: Final[Mapping[Verdict, int]] = MappingProxyType(
    {
        Verdict.PROMOTE: 0,
        Verdict.ROLL_BACK: 1,
        Verdict.ERROR: 2,
        Verdict.HOLD: 3,
        Verdict.INCONCLUSIVE: 4,
    }
)
"""What the command of a job exits with. Every other code is an error as well.

Python exits with 1 when an exception escapes: the command of a job has to catch everything and
exit with 2, or its bug is read as a roll-back.
"""

_VERDICTS = {code: verdict for verdict, code in EXIT_CODES.items()}


class Phase(StrEnum):
    """Where a job stands.

    ``succeeded`` says that the command came to its end and left an exit code, whichever: it is the
    verdict that says what of. ``failed`` has no exit code, so nothing is known.
    """

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    EVICTED = "evicted"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class JobState:
    """What is known of a job at one moment.

    Attributes:
        phase: Where it stands.
        exit_code: 0 to 255 if it succeeded; 128 and more for a signal, as shells say it.
        reason: Why it stands there, for the person on call; may be empty.
    """

    phase: Phase
    exit_code: int | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        """Hold phase and exit code together.

        Raises:
            ValueError: One is there without the other, or the code is out of range.
        """
        if self.phase is Phase.SUCCEEDED:
            fits = self.exit_code is not None and 0 <= self.exit_code <= 255
        else:
            fits = self.exit_code is None
        if not fits:
            raise ValueError(f"{self.phase} does not go with the exit code {self.exit_code}")

    @property
    def is_over(self) -> bool:
        """Whether it stays as it is until somebody ends it."""
        return self.phase not in {Phase.PENDING, Phase.RUNNING}

    @property
    def verdict(self) -> Verdict | None:
        """What it found out; ``None`` as long as it is not over.

        A job that is over without an exit code says ``error``: missing data is never a success.
        """
        if not self.is_over:
            return None
        return Verdict.ERROR if self.exit_code is None else verdict_of(self.exit_code)


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job to be done.

    Attributes:
        name: As ``job_name`` makes it. Two jobs of one name are one job.
        kind: What it does.
        arguments: Of the command ``steadyhand``.
        deadline_s: How long it may take, from its start, before it is stopped.
    """

    name: str
    kind: Kind
    arguments: tuple[str, ...]
    deadline_s: int

    def __post_init__(self) -> None:
        """Refuse what a runner could not start.

        Raises:
            InvalidJob: A field is outside of what is allowed.
        """
        check_name(self.name)
        if not 1 <= self.deadline_s <= MOST_DEADLINE_S:
            raise InvalidJob(
                f"the job {self.name} has a deadline of {self.deadline_s} s",
                hint=f"from 1 to {MOST_DEADLINE_S}",
            )
        if not self.arguments or any(map(_UNSENDABLE.search, self.arguments)):
            raise InvalidJob(
                f"the job {self.name} has arguments that no command can get",
                hint="at least one; no NUL, and nothing that is not Unicode",
            )
        size = sum(len(argument.encode()) + 1 for argument in self.arguments)
        if size > MOST_ARGUMENT_BYTES:
            raise InvalidJob(
                f"the arguments of the job {self.name} have {size:,} bytes",
                hint=f"at most {MOST_ARGUMENT_BYTES:,}: name a file or an object instead",
            )


def verdict_of(exit_code: int) -> Verdict:
    """Return what an exit code says; every code that is none of ours is an error."""
    return _VERDICTS.get(exit_code, Verdict.ERROR)


def check_name(name: str) -> str:
    """Return ``name`` if it can be a job's.

    Raises:
        InvalidJob: It cannot.
    """
    if not _NAME.fullmatch(name):
        raise InvalidJob(
            f"{name[:80]!r} is no name of a job",
            hint="a letter first; lower-case letters, digits and dashes; at most 63 characters",
        )
    return name


def job_name(rollout: str, kind: Kind, step: int) -> str:
    """Name the job that does ``kind`` for one step of a rollout; always the same name for the same.

    The digest keeps rollouts apart whose ids look alike after what a name cannot hold is left out.

    Raises:
        InvalidJob: ``step`` is out of range.
    """
    if not 0 <= step <= MOST_STEP:
        raise InvalidJob(f"{step} is no step of a rollout", hint=f"from 0 to {MOST_STEP}")
    exact = json.dumps([rollout, kind, step]).encode()
    digest = hashlib.sha256(exact).hexdigest()[:16]
    slug = _OTHER.sub("-", rollout.lower())[:_SLUG_CHARS].strip("-") or "rollout"
    return f"{kind}-{slug}-{step}-{digest}"
