"""What the Dockerfile promises, read from it; and what its linter says."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.dockerfile import Stage, context, stages
from tests.support.tree import ROOT, repository_files

PATH = ROOT / "deploy" / "docker" / "Dockerfile"
IGNORE = (ROOT / ".dockerignore").read_text(encoding="utf-8")
BUILT = stages(PATH.read_text(encoding="utf-8"))
FINAL: Stage = BUILT[-1]
LINTER = ROOT / ".venv-deploy" / "bin" / "hadolint"


def last(word: str) -> str:
    """Return the text of the final stage's instruction."""
    step = FINAL.last(word)
    assert step is not None, f"the final stage has no {word}"
    return step.text


def test_the_linter_finds_nothing() -> None:
    assert LINTER.exists(), "the linter is missing: make deploy-tools"
    said = subprocess.run([LINTER, PATH], capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def test_it_is_built_in_stages_and_the_last_one_builds_nothing() -> None:
    assert len(BUILT) > 1
    assert [step.text for step in FINAL.steps if step.word == "RUN"] == []
    runs = " ".join(step.text for stage in BUILT for step in stage.steps if step.word == "RUN")
    assert not re.search(r"\b(apt|apt-get|apk|curl|wget|gcc|make)\b", runs)


def test_what_is_installed_is_locked_and_not_compiled() -> None:
    runs = [step.text for stage in BUILT for step in stage.steps if step.word == "RUN"]
    installs = [part for run in runs for part in re.split("&&", run) if " install " in part]
    assert len(installs) == 3
    for install in installs:
        locked = "--require-hashes" in install and "--only-binary=:all:" in install
        assert locked or ("--no-index" in install and "--no-deps" in install), install


def test_it_runs_as_a_numbered_user_and_ends_by_sigterm() -> None:
    user, _, group = last("USER").partition(":")
    assert int(user) >= 10000  # a number: Kubernetes cannot check a name for root
    assert int(group) >= 10000
    assert last("STOPSIGNAL") == "SIGTERM"
    entry = FINAL.last("ENTRYPOINT")
    assert entry is not None
    assert entry.words == ["steadyhand"]


def test_its_health_is_asked_with_what_it_has() -> None:
    check = last("HEALTHCHECK")
    assert '"python"' in check
    assert "curl" not in check
    copied = [step.words[-1] for step in FINAL.steps if step.word == "COPY"]
    assert "/opt/steadyhand/healthcheck.py" in copied


def test_state_and_workspace_are_volumes_of_its_user() -> None:
    volume = FINAL.last("VOLUME")
    assert volume is not None
    owned = {
        step.words[-1]: step.options.get("chown") for step in FINAL.steps if step.word == "COPY"
    }
    assert {owned[path] for path in volume.words} == {last("USER")}
    assert FINAL.environment()["STEADYHAND_SERVER__STATE_DIR"] in volume.words


def test_it_says_what_it_is() -> None:
    labels = {k: v for step in FINAL.steps if step.word == "LABEL" for k, v in step.pairs.items()}
    names = {name.removeprefix("org.opencontainers.image.") for name in labels}
    assert names == {"title", "description", "licenses", "version"}


def test_the_builder_is_given_nothing_secret(tmp_path: Path) -> None:
    wanted = {"src/steadyhand/a.py", "pyproject.toml", "requirements/run.txt"}
    secret = {
        *(".env", ".git/config", "demo/.steadyhand/demo.key", "demo/keys.toml", "src/.env"),
        *("src/steadyhand/x.key", "src/x/y.pem", "src/steadyhand/__pycache__/a.pyc", "tests/a.py"),
        *("requirements/dev.txt", "control.token", "deploy/helm/steadyhand/values.yaml"),
    }
    files = [tmp_path / name for name in sorted(wanted | secret)]
    given = context(tmp_path, IGNORE, files)
    assert {str(file.relative_to(tmp_path)) for file in given} == wanted


def test_the_builder_is_given_what_the_package_is_made_of() -> None:
    given = context(ROOT, IGNORE, list(repository_files()))
    package = {file for file in repository_files() if file.is_relative_to(ROOT / "src")}
    assert package - given == set()
    others = {str(file.relative_to(ROOT)) for file in given - package}
    assert others == {
        *("LICENSE", "NOTICE", "README.md", "pyproject.toml", "deploy/docker/healthcheck.py"),
        *("requirements/run.txt", "requirements/build.txt"),
    }


def test_an_instruction_that_is_not_understood_is_refused() -> None:
    with pytest.raises(ValueError, match="ONBUILD"):
        stages("FROM x\nONBUILD RUN y\n")
