"""JUnit and SARIF as other tools read them."""

from xml.etree import ElementTree as Xml

from steadyhand.prompts.draft import Finding
from steadyhand.prompts.reports import junit, sarif

ERROR = Finding("P0102", "error", "a", "prompts/a.md", 7, "bad \x00 & <text>", "put it elsewhere")
WARNING = Finding("P0113", "warning", "b", "prompts/b.md", 1, "no route asks with it")
ALLOWED = Finding("P0103", "error", "b", "prompts/b.md", 2, "no owner", "", "it is a demo")


def test_junit_has_a_test_for_each_prompt_and_fails_those_with_errors() -> None:
    suite = Xml.fromstring(junit(["a", "b", "c"], [ERROR, WARNING, ALLOWED], strict=False))  # noqa: S314
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    cases = {case.get("name"): case for case in suite}
    [failure] = cases["a"].findall("failure")
    assert (failure.get("type"), failure.get("message")) == ("P0102", "bad � & <text>")
    assert "prompts/a.md:7" in (failure.text or "")
    assert cases["b"].find("failure") is None
    assert "P0113" in (cases["b"].findtext("system-out") or "")
    assert list(cases["c"]) == []


def test_under_strict_warnings_fail_but_not_what_is_allowed() -> None:
    suite = Xml.fromstring(junit(["b"], [WARNING, ALLOWED], strict=True))  # noqa: S314
    assert [one.get("type") for one in suite.iter("failure")] == ["P0113"]


def test_sarif_names_rules_places_and_what_is_suppressed() -> None:
    titles = {"P0102": ("t", "x"), "P0103": ("u", "y"), "P0113": ("v", "z")}
    log = sarif([ERROR, WARNING, ALLOWED], titles, "1.2.3")
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    driver = run["tool"]["driver"]
    assert (driver["version"], len(driver["rules"])) == ("1.2.3", 3)
    first, second, third = run["results"]
    assert (first["ruleId"], first["level"]) == ("P0102", "error")
    assert driver["rules"][first["ruleIndex"]]["id"] == "P0102"
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "prompts/a.md"
    assert place["region"] == {"startLine": 7}
    assert first["message"]["text"].endswith(". Put it elsewhere")
    assert "suppressions" not in second
    assert third["suppressions"] == [{"kind": "inSource", "justification": "it is a demo"}]
