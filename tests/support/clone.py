"""A clone of the repository as ``make setup`` leaves it, served by its own ``make run``.

The pages' commands are run in it as printed. Two things differ from a reader's clone: ``.venv`` is
the environment of the tests, and the ports are free ones, so addresses are written anew.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.support.tree import ROOT

PATIENCE_S = 60.0
FENCED = re.compile(r"(?ms)^```(\w+)\n(.*?)^```$")


def blocks(page: str) -> list[tuple[str, str]]:
    """Return language and text of each fenced block of a page that names its language."""
    return FENCED.findall((ROOT / page).read_text(encoding="utf-8"))


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait until ``holds``, far longer than it should take."""
    until_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until_s, f"not within {PATIENCE_S:.0f} s: {what}"
        time.sleep(0.1)


class Clone:
    """A folder with a Makefile, a ``.venv`` and, once served, the workspace ``demo``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "output.txt"
        self.addresses: dict[str, str] = {}
        (folder / ".venv" / "bin").mkdir(parents=True)
        program = folder / ".venv" / "bin" / "steadyhand"
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH="{ROOT / "src"}" exec "{sys.executable}" -m steadyhand "$@"\n'
        )
        program.chmod(0o755)
        shutil.copy(ROOT / "Makefile", folder)

    @property
    def control(self) -> str:
        """Address of the control plane."""
        return self.addresses["127.0.0.1:8081"]

    @contextmanager
    def served(self) -> Iterator[None]:
        """Run ``make run`` on free ports until left; ``-o``: the environment is there already."""
        command = ["make", "-s", "-o", ".venv/.setup", "run", "PORT=0", "CONTROL_PORT=0"]
        with self.output.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            eventually(lambda: self._is_ready(process), "make run says where it answers")
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(PATIENCE_S)

    def _is_ready(self, process: "subprocess.Popen[bytes]") -> bool:
        said = self.output.read_text(encoding="utf-8")
        assert process.poll() is None, said
        found = re.findall(r"http://(127\.0\.0\.1:\d+)", said)
        if "\nthen " not in said:
            return False
        self.addresses = {"127.0.0.1:8080": found[0], "127.0.0.1:8081": found[1]}
        return True

    def run(self, command: list[str]) -> str:
        """Run a command in the clone with its addresses and return what it printed."""
        for printed, real in self.addresses.items():
            command = [part.replace(printed, real) for part in command]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | {"STEADYHAND_CONTROL_URL": f"http://{self.control}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE_S,
            check=False,
        )
        printed = done.stdout.decode()
        assert done.returncode == 0, printed
        return printed

    def shell(self, text: str) -> str:
        """Run a block of shell commands; any that fails ends it."""
        return self.run(["bash", "-euo", "pipefail", "-c", text])

    def python(self, text: str) -> str:
        """Run a Python program."""
        return self.run([sys.executable, "-c", text])

    def edit(self, name: str, change: Callable[[str], str]) -> None:
        """Save a changed file of the workspace and wait until every gateway serves it."""
        before = self._versions()
        path = self.folder / "demo" / name
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
        newest = max(before)
        eventually(lambda: min(self._versions()) > newest, f"{name} is taken over")

    def _versions(self) -> list[int]:
        token = (self.folder / "demo/.steadyhand/control.token").read_text().strip()
        connection = HTTPConnection(self.control, timeout=PATIENCE_S)
        try:
            headers = {"authorization": f"Bearer {token}"}
            connection.request("GET", "/api/v1/snapshot", headers=headers)
            snapshot: dict[str, Any] = json.load(connection.getresponse())
        finally:
            connection.close()
        return [gateway["snapshot_version"] for gateway in snapshot["gateways"]]
