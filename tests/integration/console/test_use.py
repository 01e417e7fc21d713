"""The console as it is used: a link, a restart under it, an upgrade, hostile text."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from steadyhand import console
from steadyhand.app.breaking import breaking_ports
from steadyhand.records.record import Attempt
from steadyhand.telemetry.ring import Ring
from tests.integration.console.situations import healthy, seeded
from tests.support.browser import DESKTOP, looking, tab
from tests.support.commands import steadyhand
from tests.support.control_plane import RunningControl, running_control
from tests.support.made_records import NOON_US, made, ship

HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.exe\u0007</script><script>alert(2)</script>{{7*7}}"


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningControl]:
    with seeded(tmp_path_factory.mktemp("healthy"), "healthy") as running:
        yield running


def test_a_link_logs_in_once_and_leaves_no_trace(browser: Browser, control: RunningControl) -> None:
    said = steadyhand("console", "--url", control.url, workspace=control.workspace)
    link = said.stdout.strip()
    with tab(browser, control.url) as opened:
        opened.page.goto(link)
        expect(opened.page.get_by_role("heading", name="Overview")).to_be_visible()
        assert "code" not in opened.page.url
        stored = "JSON.stringify([localStorage, sessionStorage, document.cookie])"
        assert opened.page.evaluate(stored) == '[{},{},""]'
        assert opened.foreign == []
    with tab(browser, control.url) as again:
        again.page.goto(link)
        expect(again.page.get_by_role("alert")).to_contain_text("was used or is too old")


def test_who_is_not_logged_in_logs_in_and_is_back_where_they_were(
    browser: Browser, control: RunningControl
) -> None:
    with tab(browser, control.url) as opened:
        opened.page.goto(f"{control.url}/requests?outcome=answered")
        field = opened.page.get_by_label("Or paste a token")
        field.fill("shc_wrong")
        opened.page.get_by_role("button", name="Log in", exact=True).click()
        expect(opened.page.get_by_role("alert")).to_contain_text("not one in force")
        field.fill(control.token)
        opened.page.get_by_role("button", name="Log in", exact=True).click()
        expect(opened.page.get_by_role("heading", name="Requests")).to_be_visible()
        assert opened.page.url == f"{control.url}/requests?outcome=answered"
        opened.page.get_by_role("button", name="Log out", exact=True).click()
        expect(opened.page.get_by_role("heading", name="Log in to Steadyhand")).to_be_visible()


@pytest.mark.parametrize("next_", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_a_login_leads_nowhere_else(browser: Browser, control: RunningControl, next_: str) -> None:
    with tab(browser, control.url) as opened:
        opened.page.goto(f"{control.url}/login?next={next_}")
        opened.page.get_by_label("Or paste a token").fill(control.token)
        opened.page.get_by_role("button", name="Log in", exact=True).click()
        expect(opened.page.get_by_role("heading", name="Overview")).to_be_visible()
        assert opened.page.url == f"{control.url}/"


def test_all_state_stands_in_the_address(browser: Browser, control: RunningControl) -> None:
    with looking(browser, control) as opened:
        opened.open("/requests")
        box = opened.page.get_by_label("Filter", exact=True)
        box.fill("outcome:floor")
        box.press("Enter")
        expect(opened.page.locator("[data-empty=nothing-matches]")).to_be_visible()
        assert opened.page.url.endswith("/requests?outcome=floor")
        opened.page.get_by_role("button", name="Clear the filter", exact=True).click()
        expect(opened.page.locator("table.requests tbody tr")).to_have_count(50)
        box.fill("nonsense")
        box.press("Enter")
        expect(opened.page.get_by_text("is no filter; write")).to_be_visible()
        opened.open("/?window=1h&route=support")
        expect(opened.page.get_by_role("combobox", name="Route")).to_have_value("support")
        opened.page.reload()
        expect(opened.page.get_by_role("combobox", name="Route")).to_have_value("support")
        expect(opened.page.get_by_text("requests of the last 1h")).to_be_visible()


def test_everything_can_be_done_by_keyboard(browser: Browser, control: RunningControl) -> None:
    with looking(browser, control) as opened:
        opened.open("/")
        keyboard = opened.page.keyboard
        keyboard.press("Tab")
        expect(opened.page.get_by_text("Skip to the content")).to_be_focused()
        keyboard.press("g")
        keyboard.press("r")
        expect(opened.page.get_by_role("heading", name="Requests")).to_be_visible()
        expect(opened.page.locator("table.requests tbody tr")).to_have_count(50)
        opened.page.evaluate("document.activeElement.blur()")
        keyboard.press("j")
        keyboard.press("j")
        expect(opened.page.locator("tr[data-chosen]")).to_have_count(1)
        assert "row=req_" in opened.page.url
        keyboard.press("Enter")
        expect(opened.page.get_by_role("heading", name="The ladder")).to_be_visible()
        keyboard.press("Control+k")
        expect(opened.page.get_by_role("dialog")).to_be_visible()
        opened.page.get_by_label("Page, act or request id").fill("break")
        keyboard.press("Enter")
        expect(opened.page.get_by_role("heading", name="Break it")).to_be_visible()


def test_a_provider_is_broken_and_mended_by_a_click(browser: Browser, tmp_path: Path) -> None:
    with seeded(tmp_path, "healthy") as control, looking(browser, control) as opened:
        opened.open("/break")
        state = opened.page.get_by_test_id("broken")
        expect(state).to_contain_text("behaves as its models are named")
        opened.page.get_by_label("Find a way to fail").fill("500")
        opened.page.get_by_role("button", name="Break with error-500", exact=True).click()
        expect(state).to_contain_text("simulated is broken: error-500")
        assert 'behaviour = "error-500"' in (control.workspace / "steadyhand.toml").read_text()
        opened.page.get_by_role("button", name="Mend simulated", exact=True).click()
        expect(state).to_contain_text("behaves as its models are named")


def test_text_of_others_is_text(browser: Browser, tmp_path: Path) -> None:
    attempt = Attempt("live", HOSTILE, HOSTILE, 0, 5_000, 500, HOSTILE, HOSTILE, "first")
    record = made(
        1,
        **{
            name: HOSTILE
            for name in (
                "client_request_id",
                "tenant",
                "key",
                "channel",
                "route",
                "requested_model",
                "slo",
                "reason",
                "rung",
                "provider",
                "model",
                "served_model",
                "finish_reason",
                "source",
                "route_release",
                "arm",
                "rollout",
            )
        },
        attempts=(attempt,),
    )
    ring = Ring(NOON_US / 1e6)
    ring.consume([record])
    with (
        running_control(
            tmp_path / "demo",
            ring=ring,
            console=console.folder(),
            breaking=breaking_ports(tmp_path / "demo"),
        ) as control,
        looking(browser, control) as opened,
    ):
        ship(control.store, [record])
        for path in ("/", "/requests", "/requests/req_0001"):
            opened.size(DESKTOP, "light")
            opened.open(path)
            expect(
                opened.page.locator("td:visible, dd:visible", has_text="onerror=alert(1)").first
            ).to_be_visible()
            assert opened.page.locator("main img, main script").count() == 0
            shown = opened.page.locator("main").inner_text()
            if path != "/":
                assert "\u202e" not in re.sub(r"(?s)The same as text.*", "", shown)


def test_a_restart_under_an_open_page(browser: Browser, tmp_path: Path) -> None:
    with seeded(tmp_path, "healthy") as before:
        port, token = before.port, before.token
        opened_in = tab(browser, before.url, token)
        opened = opened_in.__enter__()
        opened.open("/?window=15m")
        expect(opened.page.get_by_test_id("sentence")).to_contain_text("59 of 59")
    try:
        expect(opened.page.get_by_text("No answer; shown is what was known")).to_be_visible()
        expect(opened.page.get_by_test_id("sentence")).to_contain_text(
            "59 of 59"
        )  # nothing is lost
        with seeded(tmp_path, "healthy", port):
            field = opened.page.get_by_label("Or paste a token")
            expect(
                field
            ).to_be_visible()  # sessions do not outlast the process, and the page says so
            field.fill(token)
            opened.page.get_by_role("button", name="Log in", exact=True).click()
            expect(opened.page.get_by_test_id("sentence")).to_contain_text("59 of 59")
            assert opened.page.url.endswith("/?window=15m")
        assert opened.said == []
    finally:
        opened_in.__exit__(None, None, None)


def test_a_tab_that_is_older_than_the_server_says_so(browser: Browser, tmp_path: Path) -> None:
    other = tmp_path / "upgraded"
    shutil.copytree(console.folder(), other)
    index = other / "index.html"
    index.write_text(index.read_text() + "\n<!-- another build -->\n")
    ring = Ring(NOON_US / 1e6)
    ring.consume([healthy(number) for number in range(9)])
    with running_control(tmp_path / "demo", ring=ring, console=console.folder()) as before:
        port, token = before.port, before.token
        opened_in = tab(browser, before.url, token)
        opened = opened_in.__enter__()
        opened.open("/")
        expect(opened.page.get_by_test_id("sentence")).to_contain_text("9 of 9")
    try:
        with running_control(tmp_path / "demo", port, ring=ring, console=other):
            opened.page.get_by_label("Or paste a token").fill(token)
            opened.page.get_by_role("button", name="Log in", exact=True).click()
            expect(opened.page.get_by_text("was upgraded while this page was open")).to_be_visible()
            opened.page.get_by_role("button", name="Load it again", exact=True).click()
            expect(opened.page.get_by_test_id("sentence")).to_contain_text("9 of 9")
            expect(opened.page.get_by_text("was upgraded")).to_have_count(0)
    finally:
        opened_in.__exit__(None, None, None)


def test_an_address_of_nothing_says_so(browser: Browser, control: RunningControl) -> None:
    with looking(browser, control) as opened:
        opened.open("/requests/req_nothing")
        expect(opened.page.locator("[data-empty=source-down]")).to_contain_text("no request")
