"""Run by `.venv-deploy`'s Python: Helm's engine renders a chart, Kubernetes' schemas judge it.

Reads ``{"chart", "cases": {name: values}, "objects": [...], "versions": [...]}`` from standard
input and writes, for each case, the rendered objects, what each version's strict schemas say of
them, Helm's refusal; under ``findings`` what they say of ``objects``, which no chart has made.
"""

import json
import sys
from typing import Any

import helm_python
import kubernetes_validate
import yaml


def judged(rendered: list[dict[str, Any]], versions: list[str]) -> list[str]:
    """Return what the strict schemas of each version find wrong, by object."""
    found = []
    for one in rendered:
        for version in versions:
            try:
                kubernetes_validate.validate(one, version, strict=True)
            except kubernetes_validate.SchemaNotFoundError:
                found.append(f"{version}: no schema for {one['kind']}")
            except kubernetes_validate.ValidationError as error:
                place = ".".join(map(str, error.path))
                found.append(f"{version}: {one['kind']} {place}: {error.message}")
    return found


def case(chart: Any, values: dict[str, Any], versions: list[str]) -> dict[str, Any]:
    """Render one set of values."""
    try:
        files = chart.render(values, name="test", namespace="models")
    except helm_python.HelmError as error:
        return {"refused": str(error), "objects": [], "findings": [], "notes": ""}
    texts = [text for name, text in sorted(files.items()) if name.endswith(".yaml")]
    objects = [one for text in texts for one in yaml.safe_load_all(text) if one]
    return {
        "refused": "",
        "objects": objects,
        "findings": judged(objects, versions),
        "notes": "".join(text for name, text in files.items() if name.endswith("NOTES.txt")),
    }


def main() -> None:
    """Answer one question."""
    asked = json.load(sys.stdin)
    with helm_python.Chart.load(asked["chart"]) as chart:
        cases = {
            name: case(chart, values, asked["versions"]) for name, values in asked["cases"].items()
        }
    answer = {
        "cases": cases,
        "findings": judged(asked["objects"], asked["versions"]),
        "lint": helm_python.lint(asked["chart"], strict=True),
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
