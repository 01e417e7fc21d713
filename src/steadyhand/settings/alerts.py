"""Read ``[alerts]``: who is told."""

from collections.abc import Mapping
from pathlib import Path

from steadyhand.alerting.settings import AlertSettings
from steadyhand.settings import sections
from steadyhand.settings.document import Report, parse
from steadyhand.settings.overrides import overlay
from steadyhand.settings.problems import InvalidWorkspace


def load_alerts(root: Path, environment: Mapping[str, str]) -> AlertSettings:
    """Return the section of a workspace alone, whatever else is wrong with it.

    Raises:
        InvalidWorkspace: It has mistakes, or there is no such file.
    """
    report = Report()
    text = sections.read_main_text(root, report)
    document = None if text is None else parse(sections.FILE, text, report)
    if document is None:
        raise InvalidWorkspace(report.problems)
    document = overlay(document, sections.NAMES, environment, {}, report)
    found = sections.read_section(AlertSettings, "alerts", document, report)
    if found is None or report.problems:
        raise InvalidWorkspace(report.problems)
    return found
