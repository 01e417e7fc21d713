"""The table of commands, without the modules behind it."""

import json
import os
import subprocess
import sys

import pytest

from steadyhand import __version__
from steadyhand.cli.main import COMMANDS, run
from tests.support.tree import PACKAGE


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"steadyhand {__version__}\n"


def test_help_lists_every_command_and_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, entry in COMMANDS.items():
        assert f"  {name} " in shown
        assert entry.help in shown
    assert "  124 " in shown


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["reqests"], 2, "did you mean 'requests'"),
        (["zzz"], 2, "see steadyhand --help"),
        (["requests", "lsit"], 2, "did you mean 'list'?"),
        (["requests", "list", "--limit", "0"], 2, "error[usage]"),
        (["requests", "list", "--no-such"], 2, "see steadyhand requests list --help"),
        (["requests", "show"], 2, "missing argument"),
        (["requests", "list", "--url", "ftp://x", "--token-file", "/dev/null"], 4, "is empty"),
        (["explain", "not_fuond"], 3, "did you mean 'not_found'"),
        ([], 2, "Usage: steadyhand"),
        (["requests"], 2, "Usage: steadyhand requests"),
    ],
)
def test_a_wrong_command_line_says_what_was_meant(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    assert run(arguments) == code
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    "form", [["--json"], ["--json=a"], ["--output=json"], ["--output", "json"]]
)
def test_errors_are_json_when_json_was_asked_for(
    capsys: pytest.CaptureFixture[str], form: list[str]
) -> None:
    assert run(["requests", "list", "--limit", "x", *form]) == 2
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "usage"


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_the_top_imports_nothing_that_it_does_not_need(arguments: list[str]) -> None:
    """What makes the start fast is what is left out; times would differ between machines."""
    heavy = ["pydantic", "fastapi", "sqlalchemy", "rich", "http.client", "msgspec", "uvicorn"]
    script = (
        "import sys\nfrom steadyhand.cli.main import run\n"
        f"run({arguments!r})\n"
        f"sys.exit(' '.join(name for name in {heavy!r} if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.strip() == ""
