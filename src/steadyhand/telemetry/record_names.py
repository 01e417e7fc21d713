"""The metrics of the record log and of the shipper. Pure; see :mod:`steadyhand.telemetry.names`."""

from steadyhand.telemetry.metric import Metric, Slot

LOG_APPENDED = Metric(
    "steadyhand_record_log_appended_total",
    "counter",
    "Records accepted by the record log.",
    ("process",),
)
LOG_FLUSHED = Metric(
    "steadyhand_record_log_flushed_total",
    "counter",
    "Records synced to disk.",
    ("process",),
)
LOG_DROPPED = Metric(
    "steadyhand_record_log_dropped_total",
    "counter",
    "Records lost: bound is a log that reached its size, unencodable a bug.",
    ("process", "reason"),
)
LOG_FLUSH_FAILURES = Metric(
    "steadyhand_record_log_flush_failures_total",
    "counter",
    "Group commits that failed and were tried again.",
    ("process",),
)
LOG_PENDING = Metric(
    "steadyhand_record_log_pending_bytes",
    "gauge",
    "Records waiting in memory for the disk.",
    ("process",),
)
LOG_LAST_FLUSH = Metric(
    "steadyhand_record_log_last_flush_timestamp_seconds",
    "gauge",
    "When nothing was left to write, seconds since 1970.",
    ("process",),
)
LOG_SYNCS = Metric(
    "steadyhand_record_log_syncs_total",
    "counter",
    "Group commits that succeeded; records flushed in the same time, divided by it, are the size "
    "of a group.",
    ("process",),
)
LOG_SYNC_TOTAL = Metric(
    "steadyhand_record_log_sync_seconds_total",
    "counter",
    "Time that group commits took; divided by their number, what one takes.",
    ("process",),
)
LOG_SYNC_LAST = Metric(
    "steadyhand_record_log_last_sync_seconds",
    "gauge",
    "What the last group commit took.",
    ("process",),
)
LOG_SYNC_LONGEST = Metric(
    "steadyhand_record_log_longest_sync_seconds",
    "gauge",
    "What the longest group commit since the start of the process took.",
    ("process",),
)
LOG_SYNC_AGE = Metric(
    "steadyhand_record_log_sync_age_seconds",
    "gauge",
    "How long the group commit under way has been going on; 0 if there is none.",
    ("process",),
)
LOG_REFUSED = Metric(
    "steadyhand_record_log_refused_total",
    "counter",
    "Answers refused because durability is strict and their record was not on disk in time: the "
    "log was full, its disk failing, or stalled.",
    ("process", "reason"),
)

SHIPPED = Metric(
    "steadyhand_shipper_records_total", "counter", "Records moved from the log to the database."
)
ANNOTATIONS = Metric(
    "steadyhand_shipper_annotations_total",
    "counter",
    "Annotations of records moved from the log to the database; those of an unknown kind, as a "
    "later version writes them, are kept and counted nowhere else.",
    ("kind",),
)
SHIP_FAILURES = Metric(
    "steadyhand_shipper_failures_total",
    "counter",
    "Times a writer's records had to wait because the database or the disk failed.",
)
CONSUMER_FAILURES = Metric(
    "steadyhand_shipper_consumer_failures_total",
    "counter",
    "Batches that a consumer of records refused; a bug.",
)
DAMAGED_SEGMENTS = Metric(
    "steadyhand_shipper_damaged_segments_total",
    "counter",
    "Segments torn (cut short by a killed process) or corrupt (set aside).",
    ("kind",),
)
UNREADABLE_RECORDS = Metric(
    "steadyhand_shipper_unreadable_records_total",
    "counter",
    "Records that were written and are missing, or undecodable by this version (set aside).",
    ("kind",),
)
SHIPPER_WRITERS = Metric(
    "steadyhand_shipper_writers", "gauge", "Gateway processes whose log is still there."
)
SHIPPER_WAITING = Metric(
    "steadyhand_shipper_waiting_bytes", "gauge", "Bytes in the log and not yet in the database."
)
SHIPPER_LAG = Metric(
    "steadyhand_shipper_lag_seconds",
    "gauge",
    "Age of the oldest record known to wait for the database; 0 if none waits.",
)
SHIPPER_LAST_SUCCESS = Metric(
    "steadyhand_shipper_last_success_timestamp_seconds",
    "gauge",
    "When the last pass ended that left no writer behind, seconds since 1970.",
)
INTERRUPTED_RECORDS = Metric(
    "steadyhand_shipper_interrupted_records_total",
    "counter",
    "Intents that became the record, because their process died before it could write how the "
    "request ended.",
)
SUPERSEDED_ENTRIES = Metric(
    "steadyhand_shipper_superseded_entries_total",
    "counter",
    "Entries of the log that a later one has taken the place of: intents that ended well, and "
    "records whose answer did not leave.",
)
SKIPPED_BYTES = Metric(
    "steadyhand_shipper_skipped_bytes_total",
    "counter",
    "Bytes of corrupt segments passed over on the way to the next sound record.",
)
DATABASE_REPLACED = Metric(
    "steadyhand_shipper_database_replaced_total",
    "counter",
    "Times the database's file was found deleted or replaced, and was opened again.",
)

LOG = (
    LOG_APPENDED,
    LOG_FLUSHED,
    LOG_DROPPED,
    LOG_FLUSH_FAILURES,
    LOG_PENDING,
    LOG_LAST_FLUSH,
    LOG_SYNCS,
    LOG_SYNC_TOTAL,
    LOG_SYNC_LAST,
    LOG_SYNC_LONGEST,
    LOG_SYNC_AGE,
    LOG_REFUSED,
)
SHIPPER = (
    SHIPPED,
    ANNOTATIONS,
    SHIP_FAILURES,
    CONSUMER_FAILURES,
    DAMAGED_SEGMENTS,
    UNREADABLE_RECORDS,
    SHIPPER_WRITERS,
    SHIPPER_WAITING,
    SHIPPER_LAG,
    SHIPPER_LAST_SUCCESS,
    INTERRUPTED_RECORDS,
    SUPERSEDED_ENTRIES,
    SKIPPED_BYTES,
    DATABASE_REPLACED,
)

SLOTS = (
    Slot("log_appended", LOG_APPENDED),
    Slot("log_flushed", LOG_FLUSHED),
    Slot("log_dropped", LOG_DROPPED, label="bound"),
    Slot("log_unencodable", LOG_DROPPED, label="unencodable"),
    Slot("log_flush_failures", LOG_FLUSH_FAILURES),
    Slot("log_pending_bytes", LOG_PENDING),
    Slot("log_last_flush_us", LOG_LAST_FLUSH, 1_000_000),
    Slot("log_syncs", LOG_SYNCS),
    Slot("log_sync_total_us", LOG_SYNC_TOTAL, 1_000_000),
    Slot("log_sync_last_us", LOG_SYNC_LAST, 1_000_000),
    Slot("log_sync_longest_us", LOG_SYNC_LONGEST, 1_000_000),
    Slot("log_sync_age_us", LOG_SYNC_AGE, 1_000_000),
    Slot("log_refused_full", LOG_REFUSED, label="full"),
    Slot("log_refused_failing", LOG_REFUSED, label="failing"),
    Slot("log_refused_stalled", LOG_REFUSED, label="stalled"),
)
"""What a gateway publishes of its record log."""
