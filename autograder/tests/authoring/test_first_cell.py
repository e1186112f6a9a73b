"""The first cell: the messages of the public checks, the zip file of the last cell, and missing packages."""

from __future__ import annotations

import ast
import builtins
import itertools
import os
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import otter
import pytest
from nbformat import NotebookNode

from autograder.authoring.build import FIRST_CELL_METADATA, with_public_checks
from autograder.layout import HOME
from autograder.submissions.cells import FIRST_CELL
from autograder.tests.with_keras import quiet_keras

Names = dict[str, Any]
TEST = """
from otter.test_files import test_case
OK_FORMAT = False
name = "{name}"
points = None
@test_case(hidden=False)
def test_it(env):
    {body}
"""


def start(source: str, patch: pytest.MonkeyPatch, folder: Path) -> Names:
    """Run the first cell in `folder`; return its namespace."""
    patch.chdir(folder)
    patch.delenv("JPY_SESSION_NAME", raising=False)
    patch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    names: Names = {"__name__": "__main__"}
    exec(source, names)
    return names


@pytest.fixture
def names(template: NotebookNode, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Names:
    return start(template.cells[0].source, monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def k() -> Iterator[SimpleNamespace]:
    with quiet_keras() as kit:
        yield kit


def shown(names: Names, question: str) -> str:
    return repr(names["grader"].check(question))


def test_it_is_the_first_cell_hidden_from_view_and_any_python_can_read_it(template: NotebookNode) -> None:
    first = template.cells[0]
    assert (first.id, first.metadata) == (FIRST_CELL, FIRST_CELL_METADATA)
    assert first.source.startswith("# @title Run this cell first")
    ast.parse(first.source, feature_version=(3, 7))


def test_a_python_that_is_too_old_is_named(template: NotebookNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18, "final", 0))
    with pytest.raises(Exception, match=r"needs Python 3\.10 or newer; this kernel runs Python 3\.9\.") as caught:
        exec(template.cells[0].source, {})
    assert caught.value._render_traceback_() == [str(caught.value)]  # type: ignore[attr-defined]  # IPython's hook
    assert "Try: choose another kernel" in str(caught.value)


def test_an_otter_that_does_not_start_has_a_remedy(template: NotebookNode, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str, *rest: Any) -> Any:
        if name == "otter":
            raise ImportError("cannot import name 'x' from 'traitlets'")
        return real(name, *rest)

    real = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(Exception, match=r"does not start \(ImportError: cannot import name 'x'.*\nTry: restart the"):
        exec(template.cells[0].source, {})


def test_the_kit_itself_is_not_flagged_for_its_own_cell(template: NotebookNode) -> None:
    from autograder.judge.flags import literals
    from autograder.submissions.notebook import CodeCell

    assert list(literals([CodeCell(0, template.cells[0].source, None)])) == []


def messages(names: Names, question: str) -> str:
    """The messages of a question that does not pass."""
    ((id, passed, texts),) = names["grader"].check(question).parts
    assert (id, passed) == (question, False)
    return "\n".join(texts)


# What a student has in the kernel, and a fragment of the message: what was found, or the hint.
LOADED: dict[str, tuple[Names, str]] = {
    "nothing run": ({}, "no variable called `train_images_shape`"),
    "not answered": ({"train_images_shape": ...}, "`train_images_shape` is still ..."),
    "a wrong type": ({"train_images_shape": 3}, "`train_images_shape` is of type int\nExpected: a shape"),
    "a shape for a length": (
        {"train_images_shape": (1, 2), "train_labels_length": (3,)},
        "`train_labels_length` is of type tuple\nExpected: one whole number",
    ),
}


@pytest.mark.parametrize(("env", "words"), LOADED.values(), ids=LOADED)
def test_a_mistake_in_question_4_has_its_own_message(names: Names, env: Names, words: str) -> None:
    names |= env
    assert words in messages(names, "q4")
    assert messages(names, "q4").count("Found: ") == messages(names, "q4").count("\nTry: ") == 1


def test_shapes_and_numbers_of_any_type_are_accepted(names: Names) -> None:
    for shape, length in itertools.product(((1, 2, 3), [1, 2, 3], np.zeros(3)), (3, np.int64(3), np.array(3))):
        names |= {"train_images_shape": shape, "train_labels_length": length, "test_images_shape": shape}
        assert shown(names, "q4").startswith("q4: the public checks pass.")


Make = Callable[[Any], Names]


def trained(k: SimpleNamespace, **more: Any) -> Names:
    """Return a model after a step of training, and its history."""
    model = k.classic()
    model.compile("adam", "sparse_categorical_crossentropy")
    history = model.fit(np.zeros((2, 28, 28)), np.zeros(2), verbose=0)
    return {"model": model, "history": history, "test_accuracy": 0.1, **more}


def compiled(k: SimpleNamespace, **settings: Any) -> Names:
    model = k.classic()
    model.compile(**settings)
    return {"model": model}


BUILT: dict[str, tuple[Make, str]] = {
    "q5, nothing run": (lambda _: {}, "no variable called `model`"),
    "q5, not answered": (lambda _: {"model": ...}, "`model` is still ..."),
    "q5, a wrong type": (lambda _: {"model": [1]}, "`model` is of type list"),
    "q5, a class": (lambda k: {"model": k.Sequential}, "`model` is the class Sequential itself"),
    "q5, no layers": (lambda k: {"model": k.Sequential()}, "`model` has no layers"),
    "q5, not built": (lambda k: {"model": k.Sequential([k.flatten(), k.hidden()])}, "`model` has not been built"),
    "q5, all images": (
        lambda k: {"model": k.Sequential([k.keras.Input((60000, 28, 28)), k.flatten()])},
        "`model` takes inputs of shape (60000, 28, 28)",
    ),
    "q6, before question 5": (lambda _: {}, "answer question 5 first"),
    "q6, not compiled": (lambda k: {"model": k.classic()}, "`model` has not been compiled since it was built"),
    "q6, no loss": (lambda k: compiled(k, optimizer="adam"), "`model` was compiled without a loss"),
    "q7, the model overwritten": (lambda k: trained(k, model=None), "keep what fit returns under another name"),
    "q7, question 5 run again": (lambda k: trained(k, model=k.classic()), "run the cell of question 6"),
    "q7, questions 5 and 6 run again": (
        lambda k: trained(k) | compiled(k, loss="mse"),
        "run the cells of questions 5, 6 and 7 again",
    ),
    "q7, not trained": (
        lambda k: compiled(k, loss="mse") | {"history": ..., "test_accuracy": 0.1},
        "`model` has not been trained",
    ),
    "q7, run twice": (
        lambda k: trained(k, x_train=np.full((2, 28, 28), 1 / 255)),
        "the largest pixel of `x_train` is 0.0039",
    ),
    "q7, not measured": (lambda k: trained(k, test_accuracy=...), "`test_accuracy` is still ..."),
    "q7, both measures": (lambda k: trained(k, test_accuracy=[0.1, 0.9]), "`test_accuracy` is of type list"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", BUILT)
def test_a_mistake_with_a_model_has_its_own_message(names: Names, k: SimpleNamespace, case: str) -> None:
    make, words = BUILT[case]
    names |= make(k)
    found = messages(names, case[:2])
    assert words in found
    assert found.count("Found: ") == found.count("\nExpected: ") == found.count("\nTry: ") == 1


@pytest.mark.slow
def test_right_answers_pass_and_the_hidden_checks_are_named(names: Names, k: SimpleNamespace) -> None:
    names |= trained(k, test_accuracy=k.tf.constant(0.1), x_train=np.ones((2, 28, 28)))
    names |= {"train_images_shape": (1,), "train_labels_length": 1, "test_images_shape": (1,)}
    for question in ("q4", "q5", "q6", "q7"):
        assert re.match(
            rf"{question}: the public checks pass\.\n    .*hidden checks", shown(names, question), re.DOTALL
        )
    assert "All public checks pass. The points" in repr(names["grader"].check_all())


def test_checking_all_names_what_is_not_there_yet(names: Names) -> None:
    names |= {"train_images_shape": (1,), "train_labels_length": 1, "test_images_shape": (1,)}
    findings = names["grader"].check_all()
    assert repr(findings).endswith("Not there yet: q5, q6, q7.")
    assert "<p><strong>Not there yet: q5, q6, q7.</strong></p>" in findings._repr_html_()


def test_no_check_shows_its_code(names: Names) -> None:
    for question in ("q4", "q5", "q6", "q7"):
        assert not re.search(r"Traceback|Error|assert|line \d", shown(names, question))


def test_an_unknown_question_is_named_with_the_known_ones(names: Names, capsys: pytest.CaptureFixture[str]) -> None:
    assert names["grader"].check("q1") is None
    assert "no public check called 'q1'. The public checks are q4, q5, q6, q7." in capsys.readouterr().out


def test_a_students_text_cannot_become_a_page(names: Names) -> None:
    names["train_images_shape"] = type("<img src=x>`b`", (), {})()
    page = names["grader"].check("q4")._repr_html_()
    assert "<img" not in page
    assert "is of type &lt;img src=x&gt;<code>b</code>" in page


def test_a_check_that_breaks_says_so_without_its_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bodies = {"q1": "1 / 0", "q2": "assert False", "q3": "pass"}
    tests = {name: TEST.format(name=name, body=body) for name, body in bodies.items()}
    source = with_public_checks(HOME.first_cell.read_text(encoding="utf-8"), tests)
    names = start(source, monkeypatch, tmp_path)
    assert "(ZeroDivisionError: division by zero)" in messages(names, "q1")
    assert messages(names, "q2") == ""
    assert shown(names, "q3") == "q3: the public checks pass."


def test_files_beside_the_notebook_do_not_matter(
    template: NotebookNode, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "broken.ipynb").write_text("{", encoding="utf-8")
    (tmp_path / "tests").mkdir()
    assert "not there yet" in shown(start(template.cells[0].source, monkeypatch, tmp_path), "q4")


def test_a_students_own_names_do_not_get_in_the_way(names: Names) -> None:
    names |= dict.fromkeys(("re", "html", "Path", "question", "checks", "sys", "os"), 0)
    assert shown(names, "q4").startswith("q4: not there yet.")
    names["grader"].export()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Otter's own, on its way to a zip
@pytest.mark.parametrize("named_by", ["being the only one", "VS Code", "Jupyter"])
def test_the_last_cell_puts_the_notebook_into_a_zip(
    names: Names, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, named_by: str
) -> None:
    (tmp_path / "my work.ipynb").write_text("{}", encoding="utf-8")
    if named_by != "being the only one":
        (tmp_path / "another.ipynb").write_text("{}", encoding="utf-8")
    if named_by == "VS Code":
        names["__vsc_ipynb_file__"] = str(tmp_path / "my work.ipynb")
    elif named_by == "Jupyter":
        monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "my work.ipynb"))
    names["grader"].export()
    (zipped,) = tmp_path.glob("my work_*.zip")
    output = capsys.readouterr().out
    assert f"Created {zipped.name}" in output
    assert re.search(r"my work\.ipynb as saved at \d\d:\d\d:\d\d\.", output)
    with zipfile.ZipFile(zipped) as archive:
        assert {"my work.ipynb"} <= set(archive.namelist()) <= {"my work.ipynb", "__zip_filename__"}


@pytest.mark.parametrize("why", ["none", "several", "renamed since", "in another folder"])
def test_without_the_notebooks_file_in_the_current_folder_the_last_cell_says_what_to_do(
    names: Names, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    files = {"several": ("one.ipynb", "two.ipynb"), "in another folder": ("elsewhere/mine.ipynb",)}.get(why, ())
    (tmp_path / "elsewhere").mkdir()
    for name in files:
        (tmp_path / name).write_text("{}", encoding="utf-8")
    if why in ("renamed since", "in another folder"):
        monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "elsewhere" / "mine.ipynb"))
    names["grader"].export()
    assert "choose File > Download, and hand in the file" in capsys.readouterr().out
    assert not list(tmp_path.rglob("*.zip"))


def test_while_otter_grades_it_runs_its_own_checks(
    template: NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "q4.py").write_text(TEST.format(name="q4", body="assert False, 'hidden'"), encoding="utf-8")
    monkeypatch.setattr(otter.Notebook, "_grading_mode", True)
    monkeypatch.setattr(otter.Notebook, "_tests_dir_override", str(hidden))
    names = start(template.cells[0].source, monkeypatch, tmp_path)
    capsys.readouterr()
    result = names["grader"].check("q4")
    assert [case.passed for case in result.test_case_results] == [False]
    assert (names["grader"].check_all(), names["grader"].export()) == (None, None)
    assert capsys.readouterr().out == ""
    assert not any(path.suffix == ".zip" for path in Path(os.curdir).iterdir())
