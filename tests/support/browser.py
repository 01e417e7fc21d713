"""A real Chromium on pages of ours: what it loads and says is kept, and looked at after."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    sync_playwright,
)

from tests.support.control_plane import RunningControl
from tests.support.tree import ROOT

CHROMIUM = ROOT / ".browser" / "chromium"
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP = (1440, 900)
PHONE = (390, 844)
Scheme = Literal["light", "dark"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser until the block ends."""
    assert CHROMIUM.exists(), "no browser: make browser"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Tab:
    """A page of the console, somebody being logged in, and what happened on it.

    Attributes:
        page: It.
        base: Address of the control plane.
        foreign: Addresses that it asked for elsewhere.
        said: Errors that scripts or policies put on its console, and dialogs.
    """

    page: Page
    base: str
    foreign: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def asked(self, request: Request) -> None:
        """Keep an address that is not of the control plane."""
        if not request.url.startswith((self.base, "data:")):
            self.foreign.append(request.url)

    def told(self, message: ConsoleMessage) -> None:
        """Keep an error; that an answer had another status than 200 is none."""
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.said.append(message.text)

    def stopped(self, dialog: Dialog) -> None:
        """Keep what a dialog says: no page of ours has one of these."""
        self.said.append(dialog.message)
        dialog.dismiss()

    def open(self, path: str) -> None:
        """Go to a path of the console, and wait until it has been drawn."""
        self.page.goto(self.base + path)
        self.page.wait_for_selector("h1")

    def size(self, size: tuple[int, int], scheme: Scheme) -> None:
        """Look at it in another size and another scheme."""
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.emulate_media(color_scheme=scheme)

    def fits(self) -> bool:
        """Tell whether the page is no wider than its window, once charts have taken its size."""
        wide = "document.documentElement.scrollWidth > window.innerWidth"
        for _ in range(50):
            if not self.page.evaluate(wide):
                return True
            self.page.wait_for_timeout(100)
        return False

    def violations(self) -> list[str]:
        """Return what axe finds that is serious or critical."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{each['id']}: {json.dumps([node['target'] for node in each['nodes']][:3])}"
            for each in found["violations"]
            if each["impact"] in {"serious", "critical"}
        ]


@contextmanager
def tab(browser: Browser, base: str, token: str = "") -> Iterator[Tab]:
    """Open a page in a context of its own; with a ``token``, somebody is logged in there."""
    width, height = DESKTOP
    context = browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion="reduce"
    )
    context.set_default_timeout(15_000)
    try:
        if token:
            log_in(context, base, token)
        page = context.new_page()
        opened = Tab(page, base)
        page.on("request", opened.asked)
        page.on("console", opened.told)
        page.on("dialog", opened.stopped)
        page.on("pageerror", lambda error: opened.said.append(str(error)))
        yield opened
    finally:
        context.close()


def log_in(context: BrowserContext, base: str, token: str) -> None:
    """Begin a session, as the login page does."""
    answer = context.request.post(f"{base}/api/v1/session", data={"token": token})
    assert answer.ok, answer.text()


@contextmanager
def looking(browser: Browser, control: RunningControl) -> Iterator[Tab]:
    """Open a page of a control plane as the holder of its token; nothing may go wrong on it."""
    with tab(browser, control.url, control.token) as opened:
        yield opened
        assert opened.foreign == [], opened.foreign
        assert opened.said == [], opened.said
