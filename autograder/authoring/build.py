"""Build the template, the solution and the autograder zip from the master, through Otter Assign.

`exercise.md` holds the prose, the solutions and the public checks; points and hidden tests come from grading.yml.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder import atomic
from autograder.authoring import autograder_zip
from autograder.authoring.master import read_master
from autograder.data import dataset
from autograder.errors import BuildError
from autograder.layout import Layout
from autograder.policy.grading_file import load
from autograder.policy.policy import Policy
from autograder.submissions.cells import ANSWER_TAG, PLACEHOLDER, cell_id

__all__ = ["Built", "build", "ensure_built", "stale_files", "with_public_checks", "write"]

# The marks of Otter Assign in the solution notebook.
SOLUTION_TAG = "otter_assign_solution_cell"
PROMPT_BLOCK = re.compile(r'""" # BEGIN PROMPT\n.*?""" # END PROMPT', re.DOTALL)
SOLUTION_LINE = re.compile(r"\s*# (BEGIN|END) SOLUTION")
SOLUTION_MARK = re.compile(r"\s*# SOLUTION( NO PROMPT)?$")

FIRST_CELL_METADATA: Mapping[str, Any] = {
    "cellView": "form",  # Colab shows only the title
    "deletable": False,
    "editable": False,
    "jupyter": {"source_hidden": True},  # JupyterLab shows only the first line
}
NO_CHECKS = "_Grader({})"  # the place in the code of the first cell where the public checks go


@dataclass(frozen=True)
class Built:
    """The products of a build, in memory: notebooks as JSON text, Otter test files by question, the zip as bytes.

    `public` are the tests that students get, `tests` those that grade.
    """

    template: str
    solution: str
    public: dict[str, str]
    tests: dict[str, str]
    zip: bytes


def build(layout: Layout, policy: Policy | None = None) -> Built:
    """Build everything in a temporary folder; write nothing to `layout`. `policy` is the loaded grading.yml, if any.

    Raises PolicyError, DatasetError, or BuildError if the master and grading.yml do not fit together.
    """
    policy = policy or load(layout.policy)
    dataset.load(layout.data(policy.assignment.dataset))
    master = read_master(layout, policy)
    try:
        code = layout.first_cell.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BuildError(f"{layout.first_cell} is missing") from None
    with tempfile.TemporaryDirectory(prefix="mnist-kit-build-") as folder:
        path = Path(folder) / "master" / layout.template.name
        path.parent.mkdir()
        nbformat.write(master, path)
        out = Path(folder) / "out"
        _run_otter_assign(path, out)
        template = nbformat.read(out / "student" / path.name, as_version=4)
        solution = nbformat.read(out / "autograder" / path.name, as_version=4)
        otter_zip = next((out / "autograder").glob("*.zip"))
        zipped, tests = autograder_zip.pack(otter_zip, layout, policy)
    _remove_authoring_marks(solution)
    public = dict(template.metadata["otter"]["tests"])
    for notebook in (template, solution):
        (first,) = [cell for cell in notebook.cells if cell.source.startswith("# Initialize Otter")]
        first.source, first.metadata = with_public_checks(code, public), nbformat.from_dict(FIRST_CELL_METADATA)
        _normalize(notebook, policy)
    return Built(nbformat.writes(template) + "\n", nbformat.writes(solution) + "\n", public, tests, zipped)


def ensure_built(layout: Layout, policy: Policy) -> bool:
    """Build and write everything if the zip is stale; return whether it was. Raises what `build` raises."""
    stale = autograder_zip.is_stale(layout, policy)
    if stale:
        write(build(layout, policy), layout)
    return stale


