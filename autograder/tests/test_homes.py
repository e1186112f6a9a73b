"""The template in the kernels of editors and of Colab, and in JupyterLab; grading it as each of them saves it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from playwright.sync_api import Browser, Page

from autograder.authoring.bundled_class import ANSWERS, FULL, fill
from autograder.engine.engine import Engine
from autograder.judge.grade_report import GradeReport
from autograder.layout import Layout
from autograder.submissions.cells import BY_PLACE
from autograder.submissions.notebook import NO_LABEL
from autograder.submissions.submission import Submission
from autograder.tests import homes
from autograder.tests.homes import run, shown

pytestmark = pytest.mark.slow
QUICK = ANSWERS["q7"].replace(
    "model.fit(x_train, y_train, epochs=3", "model.fit(x_train[:640], y_train[:640], epochs=1"
)
AT_THE_END = "All public checks pass. The points are given by hidden checks, after you hand in."


def only_first(template: NotebookNode, *before: str) -> NotebookNode:
    """Return a notebook of the template's first cell, after some cells of preparation."""
    return nbformat.v4.new_notebook(cells=[*map(new_code_cell, before), template.cells[0]])


def first_cell(executed: NotebookNode) -> str:
    return shown(executed, "intro-code")


def test_the_template_works_in_a_kernel_like_colabs(
    template: NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in homes.colab_kernel(tmp_path).items():
        monkeypatch.setenv(name, value)
    content = tmp_path / "content"
    content.mkdir()
    notebook = fill(template, {**ANSWERS, "q7": QUICK})
    notebook.cells.append(new_code_cell("import google.colab\ngrader.interpreter.name", id="where"))
    executed = run(notebook, content, kernel="colab")
    assert shown(executed, "where") == "'COLAB'", "Otter takes it for Colab"
    for question in ("q4", "q5", "q6", "q7"):
        assert f"{question}: the public checks pass." in shown(executed, f"{question}-check")
    assert AT_THE_END in shown(executed, "after_q7-code-2")
    message = "Save this notebook, choose File > Download > Download .ipynb, and hand in the file that you get.\n"
    assert shown(executed, "after_q7-code-3") == message
    assert {path.name for path in content.iterdir()} <= {".OTTER_LOG"}


def test_an_old_python_gets_a_message_without_a_traceback(template: NotebookNode, tmp_path: Path) -> None:
    old = "import sys\nsys.version_info = (3, 9, 18, 'final', 0)"
    executed = run(only_first(template, old), tmp_path, go_on=True)
    assert first_cell(executed) == (
        "This notebook needs Python 3.10 or newer; this kernel runs Python 3.9.\n"
        "Try: choose another kernel (menu Kernel, or at the top right), or open this file in Google Colab."
    )


def test_otter_is_installed_if_missing_or_the_message_says_how(
    template: NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in homes.kernel_without_otter(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    without = first_cell(run(only_first(template), tmp_path, kernel="bare", go_on=True))
    python = tmp_path / "bare" / "bin" / "python"
    assert "Missing, and not available here: otter-grader>=7,<8 (for Python 3." in without
    assert "What pip said: ERROR: No matching distribution found for otter-grader<8,>=7\n" in without
    assert f'in a terminal:\n  "{python}" -m pip install "otter-grader>=7,<8"\nOr open this file' in without
    assert "Traceback" not in without

    monkeypatch.setenv("PIP_FIND_LINKS", str(homes.otter_wheel(tmp_path / "wheels").parent))
    notebook = only_first(template)
    notebook.cells.append(new_code_cell('grader.check("q5")', id="check"))
    first = run(notebook, tmp_path, kernel="bare")
    assert first_cell(first).startswith("Installing otter-grader>=7,<8 ... ")
    assert first_cell(first).endswith("Ready. There are public checks for q4, q5, q6, q7.\n")
    assert "Found: no variable called `model`" in shown(first, "check")
    again = run(notebook, tmp_path, kernel="bare")
    assert first_cell(again) == "Ready. There are public checks for q4, q5, q6, q7.\n", "installed once"


def points(report: GradeReport) -> dict[str, float | None]:
    return {question.id: question.earned for question in report.questions if not question.written}


def written(report: GradeReport) -> dict[str, str | None]:
    return {question.id: question.answer for question in report.questions if question.written}


Save = Callable[[NotebookNode], bytes]
SAVED: dict[str, tuple[Save, tuple[str, ...]]] = {
    "VS Code": (homes.saved_by_vscode, ()),
    "an old VS Code": (homes.saved_by_old_vscode, (NO_LABEL, f"q1, q2, q3: {BY_PLACE}")),
    "Colab": (homes.saved_by_colab, (NO_LABEL, f"q1, q2, q3: {BY_PLACE}")),
}


def test_the_solution_scores_full_marks_as_each_editor_saves_it(engine: Engine, layout: Layout) -> None:
    solution = nbformat.read(layout.solution, as_version=4)
    answers = {
        id: cell.source for cell in solution.cells if (id := cell.id.removesuffix("-answer")) in ("q1", "q2", "q3")
    }
    submissions = [Submission(name, "solution.ipynb", save(solution)) for name, (save, _) in SAVED.items()]
    with ThreadPoolExecutor(2) as pool:
        for report in pool.map(engine.grade, submissions):
            assert (points(report), written(report)) == (FULL, answers), report.name
            assert report.notes == SAVED[report.name][1]


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
def lab(desk: Path, tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Lab]:
    with homes.jupyterlab(desk, tmp_path_factory.mktemp("own")) as address:
        yield Lab(browser.new_page(viewport={"width": 1280, "height": 900}), address)


@pytest.mark.browser
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


@pytest.mark.browser
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


@pytest.mark.browser
def test_the_solution_saved_by_jupyterlab_scores_full_marks(engine: Engine, lab: Lab, desk: Path) -> None:
    before = (desk / "solution.ipynb").read_bytes()
    lab.open("solution.ipynb")
    assert lab.run("intro-code").strip() == "Ready. There are public checks for q4, q5, q6, q7."
    lab.save()
    after = (desk / "solution.ipynb").read_bytes()
    assert before != after
    report = engine.grade(Submission("JupyterLab", "solution.ipynb", after))
    assert (points(report), report.notes) == (FULL, ())
