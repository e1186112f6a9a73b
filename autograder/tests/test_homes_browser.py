"""The template and the solution in JupyterLab in a real browser, and the solution graded as JupyterLab saves it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Page, sync_playwright

from autograder.authoring.bundled_class import ANSWERS, FULL
from autograder.engine.engine import Engine
from autograder.layout import Layout
from autograder.submissions.submission import Submission
from autograder.tests import homes
from autograder.tests.browsers import needs_chromium
from autograder.tests.test_homes import points
from autograder.tools.pictures import CHROMIUM

pytestmark = [pytest.mark.slow, *needs_chromium]


class Lab:
    """JupyterLab in a page, used with the keyboard as a student does; cells are named by their ids."""

    NOTEBOOK = "window.jupyterapp?.shell.currentWidget"

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address

    def open(self, name: str) -> None:
        self.page.goto(f"{self.address}{name}?reset")
        self.page.wait_for_function(
            f"() => {self.NOTEBOOK}?.context?.path === '{name}' && {self.NOTEBOOK}.context.isReady && "
            f"{self.NOTEBOOK}.sessionContext.session?.kernel?.status === 'idle'",
            timeout=120_000,
        )

    def press_menu(self, menu: str, entry: str) -> None:
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.get_by_text(entry, exact=True).first.click()

    def choose(self, id: str) -> None:
        self.page.evaluate(
            f"id => {{ const book = {self.NOTEBOOK}.content; book.mode = 'command'; "
            "book.activeCellIndex = book.widgets.findIndex(cell => cell.model.id === id); book.activate(); "
            "return book.scrollToItem(book.activeCellIndex); }",
            id,
        )

    def write(self, id: str, text: str) -> None:
        self.choose(id)
        self.page.keyboard.press("Enter")
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Escape")

    def run(self, id: str) -> str:
        """Run a cell. Return its output."""
        self.choose(id)
        self.page.keyboard.press("Control+Enter")
        self.settle()
        self.choose(id)
        return self.output(id)

    def output(self, id: str) -> str:
        """Return the output of a cell, as the browser shows it."""
        self.choose(id)
        text: str = self.page.evaluate(
            f"id => {self.NOTEBOOK}.content.widgets.find(cell => cell.model.id === id)"
            ".node.querySelector('.jp-OutputArea')?.innerText ?? ''",
            id,
        )
        return text

    def settle(self) -> None:
        """Wait until no cell is running or waiting."""
        self.page.wait_for_function(
            f"() => {self.NOTEBOOK}.content.widgets.every(cell => cell.model.executionState !== 'running') && "
            f"{self.NOTEBOOK}.sessionContext.session.kernel.status === 'idle'",
            timeout=180_000,
        )

    def save(self) -> None:
        self.page.keyboard.press("Control+S")
        self.page.wait_for_function(f"() => !{self.NOTEBOOK}.model.dirty")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, layout: Layout) -> Path:
    """The folder that JupyterLab shows."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copy(layout.template, folder)
    shutil.copy(layout.solution, folder)
    return folder


@pytest.fixture(scope="module")
def lab(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with homes.jupyterlab(desk, tmp_path_factory.mktemp("own")) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield Lab(browser.new_page(viewport={"width": 1280, "height": 900}), address)
        browser.close()


def test_the_template_runs_and_q4_is_answered(lab: Lab) -> None:
    lab.open("student_template.ipynb")
    assert not lab.page.get_by_text("_CannotStart").first.is_visible(), "the first cell is folded"
    lab.press_menu("Run", "Run All Cells")
    lab.page.wait_for_function(f"() => {Lab.NOTEBOOK}.content.widgets.at(-1).model.executionCount > 0", timeout=180_000)
    lab.settle()
    assert "Found: train_images_shape is still ..." in lab.output("q4-check")

    lab.write("q4-answer", ANSWERS["q4"])
    lab.run("q4-answer")
    passing = lab.run("q4-check")
    assert "q4 ✓ the public checks pass" in passing
    assert "The hidden checks look at the values." in passing

    lab.write("q4-answer", ANSWERS["q4"].replace("len(y_train)", "y_train.shape"))
    lab.run("q4-answer")
    failing = lab.run("q4-check")
    assert failing.split("\n")[-4:] == [
        "q4 ✗ not there yet",
        "Found: train_labels_length is of type tuple",
        "Expected: one whole number, such as 12",
        "Try: which function counts the entries of a list or an array?",
    ]
    assert lab.run("after_q7-code-2").rstrip().endswith("Not there yet: q4, q5, q6, q7.")


def test_the_last_cell_saves_the_open_notebook_and_zips_it(lab: Lab, desk: Path) -> None:
    if not lab.page.url.endswith("student_template.ipynb"):
        lab.open("student_template.ipynb")
        lab.run("intro-code")
    lab.write("q1-answer", "Written a second ago.")
    for zipped in desk.glob("*.zip"):
        zipped.unlink()
    assert ", in the folder of the notebook." in lab.run("after_q7-code-3")
    (made,) = desk.glob("student_template_*.zip")
    shutil.unpack_archive(made, desk / "unpacked")
    notebook = nbformat.read(desk / "unpacked" / "student_template.ipynb", as_version=4)
    assert "Written a second ago." in [cell.source for cell in notebook.cells]


def test_the_solution_saved_by_jupyterlab_scores_full_marks(engine: Engine, lab: Lab, desk: Path) -> None:
    before = (desk / "solution.ipynb").read_bytes()
    lab.open("solution.ipynb")
    assert lab.run("intro-code").strip() == "Ready. There are public checks for q4, q5, q6, q7."
    lab.save()
    after = (desk / "solution.ipynb").read_bytes()
    assert before != after
    report = engine.grade(Submission("JupyterLab", "solution.ipynb", after))
    assert (points(report), report.notes) == (FULL, ())
