"""A plugin is found by the name of its file, or of its entry point, and by nothing else."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from steadyhand.core import plugins
from steadyhand.core.errors import UnknownPlugin
from steadyhand.routing.rungs import template

PACKAGE = "steadyhand.routing.rungs"
METADATA = "Metadata-Version: 2.1\nName: acme-rungs\nVersion: 1.0\n"


@pytest.fixture
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A distribution that adds the kind ``acme``, as ``pip install`` would leave it."""
    (tmp_path / "acme_rungs.py").write_text("ANSWER = 42\n")
    metadata = tmp_path / "acme_rungs-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(METADATA)
    (metadata / "entry_points.txt").write_text(f"[{PACKAGE}]\nacme = acme_rungs\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("acme_rungs", None)


def test_kinds_are_the_files_but_for_the_port() -> None:
    found = plugins.kinds(PACKAGE)
    assert found == sorted(found)
    assert {"live", "template", "schema", "error"} <= set(found)
    assert "base" not in found


def test_a_built_in_kind_is_its_module() -> None:
    assert plugins.load(PACKAGE, "template") is template


@pytest.mark.usefixtures("_installed")
def test_an_installed_kind_is_found_by_its_entry_point() -> None:
    assert "acme" in plugins.kinds(PACKAGE)
    assert plugins.load(PACKAGE, "acme").ANSWER == 42


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("templte", "did you mean 'template'"),
        ("base", "?"),
        ("zzzz", "'error' or 'knowledge' or 'live' or"),
    ],
)
def test_an_unknown_kind_names_the_nearest(kind: str, hint: str) -> None:
    with pytest.raises(UnknownPlugin, match=f"no {PACKAGE} kind {kind!r}") as caught:
        plugins.load(PACKAGE, kind)
    assert hint in caught.value.hint
