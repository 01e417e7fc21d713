"""``steadyhand upstreams break`` and ``mend``: let a simulated provider fail on command.

The commands edit ``steadyhand.toml``, as a person would; a running gateway takes the change over.
"""

import json as json_format
import os
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steadyhand.cli.errors import Usage
from steadyhand.cli.moments import AGO, UNITS_S

if TYPE_CHECKING:
    from collections.abc import Callable

TAKE_OVER_S = 10.0

Workspace = Annotated[Path, typer.Option(help="The workspace of the provider.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Model = Annotated[str, typer.Option(help="Only this model of the provider.")]
Provider = Annotated[str, typer.Argument(metavar="PROVIDER", help="A simulated provider.")]


@dataclass(frozen=True, slots=True)
class Change:
    """What a command did.

    Attributes:
        provider: Whom it was done to.
        model: The one model that was meant; empty for all.
        behaviour: What it is now; empty for mended.
        is_changed: Whether the file had to be changed for that.
        gateways: Gateway processes that run on the workspace here.
        is_in_force: Whether all of them serve the change.
    """

    provider: str
    model: str
    behaviour: str
    is_changed: bool
    gateways: int
    is_in_force: bool


def break_upstream(
    provider: Annotated[
        str, typer.Argument(metavar="PROVIDER", help="A simulated provider.", show_default=False)
    ] = "",
    behaviour: Annotated[
        str,
        typer.Argument(
            metavar="BEHAVIOUR",
            help="How it shall behave, as `error-500` or `slow:ttft_ms=800`.",
            show_default=False,
        ),
    ] = "",
    model: Model = "",
    lasting: Annotated[
        str, typer.Option("--for", metavar="TIME", help="Mend after this time, as 60s or 5m.")
    ] = "",
    listing: Annotated[
        bool, typer.Option("--list", help="List the behaviours by family, and stop.")
    ] = False,
    workspace: Workspace = Path(),
    json: Json = False,
) -> None:
    """Break a simulated provider, to see what your users would see.

    The workspace's file is edited and taken over by the running gateway; `mend` takes it back.
    With --for this command waits and mends by itself, also on Ctrl-C.

    Examples:
      steadyhand upstreams break --list
      steadyhand upstreams break simulated error-500
      steadyhand upstreams break simulated silent-before-headers --for 60s
      steadyhand upstreams break simulated slow --model steady --workspace demo
    """
    if listing:
        _say_behaviours(as_json=json)
        return
    if not behaviour:
        raise Usage(
            "say which provider to break, and how",
            hint="as in: steadyhand upstreams break simulated error-500; all ways: --list",
        )
    seconds = _seconds(lasting)
    from steadyhand.settings.breaking import break_provider

    change = partial(break_provider, workspace, provider, behaviour, model)
    try:
        done = Change(provider, model, behaviour, *_made(workspace, change))
        _say(done, workspace, as_json=json)
        if not seconds:
            return
        sys.stderr.write(f"mending it in {lasting}, or at Ctrl-C\n")
        time.sleep(seconds)
    except KeyboardInterrupt:
        if seconds:
            _mend(provider, model, workspace, as_json=json)
        raise
    _mend(provider, model, workspace, as_json=json)


def mend_upstream(
    provider: Provider, model: Model = "", workspace: Workspace = Path(), json: Json = False
) -> None:
    """Mend a simulated provider: take back what `break` did to it.

    Without --model every model of the provider is mended.

    Examples:
      steadyhand upstreams mend simulated
      steadyhand upstreams mend simulated --model steady --workspace demo
    """
    _mend(provider, model, workspace, as_json=json)


def _mend(provider: str, model: str, workspace: Path, *, as_json: bool) -> None:
    from steadyhand.settings.breaking import mend_provider

    change = partial(mend_provider, workspace, provider, model)
    _say(Change(provider, model, "", *_made(workspace, change)), workspace, as_json=as_json)


def _made(workspace: Path, change: "Callable[[], bool]") -> tuple[bool, int, bool]:
    """Make ``change`` and wait until the gateways that run here serve it."""
    from steadyhand.app.taken_over import served_versions, wait_until_served
    from steadyhand.settings.load import load

    settings = load(workspace, os.environ, {})
    before = served_versions(settings)
    if not change():
        return False, len(before), bool(before)
    return True, len(before), wait_until_served(settings, before, TAKE_OVER_S)


def _say(change: Change, workspace: Path, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(f"{json_format.dumps(asdict(change))}\n")
        return
    whom = f"{change.provider}/{change.model}" if change.model else change.provider
    lines = [_what(change, whom), _where(change)]
    if change.behaviour:
        at = f" --workspace {workspace}" if workspace != Path() else ""
        only = f" --model {change.model}" if change.model else ""
        lines += [
            "look:   steadyhand upstreams list" + at,
            "        steadyhand requests explain last" + at,
            "        steadyhand plan ROUTE" + at,
            f"mend:   steadyhand upstreams mend {change.provider}{only}{at}",
        ]
    sys.stdout.write("\n".join(lines) + "\n")


def _what(change: Change, whom: str) -> str:
    from steadyhand.simulation.behaviour import BEHAVIOURS

    if not change.behaviour:
        return f"{whom} is mended" if change.is_changed else f"{whom} was not broken"
    again = "" if change.is_changed else "already "
    does = BEHAVIOURS[change.behaviour.partition(":")[0]].does
    return f"{whom} is {again}broken: {change.behaviour}. {does}"


def _where(change: Change) -> str:
    if not change.gateways:
        return "no gateway runs on this workspace here; the next one will start so"
    if change.is_in_force:
        return f"in force in {change.gateways} gateway process" + "es" * (change.gateways > 1)
    return "not in force yet: see what `steadyhand serve` says"


def _say_behaviours(*, as_json: bool) -> None:
    from steadyhand.simulation.behaviour import GROUPS

    if as_json:
        rows = [
            {"family": family, "name": row.name, "does": row.does}
            for family, group in GROUPS.items()
            for row in group
        ]
        sys.stdout.write(f"{json_format.dumps(rows, ensure_ascii=False, indent=2)}\n")
        return
    for family, group in GROUPS.items():
        sys.stdout.write(f"{family}\n")
        for row in group:
            sys.stdout.write(f"  {row.name:<24}{row.does}\n")


def _seconds(text: str) -> float:
    """Return the seconds that ``text`` stands for; 0 for an empty one."""
    if not text:
        return 0.0
    found = AGO.fullmatch(text)
    if found is None:
        raise Usage(f"--for {text!r} is no time", hint="as in 30s, 5m or 1h")
    return float(found[1]) * UNITS_S[found[2]]
