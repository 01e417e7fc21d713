"""Prompts as files: each mistake is found and placed, and what is right is served."""

from pathlib import Path

import pytest

from steadyhand.prompts.model import Text
from steadyhand.settings.load import load
from steadyhand.settings.problems import InvalidWorkspace, Problem
from steadyhand.settings.release import collect, read
from tests.support.workspaces import FILES, write

ROUTE = FILES["routes/ask.toml"]
HEAD = '+++\ndescription = "asks"\nowner = "us"\n'
VARIABLE = '[variables.a]\norigin = "user"\n'
PARTIAL = "prompts/partials/tone.md"
TOOL = '{"name": "look", "description": "looks", "parameters": {"type": "object"}}'
SCHEMA = '{"type": "object", "properties": {"a": {"type": "string"}}}'
OWN = ROUTE.replace('model = "steady"', 'model = "steady"\nprompt = "own"')


def problems_of(root: Path) -> list[Problem]:
    with pytest.raises(InvalidWorkspace) as caught:
        load(root, {}, {})
    return list(caught.value.problems)


def prompt(more: str = "", text: str = "Be kind.") -> str:
    return f"{HEAD}{more}+++\n{text}\n"


# code, files, place, part of the reason
MISTAKES: list[tuple[str, dict[str, str], str, str]] = [
    ("E0501", {"prompts/ask.md": prompt(text="{{ 1 + 1 }}")}, "prompts/ask.md:5", "Add"),
    ("E0501", {"prompts/ask.md": prompt(text="x" * 131_072)}, "prompts/ask.md", "131,072"),
    ("E0502", {"prompts/ask.md": prompt(VARIABLE, "\n{{ b }}")}, "prompts/ask.md:8", "'b'"),
    (
        "E0502",
        {"prompts/ask@de.md": '+++\nowner = "us"\n+++\n\n{{ b }}\n'},
        "prompts/ask@de.md:5",
        "'b'",
    ),
    (
        "E0503",
        {"prompts/ask.md": prompt(text="{% include 'tone' %}")},
        "prompts/ask.md:5",
        "'tone'",
    ),
    (
        "E0503",
        {"prompts/ask.md": prompt(text="{% include '../ask' %}")},
        "prompts/ask.md:5",
        "'../ask'",
    ),
    (
        "E0503",
        {
            "prompts/ask.md": prompt(text="{% include 'tone' %}"),
            PARTIAL: prompt(text="{% include 'tone' %}"),
        },
        f"{PARTIAL}:5",
        "more than 5 deep",
    ),
    (
        "E0106",
        {
            "prompts/ask.md": prompt(text="{% include 'tone' %}"),
            PARTIAL: '+++\nowner = "us"\n+++\nx\n',
        },
        PARTIAL,
        "",
    ),
    (
        "E0311",
        {"prompts/ask.md": prompt(text="{% include 'tone' %}"), PARTIAL: "no front\n"},
        f"{PARTIAL}:1",
        "no front matter",
    ),
    (
        "E0504",
        {"prompts/ask.md": prompt(f'{VARIABLE}[[samples]]\nname = "s"\n')},
        "prompts/ask.md:6",
        "'a'",
    ),
    (
        "E0504",
        {"prompts/ask.md": prompt(f'{VARIABLE}[[samples]]\nname = "s"\nvariables = {{ a = 3 }}\n')},
        "prompts/ask.md:8",
        "must be text",
    ),
    (
        "E0504",
        {"prompts/ask.md": prompt('[[samples]]\nname = "s"\nvariables = { a = "x" }\n')},
        "prompts/ask.md:6",
        "not a variable",
    ),
    ("E0505", {"prompts/ask.md": prompt('tools = ["look"]\n')}, "prompts/ask.md:4", "look.json"),
    ("E0505", {"prompts/ask.md": prompt('tools = ["../keys"]\n')}, "prompts/ask.md:4", "../keys"),
    (
        "E0505",
        {"prompts/ask.md": prompt('tools = ["look"]\n'), "tools/look.json": "["},
        "tools/look.json:1",
        "not a JSON object",
    ),
    (
        "E0505",
        {"prompts/ask.md": prompt('tools = ["look"]\n'), "tools/look.json": '{"name": "x"}'},
        "tools/look.json:1",
        "a name, that of its file",
    ),
    (
        "E0505",
        {
            "prompts/ask.md": prompt('tools = ["look"]\n'),
            "tools/look.json": TOOL.replace('"object"', '"thing"'),
        },
        "tools/look.json:1",
        "no JSON schema at",
    ),
    (
        "E0505",
        {"prompts/ask.md": prompt('output_schema = "a"\n'), "schemas/a.json": '{"type": 3}'},
        "schemas/a.json:1",
        "no JSON schema at type",
    ),
    ("E0505", {"prompts/ask.md": prompt('output_schema = "a"\n')}, "prompts/ask.md:4", "a.json"),
    ("E0506", {"prompts/aks@de.md": '+++\nowner = "us"\n+++\nx\n'}, "prompts/aks@de.md", "'aks'"),
    ("E0506", {"prompts/ask@DE.md": '+++\nowner = "us"\n+++\nx\n'}, "prompts/ask@DE.md", "'DE'"),
    (
        "E0507",
        {
            "routes/ask.toml": OWN,
            "prompts/ask.md": prompt(VARIABLE),
            "prompts/own.md": prompt(VARIABLE.replace("user", "tool")),
        },
        "routes/ask.toml",
        "differently",
    ),
    (
        "E0507",
        {
            "routes/ask.toml": OWN,
            "prompts/own.md": prompt('tools = ["look"]\n'),
            "tools/look.json": TOOL,
        },
        "routes/ask.toml",
        "tools or a schema",
    ),
    (
        "E0107",
        {"prompts/ask.md": prompt('metadata = { token = "abc" }\n')},
        "prompts/ask.md:4",
        "secret",
    ),
    (
        "E0104",
        {"prompts/ask@de.md": '+++\nowner = "us"\nmodel = "x"\n+++\nx\n'},
        "prompts/ask@de.md:3",
        "",
    ),
]


