"""The build: the files it makes, and the masters it rejects."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbformat import NotebookNode
from otter.test_files.exception_test import ExceptionTestFile

from autograder.authoring import build, master
from autograder.authoring.autograder_zip import read_tests
from autograder.errors import BuildError, DatasetError
from autograder.layout import HOME, Layout
from autograder.policy.policy import Policy
from autograder.submissions.cells import PLACEHOLDER
from autograder.tests.authoring.copies import replace


def test_the_committed_files_are_what_the_master_makes(layout: Layout) -> None:
    for mine, committed in ((layout.template, HOME.template), (layout.solution, HOME.solution)):
        assert mine.read_text(encoding="utf-8") == committed.read_text(encoding="utf-8"), "run `mnist-kit build`"


def test_the_same_input_makes_the_same_bytes(layout: Layout) -> None:
    again = build.build(layout)
    assert again.zip == layout.zip.read_bytes()
    assert build.stale_files(again, layout) == ()


def test_stale_generated_files_are_named(copy: Layout) -> None:
    copy.template.write_text("{}", encoding="utf-8")
    copy.solution.unlink()
    assert build.stale_files(build.build(copy), copy) == (copy.template, copy.solution)


def test_every_code_question_has_a_test_file_worth_its_points(layout: Layout, rules: Policy) -> None:
    tests = read_tests(layout.zip)
    assert tests.keys() == rules.code.keys()
    for id, text in tests.items():
        test = ExceptionTestFile.from_string(text, path=f"{id}.py")
        assert test.possible == rules.code[id].points
        public = [case.points for case in test.test_cases if not case.hidden]
        assert public
        assert not any(public)


def test_the_template_holds_no_hidden_test_no_answer_and_no_output(template: NotebookNode) -> None:
    text = json.dumps(template)
    assert not re.search(r"autograder|hidden=True|SOLUTION|units|sparse_categorical_crossentropy'|Dense\(128", text)
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in template.cells)


def test_every_question_has_a_prompt_with_its_points_an_answer_and_if_it_asks_for_code_a_check(
    template: NotebookNode, rules: Policy
) -> None:
    cells = {cell.id: cell.source for cell in template.cells}
    assert len(cells) == len(template.cells)
    for id, question in rules.questions.items():
        assert f"_Points:_ {question.points:g}" in cells[f"{id}-prompt"]
        assert question.title in cells[f"{id}-prompt"]
        assert f"{id}-answer" in cells
        assert (f"{id}-check" in cells) == (id in rules.code)
    assert [source for source in cells.values() if PLACEHOLDER in source] == [PLACEHOLDER] * 3


def test_the_solution_answers_everything_and_shows_no_authoring_marks(layout: Layout, rules: Policy) -> None:
    solution = nbformat.read(layout.solution, as_version=4)
    answers = {cell.id.partition("-")[0]: cell.source for cell in solution.cells if cell.id.endswith("-answer")}
    assert answers.keys() == rules.questions.keys()
    assert all(len(answer) > 40 for answer in answers.values())
    code = [cell.source for cell in solution.cells if cell.cell_type == "code"]
    assert not [source for source in code if re.search("SOLUTION|PROMPT|= \\.\\.\\.", source)]


def test_the_master_opens_in_jupyter_as_a_notebook() -> None:
    nbformat.validate(jupytext.read(HOME.master))


def test_points_without_a_share_in_grading_yml_are_divided_evenly(rules: Policy) -> None:
    layers = tuple(layer.model_copy(update={"points": None}) for layer in rules.code["q5"].layers or ())
    tests = "".join(master.hidden_tests("q5", rules.code["q5"].model_copy(update={"layers": layers})))
    assert re.findall(r"points: ([\d.]+)", tests) == ["2.66", "2.66", "2.68"]


def test_points_changed_in_grading_yml_change_everywhere(copy: Layout) -> None:
    replace(copy.policy, "points: 4\n    title: Compile", "points: 5\n    title: Compile")
    built = build.build(copy)
    assert "_Points:_ 5" in built.template
    assert built.tests["q6"].count("points=2.5") == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: q4", "name: q9", "question q9 is not in grading.yml"),
        ("name: q1\nmanual: true", "name: q1", "q1 is a written question in one of this file and grading.yml"),
        ("name: q4", "name: q5", "expected each question once; missing: q4"),
        ("# BEGIN TESTS", "# BEGIN TEZTS", "Otter Assign rejects the master"),
        ("runs_on: default", "runs_on: default\ncolour: red", "Otter Assign rejects the master"),
    ],
    ids=["unknown question", "wrong kind", "twice", "broken block", "unknown key"],
)
def test_a_master_that_does_not_fit_is_rejected_with_the_reason(copy: Layout, old: str, new: str, message: str) -> None:
    replace(copy.master, old, new)
    with pytest.raises(BuildError, match=re.escape(message)):
        build.build(copy)


ONCE, UNQUOTED = r"expected `_Grader\(\{\}\)` exactly once", "the public checks of q4 cannot be quoted"


@pytest.mark.parametrize(
    ("code", "check", "message"),
    [
        ("grader = 1", "", ONCE),
        ("_Grader({})\n_Grader({})", "", ONCE),
        *(("_Grader({})", check, UNQUOTED) for check in ("x = '''y'''", "x = 'y'", "x = 1 \\")),
    ],
)
def test_checks_that_cannot_be_put_into_the_first_cell_are_rejected(code: str, check: str, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        build.with_public_checks(code, {"q4": check})


@pytest.mark.parametrize("file", ["master", "first_cell"])
def test_a_missing_file_is_named(copy: Layout, file: str) -> None:
    path: Path = getattr(copy, file)
    path.unlink()
    with pytest.raises(BuildError, match=rf"{re.escape(path.name)} is missing"):
        build.build(copy)


def test_images_that_are_wrong_or_missing_stop_the_build(copy: Layout) -> None:
    copy.data("mnist").write_bytes(b"PK")
    with pytest.raises(DatasetError, match=r"mnist\.npz"):
        build.build(copy)
    replace(copy.policy, "dataset: mnist", "dataset: fashion_mnist")
    with pytest.raises(DatasetError, match=r"fashion_mnist\.npz is missing: .* `mnist-kit data fashion_mnist`"):
        build.build(copy)


def test_the_handout_has_the_notebook_and_its_public_checks(layout: Layout) -> None:
    handout = layout.dist / "handout"
    assert (handout / layout.template.name).read_bytes() == layout.template.read_bytes()
    checks = {path.stem: path.read_text(encoding="utf-8") for path in (handout / "tests").iterdir()}
    first = nbformat.read(layout.template, as_version=4).cells[0].source
    assert checks.keys() == {"q4", "q5", "q6", "q7"}
    assert all(text.strip() in first and "hidden=True" not in text for text in checks.values())
