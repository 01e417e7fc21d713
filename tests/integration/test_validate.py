"""Each mistake that a workspace can have is found, placed and explained."""

from pathlib import Path

import pytest

from steadyhand.routing.rungs import live
from steadyhand.settings.load import load
from steadyhand.settings.problems import CODES, InvalidWorkspace, Problem
from tests.support.workspaces import FILES, KEY_HASH, write

ROUTE = FILES["routes/ask.toml"]
KEYS = FILES["keys.toml"]
MAIN = FILES["steadyhand.toml"]
PROMPT = FILES["prompts/ask.md"]
SECTIONS = "knowledge/tiny/sections.jsonl"


RUNG = 'provider = "near"\nmodel = "steady"\n'
DEPLOYMENTS = """deployments = [
  { provider = "NAME", model = "steady", weight = 0 },
]
strategy = "weighted"
"""

LOCAL = '[providers.here]\nkind = "local"\nmodel_file = "model.gguf"\n'


def problems_of(root: Path, environment: dict[str, str] | None = None) -> list[Problem]:
    with pytest.raises(InvalidWorkspace) as caught:
        load(root, environment or {}, {})
    return list(caught.value.problems)


# code, file → its new text, place, key, nearest name (or None)
MISTAKES: list[tuple[str, dict[str, str | None], str, str, str | None]] = [
    ("E0103", {"routes/ask.toml": ROUTE + "x = \n"}, "routes/ask.toml:12", "", None),
    ("E0103", {"steadyhand.toml": "[server\nport = 1\n"}, "steadyhand.toml:1", "", None),
    (
        "E0103",
        {"prompts/ask.md": "+++\nowner = 'x'\nowner = 'y'\n+++\n"},
        "prompts/ask.md:3",
        "",
        None,
    ),
    (
        "E0104",
        {"steadyhand.toml": MAIN + "[sever]\nport = 1\n"},
        "steadyhand.toml:3",
        "sever",
        "server",
    ),
    (
        "E0104",
        {"steadyhand.toml": MAIN + "[server]\nprot = 1\n"},
        "steadyhand.toml:4",
        "server.prot",
        "port",
    ),
    (
        "E0104",
        {"routes/ask.toml": ROUTE.replace("model =", "modell =")},
        "routes/ask.toml:7",
        "rungs[0].modell",
        "model",
    ),
    (
        "E0105",
        {"steadyhand.toml": MAIN + "[server]\nport = 70000\n"},
        "steadyhand.toml:4",
        "server.port",
        None,
    ),
    (
        "E0105",
        {"steadyhand.toml": MAIN + '[server]\ntls_cert = "a.pem"\n'},
        "steadyhand.toml:3",
        "server",
        None,
    ),
    ("E0105", {"steadyhand.toml": "server = 1\n" + MAIN}, "steadyhand.toml:1", "server", None),
    ("E0105", {"steadyhand.toml": "slo = 1\n" + MAIN}, "steadyhand.toml:1", "slo", None),
    (
        "E0105",
        {"steadyhand.toml": "[slo]\nfast = 1\n" + MAIN},
        "steadyhand.toml:2",
        "slo.fast",
        None,
    ),
    (
        "E0105",
        {"steadyhand.toml": MAIN + "[slo.instant]\nstream_cap_ms = 9\n"},
        "steadyhand.toml:3",
        "slo.instant",
        None,
    ),
    (
        "E0105",
        {
            "routes/ask.toml": ROUTE.replace(
                'kind = "template"\ntext = "later"',
                'kind = "schema"\nanswer = 1\njson_schema = { type = "string" }',
            )
        },
        "routes/ask.toml:9",
        "floor",
        None,
    ),
    (
        "E0105",
        {
            "routes/ask.toml": ROUTE.replace(
                'kind = "template"\ntext = "later"',
                'kind = "schema"\nanswer = 1\njson_schema = { type = "strin" }',
            )
        },
        "routes/ask.toml:9",
        "floor",
        None,
    ),
    (
        "E0105",
        {"prompts/ask.md": PROMPT.replace('corpus = "tiny"\n', "")},
        "prompts/ask.md",
        "",
        None,
    ),
    ("E0106", {"keys.toml": KEYS.replace("tenant", "#")}, "keys.toml:1", "keys.web.tenant", None),
    (
        "E0106",
        {"steadyhand.toml": "[providers.near]\n"},
        "steadyhand.toml:1",
        "providers.near.kind",
        None,
    ),
    (
        "E0106",
        {"steadyhand.toml": MAIN + "[slo.fast]\nwhole_ms = 9\nstream_cap_ms = 0\n"},
        "steadyhand.toml:3",
        "slo.fast.first_content_ms",
        None,
    ),
    (
        "E0107",
        {"steadyhand.toml": MAIN + '[control]\ntoken = "made-up-secret"\n'},
        "steadyhand.toml:4",
        "control.token",
        None,
    ),
    (
        "E0109",
        {"steadyhand.toml": MAIN + '[providers."a/b"]\nkind = "simulated"\n'},
        "steadyhand.toml:3",
        "providers.a/b",
        None,
    ),
    ("E0109", {"routes/Ask Me.toml": ROUTE}, "routes/Ask Me.toml", "", None),
    ("E0109", {"prompts/ASK.md": PROMPT}, "prompts/ASK.md", "", None),
    (
        "E0201",
        {"steadyhand.toml": MAIN.replace("simulated", "simulatd")},
        "steadyhand.toml:2",
        "providers.near.kind",
        "simulated",
    ),
    (
        "E0201",
        {"routes/ask.toml": ROUTE.replace('"live"', '"life"')},
        "routes/ask.toml:5",
        "rungs[0].kind",
        "live",
    ),
    (
        "E0202",
        {"steadyhand.toml": MAIN + LOCAL, "model.gguf": "GGUF\x03\0\0\0"},
        "steadyhand.toml:4",
        "providers.here.kind",
        None,
    ),
    (
        "E0203",
        {"steadyhand.toml": MAIN + LOCAL},
        "steadyhand.toml:5",
        "providers.here.model_file",
        None,
    ),
    (
        "E0203",
        {"steadyhand.toml": MAIN + LOCAL, "model.gguf": "no model"},
        "steadyhand.toml:5",
        "providers.here.model_file",
        None,
    ),
    (
        "E0203",
        {"steadyhand.toml": MAIN + LOCAL, "model.gguf": "GGUF\x01\0\0\0"},
        "steadyhand.toml:5",
        "providers.here.model_file",
        None,
    ),
    (
        "E0203",
        {
            "steadyhand.toml": MAIN + LOCAL + 'chat_template_file = "none.jinja"\n',
            "model.gguf": "GGUF\x03\0\0\0",
        },
        "steadyhand.toml:6",
        "providers.here.chat_template_file",
        None,
    ),
    (
        "E0301",
        {"routes/ask.toml": ROUTE.replace('"near"', '"nera"')},
        "routes/ask.toml:6",
        "rungs[0].provider",
        "near",
    ),
    (
        "E0301",
        {"keys.toml": KEYS.replace("near/*", "nea/*")},
        "keys.toml:5",
        "keys.web.models[0]",
        "near",
    ),
    (
        "E0301",
        {"routes/ask.toml": ROUTE.replace(RUNG, DEPLOYMENTS.replace("NAME", "nera")[:-22])},
        "routes/ask.toml:6",
        "rungs[0].deployments[0].provider",
        "near",
    ),
    (
        "E0105",
        {"routes/ask.toml": ROUTE.replace(RUNG, DEPLOYMENTS.replace("NAME", "near"))},
        "routes/ask.toml:4",
        "rungs[0]",
        None,
    ),
    (
        "E0302",
        {"routes/ask.toml": ROUTE.replace(RUNG, RUNG + 'prompt = "saef"\n')},
        "routes/ask.toml:8",
        "rungs[0].prompt",
        None,
    ),
    (
        "E0302",
        {"routes/ask.toml": ROUTE.replace('"ask"', '"aks"')},
        "routes/ask.toml:2",
        "prompt",
        "ask",
    ),
    (
        "E0303",
        {"routes/ask.toml": ROUTE.replace('"interactive"', '"instent"')},
        "routes/ask.toml:1",
        "slo",
        "instant",
    ),
    (
        "E0313",
        {"routes/ask.toml": ROUTE.replace('model = "steady"', 'model = "steady-backup"')},
        "routes/ask.toml:7",
        "rungs[0].model",
        None,
    ),
    (
        "E0304",
        {"routes/ask.toml": ROUTE[: ROUTE.index("[floor]")]},
        "routes/ask.toml",
        "floor",
        None,
    ),
    (
        "E0305",
        {
            "routes/ask.toml": ROUTE.replace(
                'kind = "template"\ntext = "later"',
                'kind = "live"\nprovider = "near"\nmodel = "steady"',
            )
        },
        "routes/ask.toml:10",
        "floor.kind",
        None,
    ),
    (
        "E0306",
        {"routes/ask.toml": ROUTE.replace("[floor]", '[[rungs]]\nkind = "error"\n\n[floor]')},
        "routes/ask.toml:10",
        "rungs[1].kind",
        None,
    ),
    (
        "E0307",
        {"keys.toml": KEYS.replace('"ask"', '"aks"')},
        "keys.toml:4",
        "keys.web.routes[0]",
        "ask",
    ),
    (
        "E0308",
        {"prompts/ask.md": PROMPT.replace("tiny", "tny")},
        "prompts/ask.md:4",
        "corpus",
        "tiny",
    ),
    (
        "E0309",
        {"prompts/ask.md": PROMPT.replace('"one"', '"one", "onee"')},
        "prompts/ask.md:5",
        "passages[1]",
        "one",
    ),
    (
        "E0310",
        {"keys.toml": f'{KEYS}\n[keys.twin]\nhash = "{KEY_HASH}"\ntenant = "shop"\n'},
        "keys.toml:8",
        "keys.twin.hash",
        None,
    ),
    ("E0311", {"prompts/ask.md": "Be kind.\n"}, "prompts/ask.md:1", "", None),
    ("E0312", {SECTIONS: FILES[SECTIONS] + '{"_id": 1}\n'}, f"{SECTIONS}:2", "", None),
]
SAMPLED = MAIN + "\n[grounding.routes.{route}]\nsample_percent = 5\n"
MISTAKES += [
    ("E0307", {"steadyhand.toml": text}, f"steadyhand.toml:{line}", place, near)
    for text, line, place, near in (
        (SAMPLED.format(route="aks"), 4, "grounding.routes.aks", "ask"),
        (
            SAMPLED.format(route="ask") + 'collections = ["hlep"]\n',
            6,
            "grounding.routes.ask.collections",
            None,
        ),
        (
            MAIN + '\n[grounding.judge]\nroute = "jugde"\nkey = "env:K"\n',
            5,
            "grounding.judge.route",
            None,
        ),
    )
]
FAR = MAIN + '[providers.far]\nkind = "openai"\n'
MISTAKES += [
    ("E0203", {"steadyhand.toml": FAR + lines}, place, f"providers.far.{key}", None)
    for key, place, lines in (
        ("ca_file", "steadyhand.toml:5", 'ca_file = "tls/none.pem"\n'),
        ("ca_file", "steadyhand.toml:5", 'ca_file = "keys.toml"\n'),
        (
            "client_key",
            "steadyhand.toml:6",
            'client_cert = "keys.toml"\nclient_key = "none.pem"\n',
        ),
        (
            "client_cert",
            "steadyhand.toml:5",
            'client_cert = "keys.toml"\nclient_key = "keys.toml"\n',
        ),
    )
]
FOUND_ELSEWHERE = {"E0101", "E0102", "E0108"}  # by the tests below the table
FOUND_ELSEWHERE |= {f"E040{number}" for number in range(1, 7)}  # by test_answer_files.py
FOUND_ELSEWHERE |= {f"E050{number}" for number in range(1, 8)}  # by test_prompt_files.py


