"""Which requests become traces. Pure.

Whoever began a trace decides for all of it. Of those that begin here, as many as the settings say
are drawn by the trace's id, and what went wrong or was late is sent whatever was drawn. Requests
without an accepted key are never sent: else strangers could write into anybody's trace.
"""

from typing import NamedTuple

from steadyhand.core import trace_context
from steadyhand.records.record import DRILL, Record, parent_of
from steadyhand.telemetry.traces.spans import is_failure


class Sampling(NamedTuple):
    """What is sent.

    Attributes:
        percent: Of the traces that begin here.
        troubles: Whether failures and late answers of such traces are sent besides.
        drills: Whether drills are.
    """

    percent: float
    troubles: bool
    drills: bool

    def wants(self, record: Record) -> bool:
        """Whether a record becomes spans."""
        if record.wire == DRILL and not self.drills:
            return False
        if not record.tenant and record.wire != DRILL:
            return False
        parent = parent_of(record)
        if parent is not None:
            return parent.is_sampled
        own = trace_context.own_trace_id(record.request_id)
        if trace_context.is_drawn(own, self.percent):
            return True
        return self.troubles and (is_failure(record) or not record.in_time)
