"""Debian's Chromium for the tests of pages, and the rules of accessibility."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from autograder.tools.pictures import CHROMIUM

needs_chromium = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"NOT TESTED: no {CHROMIUM} (apt install chromium)"),
]


def broken_rules(page: Page) -> list[str]:
    """The rules of axe-core that the page breaks."""
    return [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in Axe().run(page).response["violations"]]
