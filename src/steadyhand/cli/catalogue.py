"""Every code that Steadyhand shows, with its meaning: from the docstrings of the errors."""

import inspect
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, TypeVar

import steadyhand
from steadyhand.core.errors import SteadyhandError
from steadyhand.http.failures import UpstreamError

WORKSPACE_CODE = re.compile(r"[EPW]\d{4}")
Kind = TypeVar("Kind")

ROLE = re.compile(r":\w+:`~?([^`]+)`")
NOT_IMPORTED = ("steadyhand.__main__", "steadyhand.storage.migrations.")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means.

    Attributes:
        code: As it is shown.
        family: ``error``, ``reason`` (why an attempt upstream failed) or ``workspace``.
        title: One line.
        text: All there is to say, the title included.
        status: HTTP status it is sent with, or ``None``.
        retryable: Whether the same request may succeed later, or ``None`` if that is no question.
    """

    code: str
    family: str
    title: str
    text: str
    status: int | None = None
    retryable: bool | None = None


BUG = Meaning(
    code=SteadyhandError.code,
    family="error",
    title="Something went wrong that nobody foresaw: a bug of Steadyhand.",
    text="Something went wrong that nobody foresaw: a bug of Steadyhand.\n\n"
    "The log of the process has the traceback; please report it with the request id.",
    status=SteadyhandError.status,
    retryable=SteadyhandError.retryable,
)


def find(code: str) -> Meaning | None:
    """Return the meaning of ``code``, or ``None`` if it is not one of ours.

    What is known without importing the whole package is looked at first.
    """
    if WORKSPACE_CODE.fullmatch(code):
        return next((one for one in workspace_codes() if one.code == code), None)
    for everything in (False, True):
        if everything:
            _import_all()
        for one in (*errors(), *reasons()):
            if one.code == code:
                return one
    return None


def every() -> list[Meaning]:
    """Return all codes: errors, reasons, workspace problems; each family in order of code."""
    _import_all()
    return [*errors(), *reasons(), *workspace_codes()]


def errors() -> list[Meaning]:
    """Return the errors of the modules imported so far."""
    found: dict[str, Meaning] = {SteadyhandError.code: BUG}
    for kind in _below(SteadyhandError):
        one = _meaning(kind, kind.code, "error", kind.status, retryable=kind.retryable)
        found.setdefault(one.code, one)  # a kind without a code of its own says nothing new
    return [one for _, one in sorted(found.items())]


def reasons() -> list[Meaning]:
    """Return why attempts upstream fail, as far as the transport names it."""
    found: dict[str, Meaning] = {}
    for kind in _below(UpstreamError):
        found.setdefault(kind.reason, _meaning(kind, kind.reason, "reason"))
    return [one for _, one in sorted(found.items())]


def workspace_codes() -> list[Meaning]:
    """Return what can be wrong with a workspace, or with a prompt that is served all the same."""
    from steadyhand.prompts.lint import RULES
    from steadyhand.settings.problems import CODES

    texts = [(code, one.title, one.text) for code, one in CODES.items()]
    texts += [(code, rule.title, rule.text) for code, rule in RULES.items()]
    return [
        Meaning(code, "workspace", title, f"{_sentence(title)}\n\n{text}")
        for code, title, text in sorted(texts)
    ]


def _import_all() -> None:
    for module in walk_packages(steadyhand.__path__, "steadyhand."):
        if not module.name.startswith(NOT_IMPORTED):
            with suppress(ImportError):  # it needs an extra that is not installed
                import_module(module.name)


def _below(kind: type[Kind]) -> Iterator[type[Kind]]:
    for child in kind.__subclasses__():
        if child.__module__.startswith("steadyhand."):
            yield child
            yield from _below(child)


def _meaning(
    kind: type[Any],
    code: str,
    family: str,
    status: int | None = None,
    *,
    retryable: bool | None = None,
) -> Meaning:
    written = inspect.getdoc(kind) or ""
    text = ROLE.sub(r"`\1`", written.partition("\n\nAttributes:")[0]).replace("``", "`")
    return Meaning(
        code, family, text.partition("\n\n")[0].replace("\n", " "), text, status, retryable
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
