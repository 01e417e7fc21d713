"""The command line: a table of commands, each imported only when it is used.

Starting any command must stay under 150 ms, so the table holds names and one-line helps, and the
modules behind them are left alone by ``--version``, ``--help`` and by each other.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, NamedTuple

import typer
from typer import _click  # typer carries its click as a private package; its groups speak it
from typer.core import TyperGroup
from typer.main import get_command
from typing_extensions import override

from steadyhand import __version__
from steadyhand.cli.errors import MEANING, ExitCode, Problem, Usage, exit_code_of, problems_of
from steadyhand.cli.suggestions import did_you_mean
from steadyhand.core.errors import SteadyhandError

JSON_OUTPUT = ("--output", "json")
COMPLETION_PARAMETERS = {"install_completion", "show_completion"}


class Entry(NamedTuple):
    """One command of the table.

    Attributes:
        module: Where it lives.
        app: Name of its ``typer.Typer`` there: a noun with verbs, or one verb.
        help: One line for the list of commands.
    """

    module: str
    app: str
    help: str


GROUPS: dict[str, dict[str, Entry]] = {
    "Start": {
        "init": Entry("steadyhand.cli.workspace", "init", "Write a workspace that runs."),
        "validate": Entry(
            "steadyhand.cli.workspace", "validate", "Check a workspace and say what is wrong where."
        ),
        "key": Entry("steadyhand.cli.key", "app", "Create, list and revoke API keys."),
        "serve": Entry("steadyhand.cli.serve", "app", "Serve the gateway and the control plane."),
        "restart": Entry(
            "steadyhand.cli.restart", "app", "Replace the running gateway processes one by one."
        ),
        "simulate": Entry("steadyhand.cli.simulate", "app", "Serve a simulated provider."),
    },
    "Release": {
        "prompt": Entry("steadyhand.cli.prompt", "app", "List, check, render and import prompts."),
        "release": Entry(
            "steadyhand.cli.release", "app", "Make, compare, approve and revoke releases."
        ),
        "gate": Entry(
            "steadyhand.cli.gate", "app", "Compare a change with what it would replace, by cases."
        ),
        "channel": Entry(
            "steadyhand.cli.channel", "app", "Show, promote and roll back what environments serve."
        ),
        "rollout": Entry(
            "steadyhand.cli.rollout",
            "app",
            "Try a release on a part of the traffic; evidence decides.",
        ),
        "incident": Entry(
            "steadyhand.cli.incident",
            "app",
            "Show what went wrong in rollouts, and the report about it.",
        ),
        "registry": Entry(
            "steadyhand.cli.registry", "app", "Show the release registry, examine and mend it."
        ),
        "principal": Entry(
            "steadyhand.cli.principal", "app", "Create, list and revoke who may change what."
        ),
    },
    "Look": {
        "requests": Entry(
            "steadyhand.cli.requests", "app", "List, show, explain and follow requests."
        ),
        "console": Entry(
            "steadyhand.cli.console", "app", "Print a link that opens the console in a browser."
        ),
        "routes": Entry("steadyhand.cli.routes", "app", "List and show routes."),
        "plan": Entry(
            "steadyhand.cli.plan", "plan_app", "Tell what would happen to a request now."
        ),
        "replay": Entry(
            "steadyhand.cli.plan", "replay_app", "Make a recorded decision again, and compare."
        ),
        "upstreams": Entry(
            "steadyhand.cli.upstreams",
            "app",
            "List and show providers and how they do; break them.",
        ),
        "objectives": Entry(
            "steadyhand.cli.objectives",
            "app",
            "List objectives and their error budgets; print rules.",
        ),
        "alerts": Entry(
            "steadyhand.cli.alerts",
            "app",
            "List alerts and what webhooks were told; try a webhook.",
        ),
        "grounding": Entry(
            "steadyhand.cli.grounding",
            "app",
            "List ungrounded answers and their rate; show or delete samples.",
        ),
        "drills": Entry(
            "steadyhand.cli.drills", "app", "List what proves each rung, and drill now."
        ),
        "cache": Entry("steadyhand.cli.cache", "app", "Show and flush kept answers."),
        "answers": Entry(
            "steadyhand.cli.answers", "app", "List curated answers, and try questions on them."
        ),
        "events": Entry("steadyhand.cli.events", "app", "Follow what happens, as it happens."),
        "doctor": Entry(
            "steadyhand.cli.doctor",
            "app",
            "Say what is wrong with an installation, and what mends it.",
        ),
        "explain": Entry("steadyhand.cli.explain", "app", "Say what an error code means."),
    },
}

COMMANDS: dict[str, Entry] = {
    name: entry for group in GROUPS.values() for name, entry in group.items()
}


def load(name: str) -> _click.Command:
    """Import the command ``name`` of the table and make it speak as the others do."""
    entry = COMMANDS[name]
    command = get_command(getattr(import_module(entry.module), entry.app))
    command.name = name
    _in_house_style(command)
    return command


def _in_house_style(command: _click.Command) -> None:
    """Plain help everywhere, examples not re-wrapped, completion options at the top only."""
    command.params = [p for p in command.params if p.name not in COMPLETION_PARAMETERS]
    if command.help:
        command.help = command.help.replace("\n\nExamples:\n", "\n\n\b\nExamples:\n")
    if isinstance(command, TyperGroup | typer.core.TyperCommand):
        command.rich_markup_mode = None
    if isinstance(command, TyperGroup):
        for verb in command.commands.values():
            _in_house_style(verb)


class LazyGroup(TyperGroup):
    """The top of the command line: knows every command, imports the one that is called."""

    @override
    def list_commands(self, ctx: _click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    @override
    def get_command(self, ctx: _click.Context, cmd_name: str) -> _click.Command | None:
        """Import one command; ``None`` if the table has none of that name."""
        return load(cmd_name) if cmd_name in COMMANDS else None

    @override
    def format_commands(self, ctx: _click.Context, formatter: _click.HelpFormatter) -> None:
        """Write the table, in its groups, without importing anything."""
        for group, entries in GROUPS.items():
            with formatter.section(group):
                formatter.write_dl([(name, entry.help) for name, entry in entries.items()])
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code.value), text) for code, text in MEANING.items()])

    @override
    def resolve_command(
        self, ctx: _click.Context, args: list[str]
    ) -> tuple[str | None, _click.Command | None, list[str]]:
        """Find the command that ``args`` begin with.

        Raises:
            Usage: There is none of that name; the hint names the nearest.
        """
        name = args[0]
        if name not in COMMANDS and not ctx.resilient_parsing:
            raise Usage(
                f"no command {name!r}",
                hint=did_you_mean(name, COMMANDS) or "see steadyhand --help",
            )
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="steadyhand",
    cls=LazyGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"steadyhand {__version__}\n")
        raise typer.Exit


@app.callback()
def steadyhand(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version."),
    ] = False,
) -> None:
    """Keep answering when your language models do not.

    Examples:
      steadyhand init demo && steadyhand serve --workspace demo
      steadyhand requests list --since 15m --outcome floor
    """


def build() -> _click.Command:
    """Make the whole command line, with nothing imported behind it."""
    command = get_command(app)
    if command.help:
        command.help = command.help.replace("\n\nExamples:\n", "\n\n\b\nExamples:\n")
    return command


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; problems are written to standard error."""
    as_json = _wants_json(arguments)
    try:
        result = build().main(_spread(arguments), prog_name="steadyhand", standalone_mode=False)
    except SteadyhandError as error:
        _report(*problems_of(error), as_json=as_json)
        return exit_code_of(error)
    except typer.TyperException as error:
        return _usage(error, as_json=as_json)
    except typer.Abort:
        return ExitCode.INTERRUPTED
    return result if isinstance(result, int) else ExitCode.OK


