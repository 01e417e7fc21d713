"""A registry on a Git server with the shipped hook, and people with keys and clones."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from steadyhand.registry.git.store import GitStore, open_registry
from steadyhand.registry.signatures import SERVER_ROLE, parse_signers, signer_lines
from steadyhand.registry.signing import PRINCIPAL, open_signer
from steadyhand.tenancy.settings import Role
from tests.support.tree import ROOT

ROLES: dict[str, tuple[Role, ...]] = {
    "alice": ("author",),
    "bob": ("approver",),
    "olive": ("operator", "author"),
}
HOOK = ROOT / "deploy" / "git" / "pre-receive"


class Refused(Exception):
    """Git said no; the message is what it printed."""


class Team:
    """The server's repository, and one clone for each person.

    Attributes:
        server: The bare repository.
        signers: Text of the allowed signers.
    """

    def __init__(self, folder: Path, *, kind: str = "ed25519") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.server = folder / "server.git"
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        }
        self._program()
        self.git(folder, "init", "-q", "--bare", "-b", "main", str(self.server))
        self.signer = open_signer(folder / "registry_ed25519")
        lines = [*signer_lines(PRINCIPAL, (SERVER_ROLE,), (self.signer.public_line(),))]
        for name, roles in ROLES.items():
            self._key(name, kind)
            lines += signer_lines(name, roles, (self.public_key(name),))
        self._key("mallory", kind)
        self.signers = "\n".join(lines) + "\n"
        (self.server / "allowed_signers").write_text(self.signers)

    def guard(self) -> None:
        """Put the hook in place."""
        shutil.copy(HOOK, self.server / "hooks" / "pre-receive")

    def clone(self, name: str) -> Path:
        """Return a fresh clone for a person."""
        path = self.folder / f"{name}-clone"
        shutil.rmtree(path, ignore_errors=True)
        self.git(self.folder, "clone", "-q", str(self.server), str(path))
        self.git(path, "symbolic-ref", "HEAD", "refs/heads/main")
        self.git(path, "config", "user.signingkey", str(self.folder / f"{name}.pub"))
        self.git(path, "config", "user.name", name)
        self.git(path, "config", "user.email", f"{name}@example.invalid")
        self.git(path, "config", "gpg.format", "ssh")
        return path

    def public_key(self, name: str) -> str:
        """Return a person's public key."""
        return (self.folder / f"{name}.pub").read_text().strip()

    def head(self) -> str:
        """Return where the server's branch is; empty before the first push."""
        try:
            return self.git(self.server, "rev-parse", "--verify", "-q", "refs/heads/main")
        except Refused:
            return ""

    def write(self, clone: Path, path: str, content: str) -> None:
        """Write a file in a clone and put it on the list."""
        place = clone / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
        self.git(clone, "add", "--", path)

    def commit(self, clone: Path, subject: str = "By hand", *options: str) -> None:
        """Commit what is on the list, signed."""
        self.git(clone, "commit", "-q", "-S", "-m", subject, *options)

    def steadyhand(self, *arguments: str) -> str:
        """Run the program."""
        return self._run([str(self.folder / "bin" / "steadyhand"), *arguments], self.folder)

    def push(self, clone: Path, *options: str) -> None:
        """Push the branch."""
        self.git(clone, "push", "-q", *options, "origin", "HEAD:main")

    def git(self, folder: Path, *arguments: str) -> str:
        """Run Git; raise with what it printed if it fails."""
        return self._run(["git", *arguments], folder)

    def store(self, folder: str = "server.git") -> GitStore:
        """Open a repository of the folder."""
        return open_registry(self.folder / folder, clock=lambda: 1_800_000_000.0)

    def parsed(self) -> object:
        """Return the signers."""
        return parse_signers(self.signers)

    def _run(self, command: list[str], folder: Path) -> str:
        done = subprocess.run(
            command,
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise Refused(done.stderr + done.stdout)
        return done.stdout.strip()

    def _key(self, name: str, kind: str) -> None:
        path = self.folder / name
        command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", str(path)]
        self._run(command, self.folder)

    def _program(self) -> None:
        program = self.folder / "bin" / "steadyhand"
        program.parent.mkdir(exist_ok=True)
        source = ROOT / "src"
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH="{source}" exec "{sys.executable}" -m steadyhand "$@"\n'
        )
        program.chmod(0o755)
