"""Look at the registry's remote again and again, as long as the control process runs."""

import asyncio

from steadyhand.app.registry import Registry


async def follow_for_ever(registry: Registry, poll_s: float) -> None:
    """Bring the registry on each ``poll_s``; what goes wrong is in its status and the log."""
    while registry.follows:
        await asyncio.to_thread(registry.sync)
        await asyncio.sleep(poll_s)
