"""Import the modules named on standard input and print, as JSON, what that did to the process.

Run in an interpreter of its own by ``test_imports.py``. Importing must have no effect, so that two
applications can live in one process and the command line starts fast.
"""

import asyncio
import importlib
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable

EFFECTS = {
    "_thread.start_new_thread": "starts a thread",
    "os.fork": "forks",
    "os.mkdir": "makes a folder",
    "os.posix_spawn": "starts a process",
    "os.remove": "removes a file",
    "os.rename": "renames a file",
    "os.system": "starts a process",
    "signal.pthread_kill": "sends a signal",
    "socket.__new__": "opens a socket",
    "sqlite3.connect": "opens a database",
    "subprocess.Popen": "starts a process",
}

STATE: dict[str, Callable[[], object]] = {
    "the event loop policy": lambda: type(asyncio.get_event_loop_policy()).__qualname__,
    "the threads": lambda: sorted(thread.name for thread in threading.enumerate()),
    "the handler of SIGINT": lambda: str(signal.getsignal(signal.SIGINT)),
    "the handler of SIGTERM": lambda: str(signal.getsignal(signal.SIGTERM)),
    "the root logger": lambda: [logging.root.level, len(logging.root.handlers)],
    "the environment": lambda: sorted(os.environ.items()),
    "the working folder": os.getcwd,
}


def main() -> None:
    """Import each module in turn and note what it, or what it imports, does."""
    seen: list[str] = []
    importing = ""

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if not importing:
            return
        if event in EFFECTS:
            seen.append(f"importing {importing} {EFFECTS[event]}")
        elif event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
            seen.append(f"importing {importing} writes {arguments[0]}")

    names = sys.stdin.read().split()
    before = {what: read() for what, read in STATE.items()}
    sys.addaudithook(audit)
    for name in names:
        importing = name
        importlib.import_module(name)
        importing = ""
        for what, read in STATE.items():
            now = read()
            if now != before[what]:
                seen.append(f"importing {name} changes {what}")  # no values: some are secret
                before[what] = now
    print(json.dumps({"imported": len(names), "effects": seen}))


if __name__ == "__main__":
    main()
