"""A rollout as lines of text, and followed live in a terminal."""

import time
from collections.abc import Callable
from math import log

from steadyhand.cli.output import Column, Format, Row
from steadyhand.cli.rollout import short, state_of
from steadyhand.cli.session import Session

WIDTH = 32
HOME, CLEAR_BELOW, CLEAR_LINE = "\x1b[H", "\x1b[J", "\x1b[K"


def picture(row: Row) -> list[str]:
    """Return the lines that show a rollout."""
    lines = [
        f"{row['id']}  {row['route']} in {row['environment']}  {state_of(row)}"
        + (f": {row['reason']}" if row["outcome"] else ""),
        f"candidate {short(row['candidate'])}  against {short(row['stable'])}  "
        f"step {row['step'] + 1} of {row['steps']}, {row['weight_percent']:g} % of the traffic",
        "",
    ]
    look = row["look"]
    if look is None:
        return [*lines, "nothing has been counted yet"]
    lines += [
        "evidence                 e-value   of what it takes",
        _bar("worse than control", look["against"], look["rolls_back_at"]),
        _bar("past the SLO", look["beyond_slo"], look["rolls_back_at"])
        + (f"  for {look['breach_s']:.0f} s" if look["breach_s"] else ""),
        *(
            _bar(f"{one['name']} is fine", one["no_worse"], look["promotes_at"])
            for one in look["metrics"]
            if one["no_worse"] is not None
        ),
        "",
        "arm              requests        bad",
        *(
            f"{arm['arm']:<12} {arm['requests']:>12,} {arm['bad']:>10,}  {_rate(arm)}"
            for arm in look["arms"]
        ),
        "",
        "units by metric  candidate    control",
        *(
            f"{one['name']:<15} {one['candidate']:>10,} {one['control']:>10,}"
            for one in look["metrics"]
        ),
        "",
    ]
    verdict = row["verdict"]
    lines.append(f"verdict: {verdict['decision']} ({verdict['reason']})  {verdict['message']}")
    return [*lines, *_work(row)]


def _bar(name: str, value: float, needed: float) -> str:
    """Return a bar on a logarithmic scale; full is what it takes."""
    part = max(0.0, min(1.0, log(max(value, 1.0)) / log(needed)))
    full = round(part * WIDTH)
    shown = f"{value:,.2f}" if value < 10_000 else f"{value:.1e}"
    return f"{name:<20} {shown:>11}   [{'#' * full}{'.' * (WIDTH - full)}] {needed:,.0f}"


def _rate(arm: Row) -> str:
    return f"{arm['bad'] / arm['requests']:.2%}" if arm["requests"] else "-"


def _work(row: Row) -> list[str]:
    work = row["work"]
    began_us = work["verdict_us"]
    if not began_us:
        return []
    steps = (
        ("drained_us", "gateways told to serve it no more"),
        ("synced_us", f"commit {work['commit'][:10]} carried out"),
        ("verified_us", "no gateway has it any more"),
    )
    done = [
        f"  +{(work[name] - began_us) / 1e6:6.2f} s  {text}" for name, text in steps if work[name]
    ]
    return ["", "roll-back", *done, *([f"  {work['told']}"] if work["told"] else [])]


def follow(
    session: Session, id_: str, every_s: float, is_enough: Callable[[], bool] = lambda: False
) -> Row:
    """Show a rollout again and again until it is over, or ``is_enough``; return it.

    In a terminal it is drawn in place; elsewhere a line is written for each change, and with
    ``--json`` the whole of each look.
    """
    from steadyhand.cli.errors import Usage

    if not id_:
        items = session.client.get("/rollouts", open="true")["items"]
        if not items:
            raise Usage("no rollout is open", hint="steadyhand rollout list shows the past")
        id_ = items[0]["id"]
    printer, told, is_drawn = session.printer, "", False
    while True:
        row: Row = session.client.get(f"/rollouts/{id_}")
        if printer.terminal and printer.format is Format.TABLE:
            lines = "".join(f"{line}{CLEAR_LINE}\n" for line in picture(row))
            start = HOME if is_drawn else f"{HOME}{CLEAR_BELOW}"
            printer.out.write(f"{start}{lines}{CLEAR_BELOW}")
            printer.out.flush()
            is_drawn = True
        else:
            line = _line(row)
            if line != told:
                told = line
                printer.stream_row(row, [Column("state", _line)], [0])
        if row["outcome"] or is_enough():
            return row
        time.sleep(every_s)


def _line(row: Row) -> str:
    look = row["look"]
    against = f"{look['against']:.2f} of {look['rolls_back_at']:.0f}" if look else "-"
    return (
        f"{state_of(row)}  {row['weight_percent']:g} %  against {against}  "
        f"{row['verdict']['decision']}: {row['verdict']['reason']}"
    )
