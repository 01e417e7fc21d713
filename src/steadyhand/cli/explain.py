"""``steadyhand explain``: what a code means, without a network."""

from dataclasses import asdict
from typing import Annotated

import typer

from steadyhand.cli.catalogue import Meaning, every, find
from steadyhand.cli.output import Format, Printer
from steadyhand.cli.suggestions import did_you_mean
from steadyhand.core.errors import NotFound

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="As shown in error[CODE].")],
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Say what an error code or the reason of a failed attempt means.

    Examples:
      steadyhand explain not_found
      steadyhand explain first_byte_timeout
    """
    meaning = find(code)
    if meaning is None:
        known = [one.code for one in every()]
        raise NotFound(
            f"no code {code!r}",
            hint=did_you_mean(code, known) or "codes are listed in docs/reference/errors.md",
        )
    printer = Printer(format=Format.JSON if json else Format.TABLE)
    printer.object(asdict(meaning), _text(meaning))


def _text(meaning: Meaning) -> str:
    lines = [f"{meaning.code} ({meaning.family})", "", meaning.text]
    if meaning.status is not None:
        again = (
            "may succeed later, unchanged" if meaning.retryable else "will fail again, unchanged"
        )
        lines += ["", f"Sent with HTTP status {meaning.status}. The same request {again}."]
    if meaning.family == "reason":
        lines += ["", "Shown as the reason of an attempt: steadyhand requests explain ID"]
    return "\n".join(lines)
