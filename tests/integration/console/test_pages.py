"""Every page in every situation: what it says, how it is drawn, and that everybody can read it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.integration.console.situations import SITUATIONS, seeded
from tests.support.browser import DESKTOP, PHONE, Tab, looking
from tests.support.control_plane import RunningControl

PAGES = ("/", "/requests", "/rollouts", "/break")


@pytest.fixture(scope="module", params=SITUATIONS)
def seen(
    request: pytest.FixtureRequest, browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Tab, RunningControl]]:
    with (
        seeded(tmp_path_factory.mktemp(request.param), request.param) as control,
        looking(browser, control) as opened,
    ):
        yield request.param, opened, control


@pytest.mark.parametrize("path", PAGES)
def test_everybody_can_read_it(seen: tuple[str, Tab, RunningControl], path: str) -> None:
    _, opened, _ = seen
    opened.size(DESKTOP, "light")
    opened.open(path)
    expect(opened.page.get_by_text("Asking…")).to_have_count(0)
    assert opened.violations() == []
    opened.size(PHONE, "dark")
    assert opened.fits()
    assert opened.violations() == []


def test_the_overview_says_how_it_is(seen: tuple[str, Tab, RunningControl]) -> None:
    name, opened, _ = seen
    opened.open("/")
    sentence = opened.page.get_by_test_id("sentence")
    told = {
        "healthy": "59 of 59 requests of the last 5m were answered in time.",
        "rollout": "59 of 59 requests of the last 5m were answered in time.",
        "down": "59 by a rung below the models; openai/gpt-fast is not asked, but probed.",
        "drifting": "39 of 59 requests of the last 5m were answered in time; "
        "openai/gpt-fast has become slower.",
        "empty": "Nothing was asked, so nothing is known of the promise.",
    }
    expect(sentence).to_contain_text(told[name])
    glyphs = {"healthy": "✓", "rollout": "✓", "down": "▲", "drifting": "✕", "empty": "–"}
    expect(sentence).to_contain_text(glyphs[name])


def test_requests_show_their_ladders_or_why_there_are_none(
    seen: tuple[str, Tab, RunningControl],
) -> None:
    name, opened, _ = seen
    opened.size(DESKTOP, "light")
    opened.open("/requests")
    if name == "empty":
        expect(opened.page.locator("[data-empty=nothing-yet]")).to_be_visible()
        return
    expect(opened.page.locator("table.requests tbody tr")).to_have_count(50)
    strip = opened.page.locator("svg.strip").first
    label = strip.get_attribute("aria-label") or ""
    begins = {
        "down": "openai/gpt-fast server_error, then template",
        "drifting": "openai/gpt-fast gave_up",
    }
    assert label.startswith(begins.get(name, "openai/gpt-fast ok"))
    opened.page.get_by_role("button", name="Older", exact=True).click()
    expect(opened.page.locator("table.requests tbody tr")).to_have_count(59)
    opened.page.locator("table.requests tbody a").first.click()
    expect(opened.page.get_by_role("heading", name="The ladder")).to_be_visible()
    assert opened.page.url.rpartition("/")[2].startswith("req_")
    assert opened.violations() == []


def test_no_observation_is_no_colour(seen: tuple[str, Tab, RunningControl]) -> None:
    name, opened, _ = seen
    if name != "empty":
        return
    opened.open("/")
    expect(opened.page.locator("[data-empty=nothing-yet]")).to_be_visible()
    painted = opened.page.locator(".status-ok, .status-bad, .status-warn")
    expect(painted).to_have_count(0)
    expect(opened.page.get_by_text("not asked yet").first).to_be_visible()


def test_a_rollout_shows_its_evidence(seen: tuple[str, Tab, RunningControl]) -> None:
    name, opened, _ = seen
    opened.open("/rollouts")
    if name != "rollout":
        expect(opened.page.locator("[data-empty=nothing-yet]")).to_be_visible()
        return
    opened.page.locator("tbody a").first.click()
    chart = opened.page.get_by_role("img", name="Evidence against the candidate is")
    expect(chart).to_be_visible()
    expect(opened.page.get_by_role("row", name="candidate").first).to_be_visible()
    expect(opened.page.get_by_text("you may look at any time")).to_be_visible()
    opened.page.get_by_role("button", name="Take it back…", exact=True).click()
    expect(opened.page.get_by_role("dialog")).to_contain_text(
        "go back to the stable release at once"
    )
    assert opened.violations() == []
    opened.page.keyboard.press("Escape")
    expect(opened.page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("sight", ["deuteranopia", "achromatopsia"])
def test_states_have_words_beside_colours(
    seen: tuple[str, Tab, RunningControl], tmp_path: Path, sight: str
) -> None:
    name, opened, _ = seen
    if name != "down":
        return
    opened.open("/")
    session = opened.page.context.new_cdp_session(opened.page)
    session.send("Emulation.setEmulatedVisionDeficiency", {"type": sight})
    expect(opened.page.get_by_role("cell", name="not asked, but probed")).to_be_visible()
    picture = opened.page.screenshot(path=tmp_path / f"{sight}.png")
    assert len(picture) > 10_000
    session.send("Emulation.setEmulatedVisionDeficiency", {"type": "none"})