def write(built: Built, layout: Layout) -> tuple[Path, ...]:
    """Write the products of a build to their paths, which are returned."""
    layout.dist.mkdir(exist_ok=True)
    atomic.write(layout.template, built.template)
    atomic.write(layout.solution, built.solution)
    atomic.write(layout.zip, built.zip)
    handout = layout.dist / "handout"
    shutil.rmtree(handout, ignore_errors=True)
    shutil.copytree(layout.root / "assignment" / "handout", handout)
    shutil.copy(layout.template, handout)
    (handout / "tests").mkdir()
    for id, text in built.public.items():
        (handout / "tests" / f"{id}.py").write_text(text, encoding="utf-8")
    return layout.template, layout.solution, layout.zip, handout


def stale_files(built: Built, layout: Layout) -> tuple[Path, ...]:
    """Return the committed generated files that differ from this build."""
    wanted = {layout.template: built.template, layout.solution: built.solution}
    return tuple(path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text)


def with_public_checks(code: str, tests: Mapping[str, str]) -> str:
    """Return the source of the template's first cell: assignment/first_cell.py with Otter test files by question.

    So the notebook is one file that works by itself, even on Colab, where it cannot read files next to it. Raises
    BuildError unless NO_CHECKS occurs exactly once in `code` and every test can be quoted.
    """
    if code.count(NO_CHECKS) != 1:
        raise BuildError(
            f"assignment/first_cell.py: expected `{NO_CHECKS}` exactly once; the public checks are put there"
        )
    for question, text in tests.items():
        if "'''" in text or text.endswith(("'", "\\")):
            raise BuildError(
                f"the public checks of {question} cannot be quoted in the first cell: they must not contain ''', "
                "nor end in ' or \\"
            )
    quoted = "".join(f"    \"{question}\": r'''{text.strip()}\n''',\n" for question, text in tests.items())
    return code.replace(NO_CHECKS, f"_Grader({{\n{quoted}}})").strip()


def _run_otter_assign(path: Path, out: Path) -> None:
    """Run Otter Assign, with its output kept for the error message."""
    from otter.assign import main as otter_assign

    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            otter_assign(str(path), str(out), no_pdfs=True, no_run_tests=True)
    except Exception as error:  # Otter raises many kinds of errors, all of them about the master
        raise BuildError(f"Otter Assign rejects the master: {error}\n{output.getvalue()[-2000:]}") from error


def _remove_authoring_marks(solution: NotebookNode) -> None:
    """Remove the marks of Otter Assign, so that the solution reads like a student's notebook."""
    model_answers = [cell for cell in solution.cells if SOLUTION_TAG in cell.metadata.get("tags", [])]
    if any(cell.cell_type == "markdown" for cell in model_answers):
        solution.cells = [cell for cell in solution.cells if cell.source != PLACEHOLDER]
    for cell in model_answers:
        cell.metadata["tags"] = [ANSWER_TAG]
        source = PROMPT_BLOCK.sub("", cell.source)
        lines = [SOLUTION_MARK.sub("", line) for line in source.splitlines() if not SOLUTION_LINE.match(line)]
        cell.source = "\n".join(lines).strip()


def _normalize(notebook: NotebookNode, policy: Policy) -> None:
    """Give each cell an id that says what it is, and remove everything that differs between builds."""
    counts: Counter[str] = Counter()
    owner = "intro"
    for cell in notebook.cells:
        role = "text" if cell.cell_type != "code" else "code"
        check = re.match(r'grader\.check\("(\w+)"\)', cell.source)
        heading = re.search(r"^### Question (\d+)\.", cell.source, re.MULTILINE)
        if heading:
            owner, role = f"q{heading[1]}", "prompt"
        elif check:
            role = "check"
        elif owner in policy.questions:
            tags = cell.metadata.get("tags", [])
            answered = counts[cell_id(owner, "answer")]
            if (owner in policy.written and tags) or (owner in policy.code and role == "code" and not answered):
                role, cell.metadata["tags"] = "answer", [ANSWER_TAG, cell_id(owner, "answer")]
        name = cell_id(owner, role)
        cell.id = cell_id(owner, role, counts[name] and counts[name] + 1)
        counts[name] += 1
        if check or (owner in policy.written and role == "answer"):
            owner = f"after_{owner}"
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "otter": {"assignment_name": policy.assignment.name},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
