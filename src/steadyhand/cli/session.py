"""What every command that asks the control plane shares: its options, client and printer."""

import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer

from steadyhand.cli.output import Format, Printer, wants_colour

if TYPE_CHECKING:
    from steadyhand.cli.control import ControlClient

P = ParamSpec("P")


def _shared(
    workspace: Annotated[
        Path, typer.Option(help="Workspace that is served; says address and token.")
    ] = Path(),
    url: Annotated[
        str | None,
        typer.Option(
            envvar="STEADYHAND_CONTROL_URL",
            help="Address of the control plane; else as the workspace says, port 8081 by default.",
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with the control token; else $STEADYHAND_CONTROL_TOKEN."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds to wait for each answer.")
    ] = 10.0,
    json: Annotated[
        bool, typer.Option("--json", help="Write JSON; --json=a,b writes only these fields.")
    ] = False,
    output: Annotated[Format, typer.Option(help="How to write the data.")] = Format.TABLE,
    fields: Annotated[str, typer.Option(hidden=True)] = "",
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Write data only, no notes.")
    ] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours.")] = False,
) -> "Session":
    chosen = Format.JSON if json else output
    return Session(
        url=url,
        workspace=workspace,
        token_file=token_file,
        timeout_s=timeout,
        printer=Printer(
            format=chosen,
            fields=tuple(field for field in fields.split(",") if field),
            colour=wants_colour(sys.stdout, os.environ, off=no_color),
            quiet=quiet,
            terminal=sys.stdout.isatty(),
            out=sys.stdout,
            err=sys.stderr,
        ),
    )


@dataclass(frozen=True)
class Session:
    """One run of a command against one control plane.

    Attributes:
        url: Address of the control plane, if told.
        workspace: Where address and token are looked for otherwise.
        token_file: Where the token is, if told.
        timeout_s: Seconds to wait for each answer.
        printer: Writes what the command has to say.
    """

    url: str | None
    workspace: Path
    token_file: Path | None
    timeout_s: float
    printer: Printer

    @cached_property
    def client(self) -> "ControlClient":
        """The control plane; the token is looked for when it is first asked."""
        from steadyhand.cli.control import ControlClient, find_token, find_url

        token = find_token(self.token_file, self.workspace, os.environ)
        return ControlClient(self.url or find_url(self.workspace), token, self.timeout_s)


def verb(
    app: typer.Typer, name: str
) -> Callable[[Callable[Concatenate[Session, P], None]], Callable[Concatenate[Session, P], None]]:
    """Register a function as verb ``name``; the shared options follow its own.

    The function takes the session first, then what its own parameters declare.
    """

    def register(
        function: Callable[Concatenate[Session, P], None],
    ) -> Callable[Concatenate[Session, P], None]:
        shared = inspect.signature(_shared).parameters
        own = list(inspect.signature(function).parameters.values())[1:]

        def command(**given: Any) -> None:
            session = _shared(**{key: given.pop(key) for key in shared})
            function(session, **given)  # type: ignore[call-arg]  # the names are its own

        keyword = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in [*own, *shared.values()]
        ]
        command.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]
        command.__doc__ = function.__doc__
        command.__name__ = function.__name__
        app.command(name)(command)
        return function

    return register


def noun(help_text: str) -> typer.Typer:
    """Make the app of a noun; its verbs are registered with :func:`verb`."""
    return typer.Typer(
        help=help_text, add_completion=False, no_args_is_help=True, rich_markup_mode=None
    )
