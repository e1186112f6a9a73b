"""Pictures of the class report and the review, for the documents.

    python -m autograder.tools.pictures [FOLDER]

FOLDER is the output of `mnist-kit demo`; `make pictures` runs both. The tool marks a copy of its gradebook as a
reviewer would and takes screenshots with Debian's Chromium. Writes `docs/report.png` and `docs/review.png`.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from PIL import Image
from playwright.sync_api import Browser, FloatRect, ViewportSize, sync_playwright

from autograder.gradebook.database import DATABASE, existing_location
from autograder.gradebook.mark import Draft
from autograder.report import result_files
from autograder.review import class_review, serve
from autograder.review.class_review import ClassReview, open_review

__all__ = ["ITEMS", "main", "mark", "shrunk"]

DOCUMENTS = Path(__file__).parent.parent / "docs"
CHROMIUM = Path("/usr/bin/chromium")
REVIEWERS = ("ann", "ben")
SHOWN = ("q2", "solution")  # question and submission of the answer in the picture of the review
ITEMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"q1": ("fit", "unseen"), "q2": ("relu", "softmax", "ten"), "q3": ("loss", "optimizer")}
)
"""Rubric items for the written answers of the bundled class; the solution gets all of them, an empty answer none."""

COMMENT = "Right, and well said: without the bend, two layers could do no more than one."
MARKING: ViewportSize = {"width": 1280, "height": 700}
REPORT: ViewportSize = {"width": 1000, "height": 900}
END = "h2#questions"
"""The heading of the report where its picture ends."""

COLOURS = 128
FEW = 6


def main(folder: Path, place: Path = DOCUMENTS) -> None:
    """Take both pictures of the class in `folder`. Raises GradebookError if no class was graded there."""
    with tempfile.TemporaryDirectory(prefix="mnist-kit-pictures-") as scratch:
        copy = Path(scratch)
        shutil.copy(existing_location(folder, None), copy / DATABASE)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            with open_review(copy, reviewers=REVIEWERS) as review:
                mark(review, leave=SHOWN[0])
                (place / "review.png").write_bytes(shrunk(_review(browser, review)))
                mark(review)
            (place / "report.png").write_bytes(shrunk(_report(browser, copy)))
            browser.close()


def mark(review: ClassReview, leave: str = "") -> None:
    """Mark every unmarked answer; of the question `leave` only the first few, without the solution's."""
    for question, items in ITEMS.items():
        last = FEW if question == leave else review.stores.answers.question_progress(question).answers
        for number in range(1, last + 1):
            place = review.stores.answers.at(question, number, REVIEWERS[0])
            reviewer, best = place.answer.reviewers[0], place.answer.submission == SHOWN[1]
            if place.mark is not None or (best and question == leave):
                continue
            given = tuple(item.id for item in review.stores.rubrics.current(question).items) if best else items
            draft = Draft(given if place.answer.text else ())
            review.stores.marks.save(place.answer.id, reviewer, draft, 0, f"{question} {number}")


def shrunk(picture: bytes) -> bytes:
    """Reduce a PNG to a palette, which is enough for a page's few colours."""
    out = io.BytesIO()
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    image.save(out, "png", optimize=True)
    return out.getvalue()


def _review(browser: Browser, review: ClassReview) -> bytes:
    """Photograph a reviewer at work: three items given, a comment written, nothing saved yet."""
    answer = review.stores.answers.find(SHOWN[1], SHOWN[0])
    assert answer is not None  # the bundled class has a solution
    place = review.stores.answers.by_id(answer, REVIEWERS[0])
    with serve.running(review) as server:
        page = browser.new_page(viewport=MARKING, color_scheme="light")
        page.goto(server.links[REVIEWERS[0]])
        page.goto(f"{page.url.rstrip('/')}/question/{SHOWN[0]}/{place.number}")
        page.wait_for_load_state("networkidle")
        for key in ("1", "2", "3", "c"):
            page.keyboard.press(key)
        page.keyboard.type(COMMENT)
        page.keyboard.press("Escape")
        return page.screenshot(animations="disabled")


def _report(browser: Browser, folder: Path) -> bytes:
    """Photograph the upper part of the report."""
    written = result_files.write_class_report(class_review.marked_class(folder), folder)
    page = browser.new_page(viewport=REPORT, color_scheme="light")
    page.goto(written.as_uri())
    end = page.locator(END).bounding_box()
    assert end is not None
    clip: FloatRect = {"x": 0, "y": 0, "width": REPORT["width"], "height": end["y"] - 24}
    return page.screenshot(clip=clip, full_page=True, animations="disabled")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out"))