@pytest.mark.parametrize(("code", "files", "place", "reason"), MISTAKES)
def test_a_mistake_is_found_and_placed(
    tmp_path: Path, code: str, files: dict[str, str], place: str, reason: str
) -> None:
    [problem] = problems_of(write(tmp_path, dict(files)))
    assert (problem.code, problem.path) == (code, place)
    assert reason in problem.reason


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"prompts/ask@de.md": ""})
    (tmp_path / "prompts" / "ask@de.md").write_bytes(b"+++\n\xff\n+++\n")
    [problem] = problems_of(tmp_path)
    assert (problem.code, problem.path) == ("E0102", "prompts/ask@de.md")


def whole(root: Path) -> Path:
    """Write a workspace whose prompt has one of everything."""
    front = (
        'corpus = "tiny"\npassages = ["one"]\ntools = ["look"]\noutput_schema = "a"\n'
        f"[parameters]\ntemperature = 0\n{VARIABLE}"
        '[[samples]]\nname = "s"\nvariables = { a = "x" }\n'
    )
    text = "{% include 'tone' %}\n{% role 'user' %}\n{{ a }}"
    return write(
        root,
        {
            "prompts/ask.md": prompt(front, text),
            "prompts/ask@de.md": '+++\nowner = "us"\n+++\nSei nett.\n{% role "user" %}\n{{ a }}\n',
            PARTIAL: prompt(),
            "tools/look.json": TOOL,
            "schemas/a.json": SCHEMA,
        },
    )


def test_a_prompt_of_many_files_is_one(tmp_path: Path) -> None:
    settings = load(whole(tmp_path), {}, {})
    found = settings.prompts["ask"]
    system, user = found.prompt.messages
    passage = "## [one] One\n\nThe first."
    assert system.parts == (Text("Be kind."), Text("\n\n"), Text(passage, "knowledge"))
    assert (user.role, found.prompt.example) == ("user", {"a": "x"})
    assert found.used == frozenset({"a"})
    assert found.prompt.locales["de"][0].parts[0] == Text("Sei nett.")
    assert bytes(found.prompt.parameters["temperature"]) == b"0.0"
    assert '"strict":false' in found.prompt.output
    assert found.files == (
        "prompts/ask.md",
        "prompts/ask@de.md",
        PARTIAL,
        "schemas/a.json",
        "tools/look.json",
    )


def test_a_schema_of_closed_objects_is_strict(tmp_path: Path) -> None:
    strict = (
        '{"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object",'
        ' "properties": {}, "additionalProperties": false}}}, "required": ["a"],'
        ' "additionalProperties": false}'
    )
    write(tmp_path, {"prompts/ask.md": prompt('output_schema = "a"\n'), "schemas/a.json": strict})
    assert '"strict":true' in load(tmp_path, {}, {}).prompts["ask"].prompt.output


def test_a_prompt_without_text_holds_its_passages(tmp_path: Path) -> None:
    text = "{% role 'user' %}\nHi"
    write(tmp_path, {"prompts/ask.md": prompt('corpus = "tiny"\npassages = ["one"]\n', text)})
    system, user = load(tmp_path, {}, {}).prompts["ask"].prompt.messages
    assert (system.role, user.role) == ("system", "user")


def test_a_release_has_all_the_files_and_is_the_same_prompt(tmp_path: Path) -> None:
    settings = load(whole(tmp_path), {}, {})
    files = collect(settings, "ask")
    assert set(settings.prompts["ask"].files) < set(files)
    part = read(files, "ask", settings.providers)
    assert part.prompts == settings.compiled_prompts


def test_a_release_that_lost_a_file_is_refused(tmp_path: Path) -> None:
    settings = load(whole(tmp_path), {}, {})
    files = collect(settings, "ask")
    del files[PARTIAL]
    with pytest.raises(InvalidWorkspace, match="there is no partial 'tone'"):
        read(files, "ask", settings.providers)
