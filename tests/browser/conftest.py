"""A headless Chromium, which has to be there under CI, and pages opened in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from harness.settings import under_ci

OpenHtml = Callable[..., Page]
"""Takes the text of a page, perhaps a fragment of its address, and options of a browser context."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, driven by Playwright. Where there is none a test is skipped, and under CI it fails."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        no_browser = "no chromium on PATH: `apt-get install chromium`"
        if under_ci():
            pytest.fail(no_browser)
        pytest.skip(no_browser)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def open_html(browser: Browser, tmp_path: Path) -> Iterator[OpenHtml]:
    """Opens the text of a page; at the end nothing has been logged, raised, asked or loaded beside the file."""
    complaints: list[str] = []
    contexts = []

    def open_page(text: str, fragment: str = "", **options: Any) -> Page:
        file = tmp_path / "page.html"
        file.write_text(text, "utf-8")
        context = browser.new_context(**options)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: None if request.url == file.as_uri() else complaints.append(request.url))
        page.goto(file.as_uri() + fragment)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
