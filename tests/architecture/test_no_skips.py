"""The rule of ``tests/support/no_skips.py`` holds: in CI a skip is red, elsewhere it is not."""

import pytest

from tests.support.tree import ROOT

SKIPPING = """
    import pytest

    def test_runs():
        pass

    @pytest.mark.{mark}
    def test_left_out():
        assert False
"""


def outcome(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    ci: str,
    workers: int = 0,
) -> pytest.RunResult:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(source)
    return pytester.runpytest_subprocess(
        *("-n", str(workers), "-p", "tests.support.no_skips", "-p", "no:cacheprovider")
    )


@pytest.mark.parametrize(("mark", "workers"), [("skip", 0), ("xfail", 0), ("skip", 2)])
def test_in_ci_a_test_that_did_not_run_fails_the_session(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, mark: str, workers: int
) -> None:
    result = outcome(pytester, monkeypatch, SKIPPING.format(mark=mark), "true", workers)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*did not run; under CI=true*", "*test_left_out*"])


@pytest.mark.parametrize("workers", [0, 2])
def test_in_ci_a_skipped_module_fails_the_session(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    source = "import pytest\npytest.importorskip('no_such_library')\ndef test_runs(): pass"
    pytester.makepyfile(test_other="def test_runs(): pass")
    result = outcome(pytester, monkeypatch, source, "true", workers)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_in_ci_a_suite_that_runs_whole_passes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = outcome(pytester, monkeypatch, "def test_runs(): pass", ci="true")
    assert result.ret == pytest.ExitCode.OK


def test_elsewhere_a_skip_is_a_skip(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = outcome(pytester, monkeypatch, SKIPPING.format(mark="skip"), ci="false")
    assert result.ret == pytest.ExitCode.OK
