"""The installation's own gateways: control publishes what the registry says; no more is to do."""

from typing import Final

from steadyhand.rollouts.drivers.base import Order, Progress


class EmbeddedDriver:
    """See :class:`steadyhand.rollouts.drivers.base.Driver`."""

    name: Final = "embedded"

    def sync(self, order: Order, held: str, now_s: float) -> Progress:
        """See :class:`steadyhand.rollouts.drivers.base.Driver`."""
        del now_s
        if not order.commit:
            return Progress("waiting", "no_commit", "waits for the commit", held)
        return Progress("done", "published", "", held)
