"""What ``prompt lint`` found, in the forms that other tools read. Pure.

JUnit's XML as CI systems read it (one test for each prompt), and SARIF 2.1.0 as code hosts show it
beside the changed lines.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from xml.etree import ElementTree as Xml

from steadyhand.prompts.draft import Finding

SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_HOME: Final = "https://github.com/steadyhand/steadyhand"


def junit(names: Sequence[str], findings: Sequence[Finding], *, strict: bool) -> str:
    """Return JUnit XML: each of ``names`` is a test, each finding that fails it a failure."""
    failing = [one for one in findings if _fails(one, strict=strict)]
    suite = Xml.Element(
        "testsuite",
        name="prompts",
        tests=str(len(names)),
        failures=str(len({one.prompt for one in failing})),
        errors="0",
        skipped="0",
    )
    for name in names:
        case = Xml.SubElement(suite, "testcase", classname="prompts", name=name)
        for one in (one for one in failing if one.prompt == name):
            place = f"{one.path}:{one.line}"
            failure = Xml.SubElement(case, "failure", type=one.code, message=_visible(one.message))
            failure.text = f"{place}: {_visible(one.message)}\n{_visible(one.hint)}"
        others = [one for one in findings if one.prompt == name and one not in failing]
        if others:
            out = Xml.SubElement(case, "system-out")
            out.text = "\n".join(
                f"{one.code} {one.path}:{one.line} {one.message}" for one in others
            )
            out.text = _visible(out.text)
    Xml.indent(suite)
    return Xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def sarif(
    findings: Sequence[Finding], titles: Mapping[str, tuple[str, str]], version: str
) -> dict[str, Any]:
    """Return a SARIF log with one run.

    Args:
        findings: What was found; those that are allowed are marked as suppressed.
        titles: Code → title and explanation of every rule.
        version: Of Steadyhand.
    """
    codes = list(titles)
    rules = [
        {
            "id": code,
            "shortDescription": {"text": title},
            "fullDescription": {"text": text},
            "help": {"text": text},
        }
        for code, (title, text) in titles.items()
    ]
    driver = {
        "name": "steadyhand prompt lint",
        "version": version,
        "informationUri": _HOME,
        "rules": rules,
    }
    results = [_result(one, codes) for one in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(one: Finding, codes: list[str]) -> dict[str, Any]:
    text = f"{one.message}. {one.hint[:1].upper()}{one.hint[1:]}".strip()
    place = {
        "artifactLocation": {"uri": one.path, "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": one.line},
    }
    result: dict[str, Any] = {
        "ruleId": one.code,
        "ruleIndex": codes.index(one.code),
        "level": one.level,
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
    }
    if one.allowed:
        result["suppressions"] = [{"kind": "inSource", "justification": one.allowed}]
    return result


def _fails(one: Finding, *, strict: bool) -> bool:
    return not one.allowed and (strict or one.level == "error")


def _visible(text: str) -> str:
    """Return ``text`` without characters that XML 1.0 cannot hold."""
    return "".join(
        char
        if char in "\t\n\r"
        or "\x20" <= char <= "\ud7ff"
        or "\ue000" <= char <= "\ufffd"
        or char > "\uffff"
        else "�"
        for char in text
    )
