import pytest

from steadyhand.settings.document import Document, Report, parse
from steadyhand.settings.overrides import overlay, variable

SECTIONS = ("server", "slo", "providers")
TEXT = '[server]\nport = 1\nhost = "file"\n\n[providers.my-host]\nkind = "openai"\n'


def document() -> Document:
    parsed = parse("steadyhand.toml", TEXT, Report())
    assert parsed is not None
    return parsed


def test_flags_beat_the_environment_which_beats_the_file() -> None:
    report = Report()
    values = overlay(
        document(),
        SECTIONS,
        {"STEADYHAND_SERVER__PORT": "2", "STEADYHAND_SERVER__HOST": "environment"},
        {"server.port": 3, "server.processes": None},
        report,
    ).values["server"]
    assert values == {"port": 3, "host": "environment"}
    assert report.problems == []


def test_the_file_itself_is_left_alone() -> None:
    before = document()
    overlay(before, SECTIONS, {}, {"server.port": 3}, Report())
    assert before.values["server"]["port"] == 1
    assert before.place(("server", "port")) == "steadyhand.toml:2"


def test_a_name_with_a_hyphen_is_reached_with_an_underscore() -> None:
    changed = overlay(
        document(), SECTIONS, {"STEADYHAND_PROVIDERS__MY_HOST__KIND": "vllm"}, {}, Report()
    )
    assert changed.values["providers"] == {"my-host": {"kind": "vllm"}}
    assert variable(["providers", "my-host", "kind"]) == "STEADYHAND_PROVIDERS__MY_HOST__KIND"


def test_a_table_may_be_made_by_a_variable() -> None:
    changed = overlay(document(), SECTIONS, {"STEADYHAND_SLO__FAST__WHOLE_MS": "9"}, {}, Report())
    assert changed.values["slo"] == {"fast": {"whole_ms": "9"}}


def test_lists_and_tables_are_json() -> None:
    environment = {"STEADYHAND_SERVER__CORS_ORIGINS": '["https://a"]'}
    changed = overlay(document(), SECTIONS, environment, {}, Report())
    assert changed.values["server"]["cors_origins"] == ["https://a"]


def test_a_problem_names_the_variable_or_flag_and_not_the_file() -> None:
    changed = overlay(
        document(), SECTIONS, {"STEADYHAND_SERVER__PORT": "x"}, {"server.host": 1}, Report()
    )
    assert changed.place(("server", "port")) == "environment STEADYHAND_SERVER__PORT"
    assert changed.place(("server", "host")) == "flag server.host"


def test_variables_of_the_commands_and_of_others_are_left_alone() -> None:
    report = Report()
    environment = {"STEADYHAND_WORKSPACE": "demo", "PATH": "/bin", "OTHER__THING": "1"}
    assert overlay(document(), SECTIONS, environment, {}, report).values == document().values
    assert report.problems == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("STEADYHAND_SEVER__PORT", "1", "did you mean 'server'?"),
        ("STEADYHAND_ZZZ__PORT", "1", "sections are server, slo, providers"),
        ("STEADYHAND_SERVER__PORT__X", "1", "server.port is not a section"),
        ("STEADYHAND_SERVER__CORS_ORIGINS", "[1", "not JSON"),
    ],
)
def test_a_variable_that_sets_nothing_is_a_problem(name: str, value: str, said: str) -> None:
    report = Report()
    overlay(document(), SECTIONS, {name: value}, {}, report)
    [problem] = report.problems
    assert (problem.code, problem.path) == ("E0108", f"environment {name}")
    assert said in f"{problem.reason} {problem.hint}"