def test_every_code_has_a_test() -> None:
    assert {mistake[0] for mistake in MISTAKES} | FOUND_ELSEWHERE == set(CODES)


def test_the_small_workspace_is_right(tmp_path: Path) -> None:
    settings = load(write(tmp_path), {}, {})
    prompt = settings.prompts["ask"]
    assert prompt.body == "Be kind."
    assert prompt.prompt.plain_text.startswith("Be kind.\n\n## [")
    assert len(prompt.passages) == 1
    assert settings.state_dir == tmp_path / ".steadyhand"
    assert settings.database_url == f"sqlite:///{tmp_path}/.steadyhand/steadyhand.db"
    assert sorted(settings.slo_classes) == ["batch", "instant", "interactive"]


@pytest.mark.parametrize(
    ("code", "changes", "place", "key", "nearest"),
    MISTAKES,
    ids=[f"{mistake[0]}-{mistake[2]}" for mistake in MISTAKES],
)
def test_a_mistake_is_found_placed_and_alone(
    tmp_path: Path,
    code: str,
    changes: dict[str, str | None],
    place: str,
    key: str,
    nearest: str | None,
) -> None:
    problems = problems_of(write(tmp_path, changes))
    assert (problems[0].code, problems[0].path, problems[0].key) == (code, place, key)
    assert problems[0].nearest == nearest
    assert problems[1:] == [], "one mistake is told once"


