"""The checks of ``prompt lint``, one for each rule; each yields its findings. Pure."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from steadyhand.core.errors import SteadyhandError
from steadyhand.core.secrets import looks_secret
from steadyhand.prompts.draft import Draft, Sample
from steadyhand.prompts.model import Each, Message, Part, Say, Text, When
from steadyhand.prompts.rendering import Prepared
from steadyhand.prompts.tokens import estimated
from steadyhand.prompts.values import checked

_NO_OWNER: Final = re.compile(
    r"\W*(todo|tbd|fixme|nobody|none|unknown|somebody|n/?a|me|us)?\W*", re.I
)
_PINNED: Final = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}|\d{6}\b|-\d{3,4}$|-\d{4}-|@|:")
_MOVES: Final = re.compile(r"latest|preview$", re.I)
_ALIASING: Final = frozenset({"openai"})
_OTHER_FORM: Final = re.compile(
    r"\b(?:answer|reply|respond|write|output)\b[^.\n]{0,40}\b(?:in|as|with|using)\s+(?:a\s+|one\s+)?"
    r"(?:plain text|prose|markdown|bullet points?|bullets|sentences?|xml|yaml|html|table)\b"
    r"|\b(?:do not|don't|never)\b[^.\n]{0,30}\bjson\b",
    re.I,
)
_WANTS_JSON: Final = re.compile(r"\b(?:only|valid|as|in|return|output)\s+(?:a\s+)?json\b", re.I)
_KEY: Final = re.compile(
    r'"(\w+)"\s*:|(?:field|key|property)\s+[`"\'](\w+)[`"\']|[`"\'](\w+)[`"\']\s+(?:field|key|property)'
)


Found = Iterator[tuple[int, str, str]]
"""Line, message, hint."""


def unused_variables(draft: Draft) -> Found:
    """Find variables that are declared and not used."""
    for name in sorted(draft.prompt.variables.keys() - draft.used):
        line = draft.line_of(f"variables.{name}")
        yield line, f"variable {name!r} is declared and not used", "use it or remove it"


def untrusted_in_system(draft: Draft) -> Found:
    """Find untrusted text in messages of the system."""
    variables = draft.prompt.variables
    languages = {"": draft.prompt.messages, **draft.prompt.locales}
    said: dict[str, str] = {}
    for language, templates in languages.items():
        for template in templates:
            if template.role == "system":
                said |= {name: language for name in _said(template.parts) if name not in said}
    for name in sorted(said):
        if variables[name].trust == "untrusted":
            where = f" (in {said[name]})" if said[name] else ""
            origin = variables[name].origin
            message = f"untrusted text of {origin} {name!r} stands in a system message{where}"
            yield (
                _line_of_name(draft, name),
                message,
                'put it below {% role "user" %}, or say why in [allow]',
            )


def _said(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Say):
            yield from part.names
        elif isinstance(part, When):
            yield from _said((*part.then, *part.otherwise))
        elif isinstance(part, Each):
            yield from _said((*part.parts, *part.otherwise))


def _line_of_name(draft: Draft, name: str) -> int:
    match = re.search(rf"\{{[{{%][^}}%]*\b{re.escape(name)}\b", draft.body)
    return draft.line_of(f"@{match.start()}" if match else f"variables.{name}")


def missing_owner(draft: Draft) -> Found:
    """Find an owner that is none."""
    if _NO_OWNER.fullmatch(draft.owner):
        message = f"{draft.owner!r} answers for nothing"
        yield draft.line_of("owner"), message, "name a person or a team"


def unpinned_models(draft: Draft) -> Found:
    """Find models that are asked by a name that may come to mean another."""
    for name in sorted({one.model for one in draft.asked if one.provider in _ALIASING}):
        if _MOVES.search(name) or not _PINNED.search(name):
            routes = ", ".join(sorted({one.route for one in draft.asked if one.model == name}))
            message = f"route {routes} asks {name!r}, which its provider may change at any time"
            yield draft.line_of("owner"), message, "name a dated version of the model"


def secrets(draft: Draft) -> Found:
    """Find lines that look like they hold a secret."""
    for number, text in enumerate(draft.body.split("\n")):
        if looks_secret(text):
            at = sum(len(one) + 1 for one in draft.body.split("\n")[:number])
            yield draft.line_of(f"@{at}"), "the text looks like it holds a secret", "take it out"


def contradictions(draft: Draft) -> Found:
    """Find sentences that contradict the schema of the answer."""
    if draft.schema is None:
        return
    text = _authored(draft)
    for match in _OTHER_FORM.finditer(text):
        message = f"{match[0][:60]!r} contradicts the schema, which wants JSON"
        yield _line_of_text(draft, match[0]), message, "remove the sentence or the schema"
    known = set(_properties(draft.schema))
    for match in _KEY.finditer(text):
        key = next(filter(None, match.groups()))
        if key not in known:
            message = f"the text speaks of a field {key!r}, which the schema does not have"
            yield _line_of_text(draft, match[0]), message, f"fields are {', '.join(sorted(known))}"


def _properties(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for value in schema.values():
            yield from _properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _properties(value)


def unenforced_json(draft: Draft) -> Found:
    """Find a wish for JSON without a schema."""
    match = _WANTS_JSON.search(_authored(draft))
    if draft.schema is None and match is not None:
        message = f"{match[0]!r} is asked for, and no schema enforces it"
        yield _line_of_text(draft, match[0]), message, "add output_schema"


def _authored(draft: Draft) -> str:
    """Return the author's own text, without what pins and values put in."""
    found: list[str] = []

    def walk(parts: Sequence[Part]) -> None:
        for part in parts:
            if isinstance(part, Text) and part.origin == "author":
                found.append(part.text)
            elif isinstance(part, When):
                walk((*part.then, *part.otherwise))
            elif isinstance(part, Each):
                walk((*part.parts, *part.otherwise))

    for template in draft.prompt.messages:
        walk(template.parts)
    return "\n".join(found)