def _usage(error: typer.TyperException, *, as_json: bool) -> int:
    context = getattr(error, "ctx", None)
    if isinstance(error, _click.exceptions.NoArgsIsHelpError):
        sys.stderr.write(f"{error.message}\n")
        return ExitCode.USAGE
    command = context.command_path if context else "steadyhand"
    message, _, suggestion = error.format_message().partition(" Did you mean ")
    hint = f"did you mean {suggestion}" if suggestion else f"see {command} --help"
    sentence = message.rstrip(".")
    sentence = sentence[:1].lower() + sentence[1:]
    _report(Problem(Usage.code, sentence, place=command, hint=hint), as_json=as_json)
    return ExitCode.USAGE


def _report(*problems: Problem, as_json: bool) -> None:
    for problem in problems:
        sys.stderr.write(f"{problem.json() if as_json else problem.text()}\n")


def _wants_json(arguments: Sequence[str]) -> bool:
    pairs = zip(arguments, [*arguments[1:], ""], strict=True) if arguments else ()
    return any(
        one.partition("=")[0] == "--json" or one == "--output=json" or (one, two) == JSON_OUTPUT
        for one, two in pairs
    )


def _spread(arguments: Sequence[str]) -> list[str]:
    """Write ``--json=a,b`` as ``--json --fields a,b``: an option takes a value always or never."""
    spread: list[str] = []
    for argument in arguments:
        if argument.startswith("--json="):
            spread += ["--json", "--fields", argument.removeprefix("--json=")]
        else:
            spread.append(argument)
    return spread
