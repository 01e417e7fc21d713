"""From a workspace to the files of a release and back."""

from pathlib import Path

import pytest

from steadyhand.registry import bundle
from steadyhand.settings.load import load
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.settings.release import SLO, RouteMissing, collect, read
from steadyhand.settings.scaffold import write_workspace
from steadyhand.snapshot.compile import compile_snapshot


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """Return the demo workspace."""
    write_workspace(tmp_path / "demo")
    return tmp_path / "demo"


def test_a_release_has_all_that_shapes_the_answers_and_nothing_else(demo: Path) -> None:
    files = collect(load(demo, {}, {}), "support")
    folders = {path.partition("/")[0] for path in files}
    assert folders == {"routes", "prompts", "knowledge", "answers", SLO}
    assert files["prompts/support.md"] == (demo / "prompts" / "support.md").read_bytes()
    sections = files["knowledge/postgresql-15/sections.jsonl"]
    assert sections.count(b"\n") == 4
    assert not any(b"sk-sh-" in content for content in files.values())


def test_a_route_read_from_a_release_is_the_workspaces_own(demo: Path) -> None:
    settings = load(demo, {}, {})
    part = read(collect(settings, "support"), "support", settings.providers)
    assert part.route == settings.routes["support"]
    assert part.slo == settings.slo_classes["interactive"]
    assert part.collections == settings.collections

    def compiled(routes: object, prompts: object) -> object:
        return compile_snapshot(
            keys={},
            routes=routes,  # type: ignore[arg-type]
            prompts=prompts,  # type: ignore[arg-type]
            providers={},
            slo_classes={},
            now_us=1,
            version=1,
        ).routes

    assert compiled({"support": part.route}, part.prompts) == compiled(
        {"support": settings.routes["support"]}, settings.compiled_prompts
    )


def test_the_digest_follows_what_shapes_answers_only(demo: Path) -> None:
    def digest() -> str:
        files = collect(load(demo, {}, {}), "support")
        return bundle.digest_of(bundle.manifest_of("support", files))

    before = digest()
    with (demo / "steadyhand.toml").open("a") as file:
        file.write("\n[slo.mine]\nfirst_content_ms = 10\nwhole_ms = 10\nstream_cap_ms = 10\n")
    (demo / "prompts" / "unused.md").write_text('+++\ndescription="d"\nowner="o"\n+++\nHello.\n')
    assert digest() == before
    prompt = demo / "prompts" / "support.md"
    prompt.write_text(prompt.read_text() + "\n- Be brief.\n")
    assert digest() != before


def test_an_unknown_route_is_named(demo: Path) -> None:
    with pytest.raises(RouteMissing, match="'nobody'"):
        collect(load(demo, {}, {}), "nobody")


def test_a_release_for_another_installation_is_refused_by_name(demo: Path) -> None:
    settings = load(demo, {}, {})
    files = collect(settings, "support")
    with pytest.raises(InvalidWorkspace, match="simulated"):
        read(files, "support", {})


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"interactive": 3}', b"\xff"])
def test_a_broken_class_is_a_problem_of_the_release(demo: Path, content: bytes) -> None:
    settings = load(demo, {}, {})
    files = collect(settings, "support") | {SLO: content}
    with pytest.raises(InvalidWorkspace):
        read(files, "support", settings.providers)


def test_a_file_that_is_not_utf8_is_a_problem_of_the_release(demo: Path) -> None:
    settings = load(demo, {}, {})
    files = collect(settings, "support") | {"prompts/support.md": b"\xff\xfe"}
    with pytest.raises(InvalidWorkspace):
        read(files, "support", settings.providers)
