"""Orders to the registry: to the control plane, or as a signed commit in a clone of it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from steadyhand.cli.output import Row
from steadyhand.cli.session import Session

if TYPE_CHECKING:
    from steadyhand.registry.service import RegistryService
    from steadyhand.tenancy.principals import Principal

Clone = Annotated[
    Path | None,
    typer.Option(
        help="Commit it, signed, in this clone of the registry instead: for a pull request."
    ),
]
As = Annotated[
    str, typer.Option("--as", help="With --clone: principal that signs; else Git's user.name.")
]
Operation = Callable[["RegistryService", "Principal"], object]


def order(
    session: Session,
    path: str,
    wanted: Mapping[str, Any],
    clone: tuple[Path | None, str],
    operation: Operation,
) -> Row | None:
    """Give an order; return what the control plane answers, ``None`` if it was committed.

    Args:
        session: Of the command.
        path: Of the REST endpoint.
        wanted: Its body.
        clone: Folder of the clone, if any, and name of the principal.
        operation: The same order, for a clone.
    """
    folder, name = clone
    if folder is None:
        answer: Row = session.client.post(path, dict(wanted))
        return answer
    from steadyhand.registry.git.clone import commit_in

    made = commit_in(folder, name, operation)
    session.printer.object(made._asdict(), f"{made.commit[:10]} {made.subject}")
    session.printer.note("next: git push, and a pull request if the branch is not main")
    return None
