"""``steadyhand answers``: what curated answers there are, and what a question would get.

Both look at the files of the workspace, so an answer can be tried before anybody is told it.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from steadyhand.cli.output import Column, Row
from steadyhand.cli.session import Session, noun, verb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from steadyhand.knowledge.model import Entry

app = noun("List curated answers, and try questions on them.")

FOUND = [
    Column("entry", lambda row: row["entry"]),
    Column("confidence", lambda row: f"{row['confidence']:.3f}", right=True),
    Column("coverage", lambda row: f"{row['coverage']:.2f}", right=True),
    Column("phrasing", lambda row: f"{row['phrasing']:.2f}", right=True),
    Column("score", lambda row: f"{row['score']:.2f}", right=True),
    Column("first question", lambda row: row["questions"][0]),
]
LISTED = [
    Column("collection", lambda row: row["collection"]),
    Column("entry", lambda row: row["entry"]),
    Column("locale", lambda row: row["locale"] or "-"),
    Column("tenants", lambda row: ", ".join(row["tenants"]) or "all"),
    Column("expires", lambda row: row["expires"] or "-"),
    Column("questions", lambda row: str(len(row["questions"])), right=True),
    Column("first question", lambda row: row["questions"][0]),
]


@verb(app, "list")
def list_answers(
    session: Session,
    collection: Annotated[
        str | None, typer.Argument(metavar="[COLLECTION]", help="Only of this one.")
    ] = None,
) -> None:
    """List the curated answers of the workspace.

    Examples:
      steadyhand answers list
      steadyhand answers list support --json=entry,source,expires
    """
    collections = _collections(session)
    names = sorted(collections) if collection is None else [_known(collection, collections)]
    rows = [_row(name, entry) for name in names for entry in collections[name]]
    session.printer.rows(rows, LISTED)


@verb(app, "search")
def search_answers(
    session: Session,
    collection: Annotated[str, typer.Argument(metavar="COLLECTION", help="A folder of answers/.")],
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What somebody asks.")],
    tenant: Annotated[str, typer.Option(help="Whose key asks; none for nobody's.")] = "",
    locale: Annotated[str, typer.Option(help="Language the asker reads; none for any.")] = "",
    threshold: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Least confidence; else the default.")
    ] = None,
) -> None:
    """Show which answers a question may mean, how sure each is, and whether one would be spoken.

    Examples:
      steadyhand answers search support "how do I rebuild an index?"
      steadyhand answers search support "reset my password" --tenant acme --json
    """
    from steadyhand.app.curated import try_question

    collections = _collections(session)
    entries = collections[_known(collection, collections)]
    tried = try_question(entries, question, tenant, locale, threshold)
    if session.printer.format != "table":
        session.printer.object(tried, "")
        return
    rows: Sequence[Row] = tried["candidates"]
    if rows:
        replace(session.printer, terminal=True).rows(rows, FOUND)
    said = "  ".join(f"{term['term']} {term['weight']:.1f}" for term in tried["terms"])
    session.printer.out.write(f"words   {said or '-'}\n")
    verdict = "spoken" if tried["spoken"] else "not spoken"
    session.printer.out.write(f"{verdict}   {tried['explanation']}\n")


def _collections(session: Session) -> "Mapping[str, Sequence[Entry]]":
    from steadyhand.settings.answers import load_collections

    return load_collections(session.workspace)


def _known(name: str, collections: "Mapping[str, object]") -> str:
    from steadyhand.cli.suggestions import did_you_mean
    from steadyhand.core.errors import NotFound

    if name not in collections:
        hint = did_you_mean(name, collections) or f"collections: {', '.join(collections) or 'none'}"
        raise NotFound(f"no collection {name!r}", hint=hint)
    return name


def _row(collection: str, entry: "Entry") -> Row:
    from steadyhand.knowledge.visibility import date_of

    return {
        "collection": collection,
        "entry": entry.id,
        "questions": list(entry.questions),
        "source": entry.source,
        "locale": entry.locale,
        "tenants": list(entry.tenants),
        "expires": date_of(entry.expires_day),
    }
