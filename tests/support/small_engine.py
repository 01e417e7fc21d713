"""A Dockerfile carried out without a container engine, in namespaces of the kernel.

Each stage is a folder. What runs in it has the folder as its root: the machine's ``/usr`` and
``/etc`` and a Python stand in for the base image, read only; everything else is the stage's own.
The started image has a read-only root, its volumes, its user, and PID 1. This needs root, or a
kernel that lets users make namespaces (then its user is the one who runs the tests).
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.dockerfile import Stage, Step
from tests.support.programs import children

SYSTEM = ("usr", "etc")
LINKS = ("bin", "lib", "lib64", "sbin")
BASE_PATH = "/shim:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
PASSED_ON = ("PIP_", "SSL_", "REQUESTS_", "HTTP", "http", "no_proxy", "NO_PROXY")
"""Variables by which a machine says how packages are reached."""
IS_ROOT = os.geteuid() == 0
NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
UNSHARE = NAMESPACES if IS_ROOT else [*NAMESPACES, "--user", "--map-root-user"]


def may_run() -> bool:
    """Tell whether this machine lets us make the namespaces."""
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True, check=False)
    return tried.returncode == 0


def base_image(root: Path) -> None:
    """Make the mount points of what stands in for the base image."""
    python = Path(sys.base_prefix)
    for folder in (*SYSTEM, "proc", "dev", "tmp", "shim"):
        (root / folder).mkdir(parents=True)
    for name in LINKS:
        if Path("/", name).is_symlink():
            (root / name).symlink_to(Path("/", name).readlink())
        elif Path("/", name).exists():
            (root / name).mkdir()
    (root / python.relative_to("/")).mkdir(parents=True, exist_ok=True)
    executable = python / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    (root / "shim" / "python").symlink_to(executable)


def entering(root: Path, volumes: dict[str, Path], *, read_only: bool, user: str) -> str:
    """Return the shell script that becomes the command given to it, with ``root`` as its root."""
    python = Path(sys.base_prefix)
    system = [name for name in (*SYSTEM, *LINKS) if not Path("/", name).is_symlink()]
    at = shlex.quote(str(root))
    lines = ["set -eu", f"mount --bind {at} {at}"]
    lines += [f"mount --rbind /{name} {at}/{name}" for name in system if Path("/", name).exists()]
    if not python.is_relative_to("/usr"):
        lines.append(f"mount --bind {shlex.quote(str(python))} {at}{shlex.quote(str(python))}")
    lines += [f"mount --rbind /dev {at}/dev", f"mount -t proc proc {at}/proc"]
    lines += [f"mount --bind {shlex.quote(str(have))} {at}{to}" for to, have in volumes.items()]
    if read_only:
        lines.append(f"mount -o remount,bind,ro {at}")
    return "\n".join([*lines, f'exec chroot {user} {at} "$@"'])


@dataclass
class Engine:
    """Builds and starts; ``files`` are the ones that the builder is given, below ``source``."""

    source: Path
    files: set[Path]
    place: Path

    def build(self, stages: list[Stage]) -> Path:
        """Carry out every stage; return the root of the last one."""
        made: dict[str, Path] = {}
        for stage in stages:
            root = self.place / stage.name
            root.mkdir()
            base_image(root)
            made[stage.name] = root
            workdir = Path("/")
            for number, step in enumerate(stage.steps):
                before = Stage(stage.base, stage.name, stage.steps[:number])
                if step.word == "WORKDIR":
                    workdir = workdir / step.text
                    (root / workdir.relative_to("/")).mkdir(parents=True, exist_ok=True)
                elif step.word == "COPY":
                    self._copy(step, root, workdir, made)
                elif step.word == "RUN":
                    self._run(step, root, workdir, before.environment())
        return made[stages[-1].name]

    def _copy(self, step: Step, root: Path, workdir: Path, made: dict[str, Path]) -> None:
        *sources, target = step.words
        to = root / (workdir / target).relative_to("/")
        into = target.endswith("/") or len(sources) > 1
        for name in sources:
            have = made[step.options["from"]] / name.lstrip("/") if "from" in step.options else None
            place = to / Path(name).name if into else to
            place.parent.mkdir(parents=True, exist_ok=True)
            if have is not None:
                shutil.copytree(have, place, symlinks=True, dirs_exist_ok=True)
            else:
                self._copy_from_context(name, place)
            if "chown" in step.options and IS_ROOT:
                user, _, group = step.options["chown"].partition(":")
                os.chown(place, int(user), int(group))

    def _copy_from_context(self, name: str, place: Path) -> None:
        wanted = self.source / name
        if wanted in self.files:
            shutil.copy2(wanted, place)
            return
        below = [file for file in self.files if file.is_relative_to(wanted)]
        if not below:
            raise FileNotFoundError(f"the builder is not given {name}: see .dockerignore")
        for file in below:
            to = place / file.relative_to(wanted)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, to)

    def _run(self, step: Step, root: Path, workdir: Path, environment: dict[str, str]) -> None:
        inside = f"cd {shlex.quote(str(workdir))} && {step.text}"
        script = entering(root, {}, read_only=False, user="")
        done = subprocess.run(
            [*UNSHARE, "sh", "-c", script, "engine", "/bin/sh", "-c", inside],
            env=_environment() | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"RUN {step.text}\n{done.stdout}{done.stderr}")


def _environment() -> dict[str, str]:
    passed = {name: text for name, text in os.environ.items() if name.startswith(PASSED_ON)}
    return {**passed, "PATH": BASE_PATH, "HOME": "/tmp", "LANG": "C.UTF-8"}  # noqa: S108 - inside


@dataclass
class Container:
    """The last stage of a built image as it is run: its user, environment, read-only root."""

    stage: Stage
    root: Path
    volumes: dict[str, Path]

    def command(self, *arguments: str) -> list[str]:
        """Return what runs the entry point with ``arguments``, or with CMD if there are none."""
        entry, default = self.stage.last("ENTRYPOINT"), self.stage.last("CMD")
        assert entry is not None
        assert default is not None
        return self.plain(*entry.words, *(arguments or default.words))

    def plain(self, *command: str) -> list[str]:
        """Return what runs any command inside."""
        user = self.stage.last("USER")
        assert user is not None
        become = f"--userspec={user.text}" if IS_ROOT else ""
        workdir = self.stage.last("WORKDIR")
        script = entering(self.root, self.volumes, read_only=True, user=become)
        inside = f'cd {workdir.text if workdir else "/"} && exec "$@"'
        return [*UNSHARE, "sh", "-c", script, "engine", "/bin/sh", "-c", inside, "sh", *command]

    def environment(self, **more: str) -> dict[str, str]:
        """Return the image's environment; the stand-in for its base's Python comes first."""
        have = self.stage.environment()
        return {"LANG": "C.UTF-8", **have, "PATH": f"{have['PATH']}:{BASE_PATH}", **more}

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the entry point with ``arguments`` to its end."""
        return self.finished(self.command(*arguments), **more)

    def finished(self, command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
        """Run what ``command`` or ``plain`` returned to its end."""
        return subprocess.run(
            command,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def signal_inside(outer: int, number: int = signal.SIGTERM) -> None:
    """Send a signal to PID 1 of the namespace that process ``outer`` has made."""
    for pid in children(outer):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
