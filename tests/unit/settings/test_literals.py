import pytest

from steadyhand.settings.document import Report, parse
from steadyhand.settings.literals import find_secrets

SECRET = "hunter2hunter2hunter2"


def problems_of(text: str) -> Report:
    report = Report()
    document = parse("f.toml", text, report)
    assert document is not None
    find_secrets(document, report)
    return report


@pytest.mark.parametrize(
    "line",
    [
        f'api_key = "{SECRET}"',
        f'API-KEY = "{SECRET}"',
        f'client_secret = "{SECRET}"',
        f'db_password = "{SECRET}"',
        f'headers = {{ Authorization = "{SECRET}" }}',
        f'token = ["env:FINE", "{SECRET}"]',
        f'url = "postgresql://me:{SECRET}@db/x"',
        f'note = "use sk-proj-{SECRET} for now"',
        f'x = "Bearer {SECRET}"',
        'x = "AKIAIOSFODNN7EXAMPLE"',
        f'x = "ghp_{SECRET}{SECRET}"',
        f'x = "-----BEGIN RSA PRIVATE KEY-----{SECRET}"',
    ],
)
def test_a_literal_secret_is_found_and_never_shown(line: str) -> None:
    report = problems_of(line)
    [problem] = report.problems
    assert problem.code == "E0107"
    assert "env:" in problem.hint
    shown = problem.text() + str(problem.fields())
    assert SECRET not in shown
    assert "AKIAIOSFODNN7EXAMPLE" not in shown


@pytest.mark.parametrize(
    "line",
    [
        'api_key = "env:OPENAI_API_KEY"',
        'api_key = "file:/run/secrets/openai"',
        'api_key = ""',
        f'hash = "sha256:{"a" * 64}"',
        'tls_key = "tls/server.pem"',
        "max_tokens = 5",
        'text = "reset your password with the token we sent"',
        'url = "https://api.example.com/v1"',
        'model = "risk-assessment-model-large"',
    ],
)
def test_what_is_no_secret_passes(line: str) -> None:
    assert problems_of(line).problems == []


def test_no_later_problem_shows_what_was_hidden() -> None:
    report = Report()
    document = parse("f.toml", f'keys = {{ token = ["{SECRET}"] }}', report)
    assert document is not None
    find_secrets(document, report)
    report.add("E0105", document, ("keys", "token"), "must be a string")
    assert [problem.value for problem in report.problems] == ["(hidden)", "(hidden)"]
