"""Under ``CI=true`` a test that did not really run fails the session.

A suite that skips is green about what it never looked at. Locally a skip stays a skip.
"""

import os

import pytest

NOT_RUN = ("skipped", "xfailed", "xpassed")


def _left_out(config: pytest.Config) -> list[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") != "true" or reporter is None:
        return []
    return [
        f"{kind}: {report.nodeid}" for kind in NOT_RUN for report in reporter.stats.get(kind, [])
    ]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _left_out(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    left_out = _left_out(config)
    if left_out:
        terminalreporter.section("tests that did not run; under CI=true each is a failure")
        for line in left_out:
            terminalreporter.line(line)
