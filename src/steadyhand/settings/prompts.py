"""Read ``prompts/``: each prompt with its translations, partials, tools, schema and passages.

| file | is |
|---|---|
| ``prompts/<name>.md`` | a prompt |
| ``prompts/<name>@<language>.md`` | the same in another language |
| ``prompts/partials/<name>.md`` | a text that prompts include |
| ``tools/<name>.json`` | a tool in OpenAI's form |
| ``schemas/<name>.json`` | the JSON schema of an answer |
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from steadyhand.prompts.model import Prompt, Template, Text, Variable
from steadyhand.prompts.parsed import MAX_BYTES, Parsed, Partial, is_template, plain
from steadyhand.prompts.settings import (
    PartialSettings,
    PromptSettings,
    SampleSettings,
    TranslationSettings,
)
from steadyhand.prompts.values import example_of, mistake
from steadyhand.settings.corpora import Corpora
from steadyhand.settings.document import Document, Report
from steadyhand.settings.front_matter import Parted, read_parted
from steadyhand.settings.problems import nearest
from steadyhand.settings.prompt_parts import read_output, read_tools
from steadyhand.settings.validation import check_name, check_table

FOLDER: Final = "prompts"
PARTIALS: Final = "prompts/partials"
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A prompt and the files that it is made of.

    Attributes:
        prompt: As requests meet it.
        settings: Its front matter.
        document: The front matter with the lines of its keys.
        body: Its text, as written.
        first_line: Line where the text begins.
        used: Variables that its text uses.
        locale_uses: Language → variables that the translation uses.
        files: Paths of all files that it is made of but corpora, in order.
        corpus: That it pins sections of, or empty.
        passages: Their ids.
    """

    prompt: Prompt
    settings: PromptSettings
    document: Document
    body: str
    first_line: int
    used: frozenset[str]
    locale_uses: Mapping[str, frozenset[str]]
    files: tuple[str, ...]
    corpus: str = ""
    passages: tuple[str, ...] = ()


