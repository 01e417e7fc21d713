"""A Dockerfile as values: its stages and their instructions, for the subset that ours uses."""

import json
import re
import shlex
from dataclasses import dataclass, field
from fnmatch import translate
from pathlib import Path

KNOWN = {
    *("ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "RUN"),
    *("STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
}
"""Every instruction but FROM that is understood; another one is refused, never passed over."""


@dataclass(frozen=True)
class Step:
    """One instruction: ``--name=value`` options apart, the rest as it is written."""

    word: str
    options: dict[str, str]
    text: str

    @property
    def words(self) -> list[str]:
        """The rest as words: a JSON list if it is one, else as a shell would split it."""
        if self.text.startswith("["):
            return [str(word) for word in json.loads(self.text)]
        return shlex.split(self.text)

    @property
    def pairs(self) -> dict[str, str]:
        """The rest as ``name=value`` pairs."""
        return {name: value for name, _, value in (word.partition("=") for word in self.words)}


@dataclass
class Stage:
    """What follows one FROM."""

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def last(self, word: str) -> Step | None:
        """Return the instruction that is in force at the end, if there is one."""
        return next((step for step in reversed(self.steps) if step.word == word), None)

    def environment(self) -> dict[str, str]:
        """Return what its ENV instructions add up to."""
        return {k: v for step in self.steps if step.word == "ENV" for k, v in step.pairs.items()}


def stages(text: str) -> list[Stage]:
    """Return the stages of a Dockerfile.

    Raises:
        ValueError: An instruction is not known here.
    """
    found: list[Stage] = []
    for line in _logical_lines(text):
        step = _step(line)
        if step.word == "FROM":
            base, _, name = re.sub(r"(?i)\s+as\s+", " ", step.text).partition(" ")
            found.append(Stage(base, name or str(len(found))))
        elif step.word not in KNOWN or (not found and step.word != "ARG"):
            raise ValueError(f"not understood: {line}")
        elif found:
            found[-1].steps.append(step)
    return found


def _logical_lines(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", "", "\n".join(lines))
    return [re.sub(r"\s+", " ", line).strip() for line in joined.splitlines() if line.strip()]


def _step(line: str) -> Step:
    word, _, rest = line.partition(" ")
    options = {}
    while match := re.match(r"--([a-z-]+)=(\S+)\s+", rest):
        options[match[1]] = match[2]
        rest = rest[match.end() :]
    return Step(word.upper(), options, rest)


def context(root: Path, ignore: str, files: list[Path]) -> set[Path]:
    """Return the ``files`` of ``root`` that a builder is given, by the rules of ``.dockerignore``.

    The last rule that matches a file, or a folder above it, decides.
    """
    rules = []
    for line in ignore.splitlines():
        rule = line.strip()
        if rule and not rule.startswith("#"):
            rules.append((rule.startswith("!"), _pattern(rule.removeprefix("!"))))
    kept = set()
    for file in files:
        name = file.relative_to(root).as_posix()
        names = [name, *(str(folder) for folder in Path(name).parents if str(folder) != ".")]
        deciding = [keep for keep, pattern in rules if any(map(pattern.match, names))]
        if not deciding or deciding[-1]:
            kept.add(file)
    return kept


def _pattern(rule: str) -> re.Pattern[str]:
    if rule.startswith("**/"):
        return re.compile(r"(?:.*/)?" + translate(rule.removeprefix("**/")))
    whole = translate(rule)
    return re.compile(whole.replace(".*", "[^/]*") if "*" in rule else whole)
