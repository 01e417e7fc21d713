"""Make the environments of the peers, from the public registries, by name and version.

They are no dependencies of the project: each has a folder of its own below ``build/failover/``,
or wherever ``--environments`` says, and is made once.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.targets import ROOT, Unavailable

PINS = Path(__file__).resolve().parent / "peers"
DEFAULT = ROOT / "build" / "failover"
_LEAST_NODE = 20


def litellm(home: Path) -> Path:
    """Return the folder of LiteLLM's virtual environment, made if it is missing.

    Raises:
        Unavailable: It cannot be made here.
    """
    folder = home / "litellm"
    pins = PINS / "litellm.txt"
    if _is_made(folder, pins):
        return folder
    print("making the environment of LiteLLM, some minutes", file=sys.stderr)
    _run([sys.executable, "-m", "venv", "--clear", str(folder)], home)
    python = str(folder / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    _run([*pip, "-r", str(pins)], home)
    _mark(folder, pins)
    return folder


def portkey(home: Path) -> tuple[Path, str]:
    """Return the folder of Portkey's packages and the program that runs them.

    Raises:
        Unavailable: There is no Node of version 20 or later, or npm fails.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Unavailable("Portkey needs node 20 or later and npm on the PATH")
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(told.lstrip("v").partition(".")[0]) < _LEAST_NODE:
        raise Unavailable(f"Portkey needs node {_LEAST_NODE} or later, and this is {told.strip()}")
    folder = home / "portkey"
    pins = PINS / "package.json"
    if not _is_made(folder, pins):
        print("making the environment of Portkey", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(pins, folder)
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        _run([npm, "install", *quiet], folder)
        _mark(folder, pins)
    return folder, node


def _is_made(folder: Path, pins: Path) -> bool:
    made = folder / pins.name
    return (folder / ".made").exists() and made.read_bytes() == pins.read_bytes()


def _mark(folder: Path, pins: Path) -> None:
    shutil.copy(pins, folder / pins.name)
    (folder / ".made").touch()


def _run(command: Sequence[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"{command[0]} failed: {done.stderr[-600:]}")