def prompt_names(root: Path) -> list[str]:
    """Return the names of the prompts in the workspace ``root``, broken ones included."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.md") if "@" not in path.stem)


def read_prompts(root: Path, report: Report) -> dict[str, PromptFile]:
    """Return name → prompt of the workspace ``root``; what is wrong goes to ``report``."""
    reader = _PromptReader(root, report)
    names = prompt_names(root)
    for path in sorted((root / FOLDER).glob("*@*.md")):
        _check_translation(path.stem, names, report)
    found = {name: reader.read(name) for name in names}
    return {name: prompt for name, prompt in found.items() if prompt is not None}


def _check_translation(stem: str, names: list[str], report: Report) -> None:
    name, _, language = stem.partition("@")
    file = f"{FOLDER}/{stem}.md"
    if name not in names:
        report.add_file(
            "E0506",
            file,
            f"it translates {name!r}, which is no prompt",
            hint=f"add {FOLDER}/{name}.md",
        )
    if not _LANGUAGE.fullmatch(language):
        report.add_file(
            "E0506", file, f"{language[:63]!r} is no language tag in lower case", hint="de, pt-br"
        )


class _PromptReader:
    """Reads every partial and corpus once."""

    def __init__(self, root: Path, report: Report) -> None:
        self._root = root
        self._report = report
        self._corpora = Corpora(root, report)
        self._partials: dict[str, Partial | None] = {}

    def read(self, name: str) -> PromptFile | None:
        """Return the prompt ``name``; ``None`` if its front matter cannot be used."""
        file = f"{FOLDER}/{name}.md"
        check_name(name, "prompt", Document(file, {}, {}), (), self._report)
        parted = self._parted(file, "the prompt", "description and owner")
        if parted is None:
            return None
        document = parted.document
        settings = check_table(PromptSettings, document.values, document, (), self._report)
        if settings is None:
            return None
        variables = {key: one.variable() for key, one in settings.variables.items()}
        parsed = self._parse(parted, variables, file)
        pinned = self._corpora.pinned(settings.corpus, settings.passages, document)
        passages = "\n\n".join(f"## [{one.id}] {one.title}\n\n{one.text.strip()}" for one in pinned)
        locales: dict[str, tuple[Template, ...]] = {}
        uses, files = {}, {file, *parsed.partials}
        for language, translated in self._translations(name, variables):
            locales[language] = _with_passages(translated.templates, passages)
            uses[language] = frozenset(translated.used)
            files |= {f"{FOLDER}/{name}@{language}.md", *translated.partials}
        tools = read_tools(self._root, settings.tools, document, self._report)
        output = read_output(self._root, settings.output_schema, document, self._report)
        prompt = Prompt(
            name=name,
            messages=_with_passages(parsed.templates, passages),
            locales=locales,
            variables=variables,
            parameters=_parameters(settings),
            tools=tuple(tools.values()),
            output=output,
            example=self._example(settings.samples, variables, document),
        )
        files |= {*tools, *([f"schemas/{settings.output_schema}.json"] if output else [])}
        return PromptFile(
            prompt,
            settings,
            document,
            parted.body,
            parted.first_line,
            frozenset(parsed.used),
            uses,
            tuple(sorted(files)),
            settings.corpus or "",
            tuple(one.id for one in pinned),
        )

    def _parted(self, file: str, what: str, needed: str) -> Parted | None:
        try:
            size = (self._root / file).stat().st_size
        except OSError:
            size = 0
        if size > MAX_BYTES:
            self._report.add_file(
                "E0501", file, f"it has {size:,} bytes, and {MAX_BYTES:,} are allowed"
            )
            return None
        return read_parted(self._root, file, what, needed, self._report)

    def _translations(
        self, name: str, variables: Mapping[str, Variable]
    ) -> list[tuple[str, Parsed]]:
        found = []
        for path in sorted((self._root / FOLDER).glob(f"{name}@*.md")):
            file = f"{FOLDER}/{path.name}"
            parted = self._parted(file, "the translation", "owner")
            if parted is None:
                continue
            document = parted.document
            check_table(TranslationSettings, document.values, document, (), self._report)
            found.append((path.stem.partition("@")[2], self._parse(parted, variables, file)))
        return found

    def _parse(self, parted: Parted, variables: Mapping[str, Variable], file: str) -> Parsed:
        if not is_template(parted.body):
            return plain(parted.body)
        # Only here: plain prompts, which most are, need not wait for the import of a parser.
        from steadyhand.prompts.parsing import parse  # noqa: PLC0415

        parsed = parse(parted.body, variables, self._partial, first_line=parted.first_line)
        for one in parsed.mistakes:
            hint = f"did you mean {one.nearest!r}?" if one.nearest else one.hint
            self._report.add_file(one.code, f"{one.file or file}:{one.line}", one.reason, hint=hint)
        return parsed

    def _partial(self, name: str) -> Partial | None:
        if name not in self._partials:
            self._partials[name] = self._read_partial(name)
        return self._partials[name]

    def _read_partial(self, name: str) -> Partial | None:
        file = f"{PARTIALS}/{name}.md"
        is_name = re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", name) is not None
        if not is_name or not (self._root / file).is_file():
            return None
        parted = self._parted(file, "the partial", "description and owner")
        if parted is None:
            return file, "", 1
        check_table(PartialSettings, parted.document.values, parted.document, (), self._report)
        return file, parted.body, parted.first_line

    def _example(
        self,
        samples: tuple[SampleSettings, ...],
        variables: Mapping[str, Variable],
        document: Document,
    ) -> dict[str, Any]:
        """Return values to try the prompt with: of its first sample, else made up."""
        for index, sample in enumerate(samples):
            self._check_sample(sample, variables, document, index)
        given = samples[0].variables if samples else {}
        return {
            name: given[name] if name in given else example_of(variable)
            for name, variable in variables.items()
        }

    def _check_sample(
        self,
        sample: SampleSettings,
        variables: Mapping[str, Variable],
        document: Document,
        index: int,
    ) -> None:
        place = ("samples", index, "variables")
        for name, value in sample.variables.items():
            wrong = "is not a variable of this prompt"
            if name in variables:
                wrong = mistake(variables[name], value)
            if wrong:
                near = None if name in variables else nearest(name, variables)
                reason = f"variable {name!r} {wrong}"
                self._report.add("E0504", document, (*place, name), reason, nearest=near)
        for name, variable in variables.items():
            if variable.is_required and name not in sample.variables:
                reason = f"sample {sample.name!r} does not give the variable {name!r}"
                self._report.add("E0504", document, (*place, name), reason)


def _parameters(settings: PromptSettings) -> dict[str, msgspec.Raw]:
    given = settings.parameters.model_dump(exclude_none=True)
    return {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in given.items()}


def _with_passages(templates: tuple[Template, ...], passages: str) -> tuple[Template, ...]:
    """Return ``templates`` with ``passages`` below the first message of the system."""
    if not passages:
        return templates
    for at, template in enumerate(templates):
        if template.role == "system":
            parts = (*template.parts, Text("\n\n"), Text(passages, "knowledge"))
            return (*templates[:at], Template("system", parts), *templates[at + 1 :])
    return (Template("system", (Text(passages, "knowledge"),)), *templates)
