"""The pages in a real browser: accessible, and no wider than the screen."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser

from autograder.gradebook.agreement import Agreement
from autograder.gradebook.mark import Progress
from autograder.gradebook.marked_report import MarkedClass
from autograder.report.class_report import class_report
from autograder.report.page import feedback_page
from autograder.tests.browsers import broken_rules
from autograder.tests.journals import RULES
from autograder.tests.reports import CLASS, graded, half_graded, hostile, marked, rejected, ungraded, whole

REPORTS = (
    marked(4),
    marked(1, "b"),
    graded(name="c", accuracy=0.2),
    *CLASS,
    half_graded(),
    hostile(),
    rejected(),
    ungraded(),
)
PAGES = {
    "class": class_report(
        MarkedClass(
            RULES,
            REPORTS,
            progress=(Progress("q1", "ann", 5, 7, 12),),
            agreements={"q1": Agreement(20, 85.0, 0.72, 0.41, 1.0)},
            flagged=[("b", "q1")],
        ),
        links={report.name: "feedback.html" for report in REPORTS},
    ),
    "marked": feedback_page(whole(), RULES),
    "hostile": feedback_page(hostile(), RULES),
}

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [("class", "light", 1400), ("class", "dark", 400), ("marked", "light", 400), ("hostile", "dark", 1400)],
)
def test_a_page_is_accessible_and_fits_the_screen(
    browser: Browser, name: str, scheme: Literal["light", "dark"], width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.set_content(PAGES[name])
    assert not broken_rules(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()
