"""Read ``answers/<collection>/**/*.md``: curated answers, each file one."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from steadyhand.core.secrets import looks_secret
from steadyhand.knowledge.model import SUBJECTS, Entry, subject
from steadyhand.knowledge.settings import LONGEST_ANSWER_BYTES, MOST_ENTRIES, AnswerSettings
from steadyhand.knowledge.visibility import day_number, is_expired, speaks
from steadyhand.knowledge.words import terms
from steadyhand.settings.document import Document, Report
from steadyhand.settings.front_matter import Parted, read_parted
from steadyhand.settings.lines import KeyPath
from steadyhand.settings.problems import InvalidWorkspace, Problem
from steadyhand.settings.validation import check_name, check_table

ANSWERS = "answers"
LONGEST_QUESTION = 300
"""Characters."""


def collection_names(workspace: Path) -> list[str]:
    """Return the folders of ``answers/`` that hold a Markdown file, broken ones included."""
    folders = (path for path in (workspace / ANSWERS).glob("*") if path.is_dir())
    return sorted(folder.name for folder in folders if next(folder.rglob("*.md"), None))


def read_collections(workspace: Path, report: Report) -> dict[str, tuple[Entry, ...]]:
    """Return name → entries of every collection, in the order of their paths."""
    collections = {}
    for name in collection_names(workspace):
        folder = f"{ANSWERS}/{name}"
        check_name(name, "collection", Document(folder, {}, {}), (), report)
        collections[name] = _read_collection(workspace, folder, report)
    return collections


def load_collections(workspace: Path) -> dict[str, tuple[Entry, ...]]:
    """Return the curated answers of ``workspace`` alone, whatever else is wrong with it.

    Raises:
        InvalidWorkspace: An answer has mistakes; ``problems`` has all of them.
    """
    report = Report()
    collections = read_collections(workspace, report)
    if report.problems:
        raise InvalidWorkspace(report.problems)
    return collections


def expired(collections: Mapping[str, Sequence[Entry]], today: date) -> list[Problem]:
    """Return a problem for each answer whose last day was before ``today``."""
    day = day_number(today)
    return [
        Problem(
            code="E0405",
            path=f"{ANSWERS}/{name}/{entry.id}.md",
            key="expires",
            value="",
            reason="the answer is out of date and no longer spoken",
            hint="check it against its source, then move the date or remove the file",
        )
        for name, entries in collections.items()
        for entry in entries
        if is_expired(entry.expires_day, day)
    ]


def _read_collection(workspace: Path, folder: str, report: Report) -> tuple[Entry, ...]:
    base = workspace / folder
    paths = sorted(base.rglob("*.md"))
    if len(paths) > MOST_ENTRIES:
        report.add_file(
            "E0406",
            folder,
            f"{len(paths):,} answers are more than a collection may have ({MOST_ENTRIES:,})",
            hint="split it into collections, one for each route",
        )
        return ()
    asked = _Asked(report)
    read = []
    for path in paths:
        found = _read_entry(workspace, path.relative_to(workspace), base, report)
        if found is not None:
            entry, document = found
            asked.check(entry, document)
            read.append(entry)
    return (*read, *_read_subjects(base / SUBJECTS, f"{folder}/{SUBJECTS}", asked, report))


def _read_subjects(path: Path, name: str, asked: "_Asked", report: Report) -> list[Entry]:
    """Return the subjects on which a collection has no answer, one from each line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        report.add_file("E0403", name, f"it cannot be read: {error}", hint="it is text in UTF-8")
        return []
    if len(lines) > MOST_ENTRIES:
        reason = f"{len(lines):,} lines are more than a file may have ({MOST_ENTRIES:,})"
        report.add_file("E0406", name, reason, hint="headings suffice; leave details out")
        return []
    found = []
    for number, line in enumerate(lines, start=1):
        title = line.strip()
        if title and not title.startswith("#"):
            problem = asked.about(title)
            if problem:
                hint = "a subject is a heading, and no question that an answer has"
                report.add_file("E0403", f"{name}:{number}", problem, hint=hint)
            else:
                found.append(subject(number, title))
    return found


def _read_entry(
    workspace: Path, path: Path, base: Path, report: Report
) -> tuple[Entry, Document] | None:
    needed = "questions, source and owner"
    parted = read_parted(workspace, path.as_posix(), "the answer", needed, report)
    if parted is None:
        return None
    document = parted.document
    settings = check_table(AnswerSettings, document.values, document, (), report)
    _check_body(parted, report)
    if settings is None:
        return None
    id_ = (workspace / path).relative_to(base).with_suffix("").as_posix()
    return settings.entry(id_, parted.body), document


def _check_body(parted: Parted, report: Report) -> None:
    name = parted.document.name
    if not parted.body:
        hint = "write the answer below the second +++, or remove the file"
        report.add_file("E0402", f"{name}:{parted.first_line}", "there is no answer", hint=hint)
    if len(parted.body.encode()) > LONGEST_ANSWER_BYTES:
        reason = f"the answer is longer than {LONGEST_ANSWER_BYTES:,} bytes"
        report.add_file("E0406", f"{name}:{parted.first_line}", reason, hint="link to the rest")
    for number, line in enumerate(parted.body.split("\n"), start=parted.first_line):
        if looks_secret(line):
            report.add_file(
                "E0107",
                f"{name}:{number}",
                "the answer has something in it that looks like a literal secret",
                hint="answers are told to people; write a placeholder such as YOUR_KEY",
            )


class _Asked:
    """The questions of a collection so far; finds those that are asked twice."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._seen: dict[tuple[str, ...], list[tuple[Entry, str]]] = {}

    def about(self, title: str) -> str:
        """Return what is wrong with a subject without an answer; empty for nothing."""
        said = tuple(terms(title))
        if not said or len(title) > LONGEST_QUESTION:
            return f"longer than {LONGEST_QUESTION} characters" if said else "no words in it"
        others = self._seen.get(said)
        return f"the same words as a question of {others[0][1]}" if others else ""

    def check(self, entry: Entry, document: Document) -> None:
        """Note what is wrong with the questions of ``entry``, and remember them."""
        for number, question in enumerate(entry.questions):
            path: KeyPath = ("questions", number)
            said = tuple(terms(question))
            if not said or len(question) > LONGEST_QUESTION:
                reason = f"longer than {LONGEST_QUESTION} characters" if said else "no words in it"
                hint = "ask in a sentence, with the words that people use"
                self._report.add("E0403", document, path, f"a question has {reason}", hint=hint)
                continue
            others = self._seen.setdefault(said, [])
            twin = next((place for other, place in others if _overlap(entry, other)), None)
            if twin is not None:
                reason = f"the question is asked in {twin} already"
                hint = "merge the two, or say in each what is different"
                self._report.add("E0404", document, path, reason, hint=hint)
            others.append((entry, document.place(path)))


def _overlap(one: Entry, other: Entry) -> bool:
    """Tell whether somebody may be told both."""
    tenants: Iterable[str] = set(one.tenants) & set(other.tenants)
    shared = bool(tenants) or not one.tenants or not other.tenants
    return shared and (speaks(one.locale, other.locale) or speaks(other.locale, one.locale))