def test_a_directory_without_a_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    [problem] = problems_of(tmp_path)
    assert (problem.code, problem.path) == ("E0101", str(tmp_path))
    assert f"steadyhand init {tmp_path}" in problem.advice


def test_a_file_that_is_not_text_is_told_with_its_byte(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "keys.toml").write_bytes(b"# \xff\n")
    [problem] = problems_of(tmp_path)
    assert (problem.code, problem.path) == ("E0102", "keys.toml")
    assert "byte 2" in problem.reason


def test_a_file_that_cannot_be_opened_is_told_with_the_reason(tmp_path: Path) -> None:
    write(tmp_path, {"routes/ask.toml": None})
    (tmp_path / "routes" / "ask.toml").mkdir(parents=True)
    [problem] = problems_of(tmp_path)
    assert (problem.code, problem.path) == ("E0102", "routes/ask.toml")
    assert "directory" in problem.reason


def test_an_unknown_variable_is_told(tmp_path: Path) -> None:
    [problem] = problems_of(write(tmp_path), {"STEADYHAND_SEVER__PORT": "1"})
    assert (problem.code, problem.path) == ("E0108", "environment STEADYHAND_SEVER__PORT")


def test_all_files_are_checked_in_one_pass(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "steadyhand.toml": MAIN + "[server]\nport = 70000\n",
            "routes/ask.toml": ROUTE.replace('"interactive"', '"instent"'),
            "keys.toml": KEYS.replace("tenant", "tenent"),
            "prompts/ask.md": "no front matter",
        },
    )
    files = {problem.path.partition(":")[0] for problem in problems_of(root)}
    assert files == {"steadyhand.toml", "routes/ask.toml", "keys.toml", "prompts/ask.md"}