def _line_of_text(draft: Draft, text: str) -> int:
    at = draft.body.find(text)
    return draft.line_of(f"@{max(at, 0)}")


def rendered(draft: Draft, sample: Sample) -> tuple[Message, ...]:
    """Return the messages of ``draft`` with the values of ``sample``.

    Raises:
        SteadyhandError: A value does not fit, or the result is too long.
    """
    values = checked(draft.prompt.variables, sample.values)
    return Prepared(draft.prompt).renderer(sample.locale).messages(values)


def samples_of(draft: Draft) -> tuple[Sample, ...]:
    """Return the samples, or one that is made up."""
    return draft.samples or (Sample("made up", draft.prompt.example),)


def over_budget(draft: Draft) -> Found:
    """Find the first sample with which the prompt has too many tokens."""
    if not draft.budget_tokens:
        return
    for sample in samples_of(draft):
        try:
            has = sum(estimated(message.text) for message in rendered(draft, sample))
        except SteadyhandError:
            continue  # the rule on samples says so
        if has > draft.budget_tokens:
            message = f"with sample {sample.name!r} it has about {has:,} tokens"
            yield draft.line_of("budget_tokens"), message, f"{draft.budget_tokens:,} are allowed"
            return


def missing_samples(draft: Draft) -> Found:
    """Find that variables have no sample."""
    if draft.prompt.variables and not draft.samples:
        yield draft.line_of("variables"), "it has variables and no sample", "add [[samples]]"


def failing_samples(draft: Draft) -> Found:
    """Find samples that cannot be rendered, or do not become what they should."""
    for index, sample in enumerate(draft.samples):
        line = draft.line_of(f"samples.{index}")
        try:
            text = "\n".join(message.text for message in rendered(draft, sample))
        except SteadyhandError as error:
            yield line, f"sample {sample.name!r} cannot be rendered: {error.message}", error.hint
            continue
        for wanted in sample.contains:
            if wanted not in text:
                yield line, f"sample {sample.name!r} lacks {wanted[:60]!r}", "see prompt render"
        for unwanted in sample.lacks:
            if unwanted in text:
                message = f"sample {sample.name!r} must not contain {unwanted[:60]!r}"
                yield line, message, "see prompt render"


def unlike_translations(draft: Draft) -> Found:
    """Find translations that use other variables."""
    for language, used in sorted(draft.locale_uses.items()):
        lost, more = sorted(draft.used - used), sorted(used - draft.used)
        if lost:
            yield 1, f"the translation into {language} does not use {', '.join(lost)}", "use them"
        if more:
            message = f"only the translation into {language} uses {', '.join(more)}"
            yield 1, message, "use them in both, or in neither"


def other_models(draft: Draft) -> Found:
    """Find routes that ask another model than the text was written for."""
    for one in draft.asked:
        if draft.model and one.model != draft.model:
            message = (
                f"it was written for {draft.model!r}, and route {one.route} asks {one.model!r}"
            )
            yield draft.line_of("model"), message, "try it there, then change the key model"


def unasked(draft: Draft) -> Found:
    """Find that no route asks with it."""
    if not draft.asked:
        yield 1, "no route asks a model with it", "name it in a route, or remove the file"
