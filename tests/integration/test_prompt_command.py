"""``steadyhand prompt``: what it prints, writes and returns."""

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from steadyhand.cli.main import run
from steadyhand.settings.scaffold import write_workspace
from tests.support.workspaces import FILES, write

FRONT = '+++\ndescription = "asks"\nowner = "support"\n[variables.said]\norigin = "user"\n'
SAMPLE = '[[samples]]\nname = "short"\nvariables = { said = "Why?" }\ncontains = ["Why?"]\n'
GOOD = f'{FRONT}{SAMPLE}+++\nHelp.\n{{% role "user" %}}\nAsked: {{{{ said }}}}\n'
BAD = f"{FRONT}{SAMPLE}+++\nHelp with {{{{ said }}}}.\n"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    return write(tmp_path / "house", {"prompts/ask.md": GOOD})


def prompt(house: Path, *arguments: str) -> int:
    return run(["prompt", *arguments, "--workspace", str(house)])


def test_the_demo_has_nothing_to_complain_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_workspace(tmp_path / "demo", overwrite=False)
    assert prompt(tmp_path / "demo", "lint", "--strict") == 0
    assert "1 prompt: 0 errors, 0 warnings" in capsys.readouterr().err


def test_list_names_variables_routes_and_size(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prompt(house, "list", "--json") == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["prompt"], row["variables"], row["routes"], row["tokens"]) == (
        "ask",
        ["said"],
        ["ask"],
        5,
    )


def test_an_empty_workspace_says_how_to_begin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    route = FILES["routes/ask.toml"].replace('prompt = "ask"\n', "")
    write(tmp_path, {"prompts/ask.md": None, "routes/ask.toml": route})
    assert prompt(tmp_path, "list") == 0
    assert "add prompts/NAME.md" in capsys.readouterr().err


