"""What the REST of breaking needs: the workspace's file, read and edited as the commands do."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from steadyhand.control.breaking import Breakable, BreakingPorts, Fault
from steadyhand.settings.breaking import break_provider, breakable, mend_provider
from steadyhand.simulation.behaviour import GROUPS


def breaking_ports(workspace: Path) -> BreakingPorts:
    """Return them for a workspace whose gateways take a change of its file over by themselves."""

    def providers() -> Sequence[Breakable]:
        return [Breakable(name, *how) for name, how in sorted(breakable(workspace).items())]

    return BreakingPorts(
        providers=providers,
        faults=[
            Fault(family, row.name, row.does) for family, group in GROUPS.items() for row in group
        ],
        breaks=partial(break_provider, workspace),
        mends=partial(mend_provider, workspace),
    )
