"""``steadyhand console``: a link that opens the console, once."""

from steadyhand.cli.session import Session, noun, verb

app = noun("Print a link that opens the console in a browser.")


@verb(app, "console")
def console(session: Session) -> None:
    """Print a link that logs a browser in, once, within two minutes.

    The code in it stands behind a #, so it is in no log and in no header. Whoever opens it first is
    logged in with the rights of the token that this command used.

    Examples:
      steadyhand console --workspace demo
      steadyhand console --json=url
    """
    made = session.client.post("/session/codes", {})
    link = f"{session.client.url}/login#code={made['code']}"
    session.printer.note(f"open it within {made['expires_s']:.0f} s; it lets in once")
    session.printer.object({"url": link, "expires_s": made["expires_s"]}, link)
