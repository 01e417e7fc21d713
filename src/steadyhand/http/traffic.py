"""What the transports of one process have done upstream, as plain numbers.

All transports of a process count into one object, so that nothing is lost when a provider is
replaced; the board publishes it (``app/gauges.py``). Counters only grow; gauges go up and down.
"""


class Traffic:
    """Totals over all upstream connections.

    Attributes:
        open: Gauge: connections open now.
        opening: Gauge: connections being opened now.
        waiting: Gauge: requests that wait for a connection now.
        opened: Connections that came to stand.
        reused: Exchanges begun on a kept connection.
        retried: Exchanges sent once more, as their kept connection had been closed by the upstream.
        stale_idle: Kept connections that the upstream closed, or talked on, while none was asked.
        stale_probed: Kept connections found closed, or talking, in the moment of their reuse.
        given_up: Requests whose time passed while they waited for a connection.
        dns_failed: Connections for which no address was known.
        connect_failed: Connections refused, unreachable or lost before they stood.
        connect_timed_out: Connections not standing in time.
        tls_failed: Handshakes that failed, wrong certificates included.
        lookups: Names looked up.
        lookups_failed: Look-ups that found nothing.
        lookups_outlived: Times that old addresses were used, as a new look-up failed or was slow.
    """

    __slots__ = (
        "connect_failed", "connect_timed_out", "dns_failed", "given_up", "lookups",
        "lookups_failed", "lookups_outlived", "open", "opened", "opening", "retried", "reused",
        "stale_idle", "stale_probed", "tls_failed", "waiting",
    )  # fmt: skip

    def __init__(self) -> None:
        """Start at zero."""
        self.open = self.opening = self.waiting = 0
        self.opened = self.reused = self.retried = self.stale_idle = self.stale_probed = 0
        self.given_up = self.dns_failed = self.connect_failed = self.connect_timed_out = 0
        self.tls_failed = self.lookups = self.lookups_failed = self.lookups_outlived = 0
