"""``steadyhand principal``: who may change and see what on the control plane.

The commands edit ``principals.toml``; a running control plane takes the change up by itself.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from steadyhand.cli.output import Column, Format, Printer

app = typer.Typer(
    help="Create, list and revoke who may change what.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Workspace = Annotated[Path, typer.Option(help="The workspace whose principals are meant.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the principal.")]
COLUMNS = [
    Column("name", lambda row: row["name"]),
    Column("roles", lambda row: " ".join(row["roles"])),
]


def _printer(*, as_json: bool) -> Printer:
    chosen = Format.JSON if as_json else Format.TABLE
    return Printer(format=chosen, terminal=sys.stdout.isatty())


@app.command("create")
def create(
    name: Name,
    role: Annotated[
        list[str] | None,
        typer.Option(help="author, approver, operator or reader. May be repeated."),
    ] = None,
    ssh_key: Annotated[
        list[Path] | None,
        typer.Option(help="File with a public key that they sign commits with. May be repeated."),
    ] = None,
    workspace: Workspace = Path(),
    json: Json = False,
) -> None:
    """Create a principal. The token is shown once, now; only its hash is kept.

    Examples:
      steadyhand principal create alice --role author > alice.token
      steadyhand principal create bob --role approver --ssh-key ~/.ssh/id_ed25519.pub
    """
    from steadyhand.settings.principals import create_principal

    keys = [_public_key(path) for path in ssh_key or []]
    token = create_principal(workspace, name, role or ["reader"], keys)
    _printer(as_json=json).object({"name": name, "token": token}, token)
    sys.stderr.write(f"this is the token of {name!r}; it cannot be shown again\n")


def _public_key(path: Path) -> str:
    from steadyhand.core.errors import InvalidValue

    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValue(f"{path} cannot be read: {error}", hint="name the .pub file") from error


@app.command("signers")
def signers(workspace: Workspace = Path()) -> None:
    """Write who may sign commits of the registry, as Git and the pre-receive hook read it.

    Examples:
      steadyhand principal signers --workspace demo > allowed_signers
      git config gpg.ssh.allowedSignersFile allowed_signers
    """
    from steadyhand.app.signers import signer_file
    from steadyhand.cli.control import state_dir

    sys.stdout.write(signer_file(workspace, state_dir(workspace) / "registry_ed25519"))


@app.command("list")
def list_principals(workspace: Workspace = Path(), json: Json = False) -> None:
    """List the principals and their roles.

    Examples:
      steadyhand principal list --workspace demo
    """
    from steadyhand.settings.principals import load_principals

    found = load_principals(workspace)
    rows = [{"name": name, "roles": list(one.roles)} for name, one in found.items()]
    _printer(as_json=json).rows(rows, COLUMNS)


@app.command("revoke")
def revoke(name: Name, workspace: Workspace = Path()) -> None:
    """Revoke a principal: its token is refused from then on.

    Examples:
      steadyhand principal revoke alice
    """
    from steadyhand.settings.principals import revoke_principal

    revoke_principal(workspace, name)
    sys.stderr.write(f"revoked principal {name!r}\n")
