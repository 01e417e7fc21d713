"""What the prompts of a release become with their samples."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from steadyhand.core.errors import SteadyhandError
from steadyhand.prompts.draft import Preview, Sample
from steadyhand.prompts.rendering import Prepared
from steadyhand.prompts.values import checked
from steadyhand.settings.document import Report
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.settings.prompts import PromptFile, read_prompts


class ReleaseUnreadable(SteadyhandError):
    """The prompts of a release cannot be read, so nothing can be shown of them."""

    code, status = "release_unreadable", 409


def previews(files: Mapping[str, bytes]) -> list[Preview]:
    """Return what the prompts among ``files`` (path → content) become.

    Raises:
        ReleaseUnreadable: A prompt cannot be read.
    """
    wanted = ("prompts/", "tools/", "schemas/", "knowledge/")
    with tempfile.TemporaryDirectory(prefix="steadyhand-preview-") as folder:
        root = Path(folder)
        for path, content in files.items():
            if path.startswith(wanted):
                place = root / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
        report = Report()
        found = read_prompts(root, report)
    if report.problems:
        error = InvalidWorkspace(report.problems)
        raise ReleaseUnreadable(error.message, hint="steadyhand release lint says it all")
    return [one for name in sorted(found) for one in previews_of(found[name])]


def previews_of(found: PromptFile) -> list[Preview]:
    """Return what one prompt becomes with each of its samples, and in each language."""
    samples = [Sample(one.name, one.variables, one.locale) for one in found.settings.samples]
    samples = samples or [Sample("made up", found.prompt.example)]
    seen = {sample.locale for sample in samples}
    samples += [
        samples[0]._replace(locale=language)
        for language in sorted(found.prompt.locales)
        if language not in seen
    ]
    return [preview(found, sample) for sample in samples]


def preview(found: PromptFile, sample: Sample) -> Preview:
    """Return what a prompt becomes with one sample."""
    prompt = found.prompt
    try:
        values = checked(prompt.variables, sample.values)
        messages = Prepared(prompt).renderer(sample.locale).messages(values)
    except SteadyhandError as error:
        return Preview(prompt.name, sample.name, sample.locale, (), error.message)
    return Preview(prompt.name, sample.name, sample.locale, messages)
