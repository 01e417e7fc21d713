"""When is a model's process started again, and how far has it loaded? Pure."""

MAX_DELAY_S = 30.0
FIRST_DELAY_S = 0.5


def restart_delay_s(failures_in_a_row: int) -> float:
    """Return how long to wait before a restart.

    Nothing after a process that had served, then doubling: loading costs memory and CPU that the
    gateways need.

    Args:
        failures_in_a_row: Processes that ended without having answered anything.
    """
    if failures_in_a_row <= 0:
        return 0.0
    return min(MAX_DELAY_S, FIRST_DELAY_S * 2.0 ** min(failures_in_a_row - 1, 16))


def loaded_share(resident_bytes: int, file_bytes: int) -> float:
    """Return how much of a model is in memory, by what its process holds beside its file's size.

    From 0 to 0.99: the process holds more than the file, so only it can say that it is done.
    """
    if file_bytes <= 0:
        return 0.0
    return min(0.99, max(0.0, resident_bytes / file_bytes))