def test_lint_fails_with_place_and_hint_and_reports(
    house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (house / "prompts" / "ask.md").write_text(BAD)
    junit, sarif = tmp_path / "lint.xml", tmp_path / "lint.sarif"
    assert prompt(house, "lint", "--junit", str(junit), "--sarif", str(sarif)) == 1
    printed = capsys.readouterr()
    assert "P0102\tprompts/ask.md:11\tuntrusted text of user 'said'" in printed.out
    assert "1 prompt: 1 error, 0 warnings" in printed.err
    suite = Xml.parse(junit).getroot()  # noqa: S314
    assert suite is not None
    assert suite.get("failures") == "1"
    [result] = json.loads(sarif.read_text())["runs"][0]["results"]
    assert result["ruleId"] == "P0102"


def test_lint_reports_what_keeps_a_prompt_from_being_served(
    house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (house / "prompts" / "ask.md").write_text(GOOD.replace("{{ said", "{{ sad"))
    junit = tmp_path / "lint.xml"
    assert prompt(house, "lint", "--json", "--junit", str(junit)) == 1
    [found] = json.loads(capsys.readouterr().out)
    assert (found["code"], found["line"], found["hint"]) == ("E0502", 13, "did you mean 'said'?")
    assert "E0502" in junit.read_text()


def test_what_is_allowed_is_shown_in_json_only(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    allowed = BAD.replace("[variables", 'allow = { P0102 = "our own shops" }\n[variables')
    (house / "prompts" / "ask.md").write_text(allowed)
    assert prompt(house, "lint", "ask") == 0
    printed = capsys.readouterr()
    assert "P0102" not in printed.out
    assert "1 allowed" in printed.err
    assert prompt(house, "lint", "--json") == 0
    [found] = json.loads(capsys.readouterr().out)
    assert found["allowed"] == "our own shops"


def test_a_prompt_that_is_not_there_is_told_with_the_nearest(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prompt(house, "lint", "aks") == 3
    assert "did you mean 'ask'?" in capsys.readouterr().err
    assert prompt(house, "render", "nobody") == 3
    assert "prompts are ask" in capsys.readouterr().err


def test_render_shows_the_messages(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prompt(house, "render", "ask") == 0
    assert capsys.readouterr().out == "[system]\nHelp.\n\n[user]\nAsked: Why?\n\n"


def test_render_shows_where_each_piece_is_from(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prompt(house, "render", "ask", "--sample", "short", "--labels", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["role"], row["origin"], row["trust"]) for row in rows] == [
        ("system", "author", "trusted"),
        ("user", "author", "trusted"),
        ("user", "user", "untrusted"),
    ]


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        ('{"said": "So?"}', 0, "Asked: So?"),
        ('{"said": 3}', 2, "variable 'said' must be text"),
        ("{}", 2, "needs the variable 'said'"),
        ("[]", 2, "is no JSON object"),
        ("{", 2, "cannot be read"),
    ],
)
def test_render_takes_values_from_a_file(
    house: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str,
    code: int,
    told: str,
) -> None:
    values = tmp_path / "values.json"
    values.write_text(content)
    assert prompt(house, "render", "ask", "--values", str(values)) == code
    printed = capsys.readouterr()
    assert told in printed.out + printed.err


def test_render_of_a_sample_that_is_not_there_names_the_others(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prompt(house, "render", "ask", "--sample", "shrt") == 3
    assert "did you mean 'short'?" in capsys.readouterr().err


def test_render_makes_values_up_and_speaks_a_language(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (house / "prompts" / "ask.md").write_text(GOOD.replace(SAMPLE, ""))
    (house / "prompts" / "ask@de.md").write_text('+++\nowner = "us"\n+++\nHilf: {{ said }}\n')
    assert prompt(house, "render", "ask", "--locale", "de-AT") == 0
    assert capsys.readouterr().out == "[system]\nHilf: example\n\n"


def test_a_folder_is_imported_and_nothing_is_replaced_unasked(
    house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "ask.txt").write_text("Answer {{Question}}.")
    (old / "more.md").write_text("Be brief.")
    (old / "picture.png").write_bytes(b"\x89")
    wanted = ("import", str(old), "--owner", "team")
    assert prompt(house, *wanted) == 6
    assert "prompts/ask.md is there already" in capsys.readouterr().err
    assert (house / "prompts" / "ask.md").read_text() == GOOD
    assert not (house / "prompts" / "more.md").exists()
    assert prompt(house, *wanted, "--force", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["path"] for row in rows] == ["prompts/ask.md", "prompts/more.md"]
    assert rows[0]["notes"] == ["variable 'Question' is now called 'question'"]
    assert prompt(house, "lint", "ask") == 1
    assert "P0102" in capsys.readouterr().out


def test_exports_are_imported(house: Path, tmp_path: Path) -> None:
    export = tmp_path / "export.json"
    export.write_text(json.dumps({"name": "critic", "prompt": "Judge {{film}}.", "version": 2}))
    assert prompt(house, "import", str(export), "--from", "langfuse", "--owner", "o") == 0
    export.write_text(json.dumps({"name": "summary", "template": "Sum up {{text}}.", "version": 1}))
    assert prompt(house, "import", str(export), "--from", "mlflow", "--owner", "o") == 0
    assert prompt(house, "render", "critic") == 0
    assert prompt(house, "render", "summary") == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--from", "langfuze"), "did you mean 'langfuse'?"),
        (("--placeholders", "triple"), "--placeholders is 'triple'"),
        ((), "has no file that ends in .txt"),
        (("--from", "mlflow"), "cannot be read"),
    ],
)
def test_what_cannot_be_imported_is_told(
    house: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    told: str,
) -> None:
    assert prompt(house, "import", str(tmp_path), "--owner", "o", *arguments) == 2
    assert told in capsys.readouterr().err


def test_two_texts_of_one_name_and_texts_that_are_none_are_refused(
    house: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "a.txt").write_text("one")
    (old / "A.md").write_text("two")
    assert prompt(house, "import", str(old), "--owner", "o") == 2
    assert "two of them would be called 'a'" in capsys.readouterr().err
    (old / "A.md").write_bytes(b"\xff")
    assert prompt(house, "import", str(old), "--owner", "o") == 2
    assert "is not UTF-8 at byte 0" in capsys.readouterr().err
    (old / "A.md").write_text("x" * 200_000)
    assert prompt(house, "import", str(old), "--owner", "o") == 2
    assert "is longer than 131,072 bytes" in capsys.readouterr().err