def test_a_rung_with_two_mistakes_has_both_told(tmp_path: Path) -> None:
    route = ROUTE.replace('"near"', '"nera"').replace("model =", "modell =")
    problems = problems_of(write(tmp_path, {"routes/ask.toml": route}))
    assert {problem.code for problem in problems} == {"E0104", "E0301"}


def test_blank_lines_in_a_corpus_are_passed_over(tmp_path: Path) -> None:
    root = write(tmp_path, {SECTIONS: f"\n{FILES[SECTIONS]}\n\n"})
    assert len(load(root, {}, {}).prompts["ask"].passages) == 1


def test_file_then_environment_then_flags(tmp_path: Path) -> None:
    root = write(
        tmp_path, {"steadyhand.toml": MAIN + "[server]\nport = 1\ndrain_s = 1\nprocesses = 1\n"}
    )
    environment = {"STEADYHAND_SERVER__DRAIN_S": "2", "STEADYHAND_SERVER__PROCESSES": "2"}
    server = load(root, environment, {"server.processes": 3, "server.host": None}).server
    assert (server.port, server.drain_s, server.processes, server.host) == (1, 2.0, 3, "127.0.0.1")


def test_a_class_may_be_changed_or_added(tmp_path: Path) -> None:
    slo = (
        "[slo.instant]\nwhole_ms = 200\n[slo.slow]\nfirst_content_ms = 0\nwhole_ms = 60000\n"
        "stream_cap_ms = 0\n"
    )
    root = write(
        tmp_path,
        {
            "steadyhand.toml": MAIN + slo,
            "routes/ask.toml": ROUTE.replace('"interactive"', '"slow"'),
        },
    )
    classes = load(root, {}, {}).slo_classes
    assert (classes["instant"].first_content_ms, classes["instant"].whole_ms) == (150, 200)
    assert classes["slow"].whole_ms == 60_000


def test_a_workspace_without_keys_lets_nobody_in(tmp_path: Path) -> None:
    assert load(write(tmp_path, {"keys.toml": None}), {}, {}).keys == {}


def test_a_rung_is_filled_in_with_its_plugins_defaults(tmp_path: Path) -> None:
    [rung] = load(write(tmp_path), {}, {}).routes["ask"].rungs
    assert rung.own_keys["give_up_ms"] is None
    assert rung.own_keys == live.Settings.model_validate(rung.own_keys).model_dump(mode="json")
