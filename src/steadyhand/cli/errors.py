"""How a command says that something went wrong: code, sentence, place, hint; and the exit code.

Scripts match on the exit code and on ``error.code`` of the JSON form; people read the text form.
"""

import json
from dataclasses import asdict, dataclass
from enum import IntEnum

from steadyhand.core.errors import SteadyhandError


class ExitCode(IntEnum):
    """What a command's exit code means; the same for every command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    UNREACHABLE = 5
    CONFLICT = 6
    WORSE = 10
    UNDECIDED = 11
    TIMED_OUT = 124
    INTERRUPTED = 130


MEANING = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "failed",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.NOT_FOUND: "no such object",
    ExitCode.NOT_ALLOWED: "not logged in, or not allowed",
    ExitCode.UNREACHABLE: "the control plane cannot be reached",
    ExitCode.CONFLICT: "the object was changed meanwhile",
    ExitCode.WORSE: "a verdict: worse",
    ExitCode.UNDECIDED: "a verdict: it cannot be told",
    ExitCode.TIMED_OUT: "timed out",
    ExitCode.INTERRUPTED: "interrupted",
}

_BY_STATUS = {
    400: ExitCode.USAGE,
    401: ExitCode.NOT_ALLOWED,
    403: ExitCode.NOT_ALLOWED,
    404: ExitCode.NOT_FOUND,
    405: ExitCode.USAGE,
    409: ExitCode.CONFLICT,
    412: ExitCode.CONFLICT,
    421: ExitCode.NOT_ALLOWED,
    422: ExitCode.USAGE,
    502: ExitCode.UNREACHABLE,
    504: ExitCode.TIMED_OUT,
}


class Usage(SteadyhandError):
    """The command line is wrong: an unknown command or option, or a bad value."""

    code, status = "usage", 400


class NotLoggedIn(SteadyhandError):
    """No token for the control plane was found."""

    code, status = "not_logged_in", 401


class ControlUnreachable(SteadyhandError):
    """The control plane did not accept the connection, or broke it."""

    code, status, retryable = "control_unreachable", 502, True


class ControlTimedOut(SteadyhandError):
    """The control plane did not answer within ``--timeout``."""

    code, status, retryable = "control_timed_out", 504, True


class NotControlPlane(SteadyhandError):
    """Something answered that is not a Steadyhand control plane."""

    code, status = "not_a_control_plane", 502


class Refused(SteadyhandError):
    """The control plane answered with an error of its own, which is shown as it came."""

    def __init__(self, status: int, code: str, message: str, hint: str) -> None:
        """Keep what the control plane said."""
        super().__init__(message, hint=hint)
        self.answered_status = status
        self.answered_code = code


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure, ready to be shown.

    Attributes:
        code: Stable identifier; ``steadyhand explain CODE`` says more.
        message: What happened, with its values.
        place: The file, address or command it happened at; empty if that says nothing.
        hint: What can be done now, or empty.
    """

    code: str
    message: str
    place: str = ""
    hint: str = ""

    def text(self) -> str:
        """Write it for people, without a final newline."""
        lines = [f"error[{self.code}]: {self.message}"]
        if self.place:
            lines.append(f"  --> {self.place}")
        explain = f"explain: steadyhand explain {self.code}"
        lines.append(f"hint: {self.hint}   {explain}" if self.hint else explain)
        return "\n".join(lines)

    def json(self) -> str:
        """Write it for programs: the same fields."""
        return json.dumps({"error": asdict(self)}, ensure_ascii=False)


def problems_of(error: SteadyhandError) -> list[Problem]:
    """Make the problems that ``error`` stands for: one, or each mistake of a workspace."""
    from steadyhand.settings.problems import InvalidWorkspace

    if isinstance(error, InvalidWorkspace):
        return [
            Problem(mistake.code, mistake.reason, mistake.place, mistake.advice)
            for mistake in error.problems
        ]
    code = error.answered_code if isinstance(error, Refused) else error.code
    return [Problem(code=code, message=error.message, hint=error.hint)]


def exit_code_of(error: SteadyhandError) -> ExitCode:
    """Return the exit code for ``error``: by its status, and 1 for all that has no code here."""
    status = error.answered_status if isinstance(error, Refused) else error.status
    return _BY_STATUS.get(status, ExitCode.FAILED)
