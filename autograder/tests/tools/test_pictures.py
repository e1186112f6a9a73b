"""The pictures in the documents: taken from real pages, and small enough to look at."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from autograder.gradebook.database import DATABASE
from autograder.gradebook.gradebook import Gradebook
from autograder.review.class_review import open_review
from autograder.submissions.submission import Submission
from autograder.tests import reviews
from autograder.tools import pictures

LARGEST = 150 * 1024
WIDEST = 1280
KEPT = sorted(pictures.DOCUMENTS.glob("*.png"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A graded class of eight, one of them called as the solution of the bundled class is."""
    with Gradebook(tmp_path / DATABASE) as book:
        for number, report in enumerate(reviews.class_of(8, reviews.rules())):
            named = report if number else replace(report, name=pictures.SHOWN[1])
            book.record(Submission(named.name, named.source, b"%d" % number), str(number), named)
    return tmp_path


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.name)
def test_a_picture_is_small_enough_for_a_document(path: Path) -> None:
    assert path.stat().st_size < LARGEST
    with Image.open(path) as picture:
        assert picture.width <= WIDEST


def test_all_answers_are_marked_but_those_of_the_question_that_is_shown(folder: Path) -> None:
    with open_review(folder, reviewers=pictures.REVIEWERS) as review:
        pictures.mark(review, leave="q2")
        solution = review.stores.answers.find(pictures.SHOWN[1], "q2")
        assert solution is not None
        assert review.stores.answers.by_id(solution, "ann").mark is None
        pictures.mark(review)
        assert review.stores.answers.by_id(solution, "ann").mark is not None
        assert {(each.done, each.total) for each in review.stores.answers.progress() if each.reviewer is None} == {
            (8, 8)
        }


@pytest.mark.browser
@pytest.mark.skipif(not pictures.CHROMIUM.exists(), reason=f"NOT TESTED: no {pictures.CHROMIUM} (apt install chromium)")
def test_both_pictures_are_taken_of_a_graded_class(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    place, before = tmp_path_factory.mktemp("pictures"), (folder / DATABASE).read_bytes()
    pictures.main(folder, place)
    assert sorted(path.name for path in place.iterdir()) == ["report.png", "review.png"]
    for path in place.iterdir():
        with Image.open(path) as picture:
            assert len(picture.convert("RGB").getcolors(pictures.COLOURS) or ()) > 20, "a page was drawn"
    assert (folder / DATABASE).read_bytes() == before, "the marks went into a copy"


def test_a_picture_with_a_palette_shows_the_same() -> None:
    out = io.BytesIO()
    Image.new("RGB", (4, 4), (10, 200, 30)).save(out, "png")
    with Image.open(io.BytesIO(pictures.shrunk(out.getvalue()))) as small:
        assert small.mode == "P"
        assert small.convert("RGB").getpixel((3, 3)) == (10, 200, 30)
