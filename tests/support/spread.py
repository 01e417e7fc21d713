"""How pytest-xdist spreads the suite over workers: a file to one of them, some folders whole.

What a module's tests share is then made once, as without workers; what a folder's tests share (the
image, the charts, the graph of imports) too. The work that waits for processes is handed out first,
so that the many short tests fill the end and no worker waits for the other's longest file.

A test with ``@pytest.mark.alone`` has the machine for itself: it runs when every other worker has
ended its test, and these wait for it.
"""

import fcntl
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

WHOLE = ("tests/architecture/", "tests/integration/deploy/", "tests/integration/website/")
"""Folders whose tests share what is dear to make."""

ORDER = ("tests/e2e/", "tests/integration/deploy/", "tests/fault/", "tests/integration/")
"""What is handed out first; everything else, which hardly waits, comes after it."""


def scope_of(nodeid: str) -> str:
    """Return what a test is handed out with."""
    file = nodeid.partition("::")[0]
    return next((folder for folder in WHOLE if file.startswith(folder)), file)


def place_of(nodeid: str) -> int:
    """Return when a test is handed out, 0 first."""
    return next((place for place, start in enumerate(ORDER) if nodeid.startswith(start)), 99)


class Machine:
    """One lock for many sharers or one owner, between processes; nobody waits for ever.

    Sharers and owners pass the same gate, one after the other. An owner keeps it while it waits,
    so no sharer can come before it again and again.
    """

    def __init__(self, folder: Path) -> None:
        self._gate = folder / "gate.lock"
        self._lock = folder / "machine.lock"

    @contextmanager
    def held(self, how: int) -> Iterator[None]:
        """Hold it until the block ends: ``fcntl.LOCK_SH`` with others, ``LOCK_EX`` alone."""
        with ExitStack() as stack:
            with locked(self._gate, fcntl.LOCK_EX):
                stack.enter_context(locked(self._lock, how))
            yield


@contextmanager
def locked(path: Path, how: int) -> Iterator[None]:
    """Hold a lock file until the block ends."""
    with path.open("a") as file:
        fcntl.flock(file, how)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)  # closing leaves it to a child that has the file too


class OnWorker:
    """What one worker does around each test."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Run a test, with what it makes and clears away, beside others or alone."""
        alone = item.get_closest_marker("alone") is not None
        with self._machine.held(fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
            return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Replace what ``--dist`` would choose; its subclasses in the library differ in this alone."""
    config.option.loadscopereorder = False  # the order of the items says more than their number
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = scope_of
    return scheduler


def pytest_configure(config: pytest.Config) -> None:
    """Give a worker the lock that it shares with the others."""
    if hasattr(config, "workerinput"):  # each has a folder below the one of the session
        folder = Path(config.getoption("basetemp")).parent
        config.pluginmanager.register(OnWorker(Machine(folder)), "steadyhand-alone")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Bring the tests into the order that they are handed out in; alone, nothing changes."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: place_of(item.nodeid))
