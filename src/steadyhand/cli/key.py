"""``steadyhand key``: create, list and revoke the API keys of a workspace.

The commands edit ``keys.toml``; a running gateway takes the change up by itself.
"""

import json as json_format
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from steadyhand.tenancy.settings import KeySettings

app = typer.Typer(
    help="Create, list and revoke API keys.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Workspace = Annotated[Path, typer.Option(help="The workspace whose keys are meant.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the key.")]


@app.command("create")
def create(
    name: Name,
    tenant: Annotated[str, typer.Option(help="Whose requests its bearer makes.")],
    channel: Annotated[str, typer.Option(help="Which channel of a route it gets.")] = "dev",
    route: Annotated[
        list[str] | None, typer.Option(help="A route it may call, or '*'. May be repeated.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Provider models it may call, as 'openai/*'. May be repeated."),
    ] = None,
    workspace: Workspace = Path(),
    json: Json = False,
) -> None:
    """Create a key. It is shown once, now; only its hash is kept.

    Examples:
      steadyhand key create web --tenant shop --route support
      steadyhand key create ops --tenant ops --route '*' --model 'openai/*'
    """
    from steadyhand.settings.keyedit import create_key

    rights = {"tenant": tenant, "channel": channel, "routes": route or [], "models": model or []}
    token = create_key(workspace, name, rights)
    if json:
        sys.stdout.write(f"{json_format.dumps({'name': name, 'key': token})}\n")
        return
    sys.stdout.write(f"{token}\n")
    sys.stderr.write(f"this is key {name!r}; it cannot be shown again\n")


@app.command("list")
def list_keys(workspace: Workspace = Path(), json: Json = False) -> None:
    """List the keys and what each may call.

    Examples:
      steadyhand key list --workspace demo
    """
    from steadyhand.settings.keyedit import open_keys

    _say_keys(open_keys(workspace), as_json=json)


@app.command("revoke")
def revoke(name: Name, workspace: Workspace = Path()) -> None:
    """Revoke a key: take it out of keys.toml. Its bearer is refused from then on.

    Examples:
      steadyhand key revoke web
    """
    from steadyhand.settings.keyedit import revoke_key

    revoke_key(workspace, name)
    sys.stderr.write(f"revoked key {name!r}\n")


def _say_keys(keys: "Mapping[str, KeySettings]", *, as_json: bool) -> None:
    if as_json:
        rows = [{"name": name, **key.model_dump(exclude={"hash"})} for name, key in keys.items()]
        sys.stdout.write(f"{json_format.dumps(rows, ensure_ascii=False, indent=2)}\n")
        return
    for name, key in keys.items():
        allowed = " ".join((*key.routes, *key.models)) or "-"
        sys.stdout.write("\t".join((name, key.tenant, key.channel, allowed)) + "\n")
