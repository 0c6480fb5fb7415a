"""Texts of a page that are hard to read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.sync_api import Page

_SCRIPT: Final = Path(__file__).with_name("contrast.js")


def weak_texts(page: Page, least: int = 100) -> list[str]:
    """The texts of a page with all that can be opened open that have too little contrast, of `least` texts or more."""
    page.get_by_role("button", name="Open all").click()
    result = page.evaluate(_SCRIPT.read_text("utf-8").partition("\n")[2])
    assert result["count"] > least
    weak: list[str] = result["weak"]
    return weak
