"""Master → template, solution and autograder zip, through Otter Assign.

`exercise.md` holds the prose, the solutions and the public checks. Points and hidden tests come from
grading.yml: every hidden test is one line that calls `autograder.judge.checks`.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
import re
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from autograder.authoring.first_cell import METADATA, opening
from autograder.data import dataset
from autograder.errors import BuildError
from autograder.layout import Layout
from autograder.policy.grading_file import load
from autograder.policy.policy import Policy
from autograder.policy.questions import AccuracyRule, CodeQuestion, share
from autograder.submissions.cells import ANSWER_TAG, PLACEHOLDER, answer_tag, cell_id

__all__ = ["Built", "build", "hidden_tests", "is_stale", "master", "read_tests", "stale", "write"]

FILES = "files"
"""The folder of the zip that Otter puts beside the tests: here the kit itself."""

EPOCH = (2026, 1, 1, 0, 0, 0)
"""The date of every zip entry, so that the same input makes the same zip."""


PACKAGE = Path(__file__).parent.parent
CONTAINER = PACKAGE / "gradescope"
EXECUTABLE = ("setup.sh", "run_autograder")
NOT_SHIPPED = frozenset({"tests", "tools", "docs", "__pycache__"})
"""Folders of the package that a container has no use for."""

# Otter Assign's marks in the solution notebook.
SOLUTION_TAG = "otter_assign_solution_cell"
PROMPT_BLOCK = re.compile(r'""" # BEGIN PROMPT\n.*?""" # END PROMPT', re.DOTALL)
SOLUTION_LINE = re.compile(r"\s*# (BEGIN|END) SOLUTION")
SOLUTION_MARK = re.compile(r"\s*# SOLUTION( NO PROMPT)?$")


@dataclass(frozen=True)
class Built:
    """Everything a build makes, in memory; notebooks are JSON text, tests are Otter test files by question.

    `public` are the tests that students get, `tests` those that grade.
    """

    template: str
    solution: str
    public: dict[str, str]
    tests: dict[str, str]
    zip: bytes


def build(layout: Layout) -> Built:
    """Build everything in a temporary folder; nothing is written to `layout`.

    Raises PolicyError, DatasetError, or BuildError where the master and grading.yml do not fit together.
    """
    policy = load(layout.policy)
    dataset.load(layout.data(policy.assignment.dataset))
    notebook = master(layout, policy)
    first_cell = _first_cell(layout)
    with tempfile.TemporaryDirectory(prefix="mnist-kit-build-") as folder:
        path = Path(folder) / "master" / layout.template.name
        path.parent.mkdir()
        nbformat.write(notebook, path)
        out = Path(folder) / "out"
        _assign(path, out)
        template = nbformat.read(out / "student" / path.name, as_version=4)
        solution = nbformat.read(out / "autograder" / path.name, as_version=4)
        archive = next((out / "autograder").glob("*.zip"))
        zipped, tests = _repack(archive, layout, policy)
    _settle(solution)
    public = dict(template.metadata["otter"]["tests"])
    for finished in (template, solution):
        _open(finished, opening(first_cell, public))
        _tidy(finished, policy)
    return Built(_text(template), _text(solution), public, tests, zipped)


def write(built: Built, layout: Layout) -> tuple[Path, ...]:
    """Put a build in its places; returns the paths written."""
    layout.dist.mkdir(exist_ok=True)
    layout.template.write_text(built.template, encoding="utf-8")
    layout.solution.write_text(built.solution, encoding="utf-8")
    layout.zip.write_bytes(built.zip)
    handout = layout.dist / "handout"
    shutil.rmtree(handout, ignore_errors=True)
    shutil.copytree(layout.root / "assignment" / "handout", handout)
    shutil.copy(layout.template, handout)
    (handout / "tests").mkdir()
    for id, text in built.public.items():
        (handout / "tests" / f"{id}.py").write_text(text, encoding="utf-8")
    return layout.template, layout.solution, layout.zip, handout


def stale(built: Built, layout: Layout) -> tuple[Path, ...]:
    """The committed generated files that are not what a build makes now."""
    wanted = {layout.template: built.template, layout.solution: built.solution}
    return tuple(path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text)


def is_stale(layout: Layout) -> bool:
    """Whether the zip is missing, or was made from another master, policy or kit."""
    if layout.unpacked:
        return False
    try:
        with zipfile.ZipFile(layout.zip) as archive:
            manifest = json.loads(archive.read(f"{FILES}/{layout.manifest.name}"))
        return bool(manifest != _manifest(layout, load(layout.policy)))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):  # whatever is missing, a build says it better
        return True


def read_tests(path: Path) -> dict[str, str]:
    """The Otter test files, by question, in an autograder zip or a folder. Raises BuildError where there are none."""
    try:
        if path.is_dir():
            return {file.stem: file.read_text(encoding="utf-8") for file in sorted(path.glob("*.py"))}
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if re.fullmatch(r"tests/\w+\.py", name)]
            tests = {Path(name).stem: archive.read(name).decode() for name in sorted(names)}
    except (OSError, zipfile.BadZipFile) as error:
        raise BuildError(f"{path} cannot be read ({error}): run `mnist-kit build`") from None
    if not tests:
        raise BuildError(f"{path} holds no tests: run `mnist-kit build`")
    return tests


def master(layout: Layout, policy: Policy) -> NotebookNode:
    """The master notebook as Otter Assign reads it: points and hidden tests put in.

    Raises BuildError where its questions are not those of grading.yml.
    """
    try:
        import jupytext  # here, because it takes a second, and a run of `grade` seldom builds

        notebook = jupytext.read(layout.master)
    except FileNotFoundError:
        raise BuildError(f"{layout.master} is missing") from None
    cells: list[NotebookNode] = []
    question: str | None = None
    seen: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "raw" and cell.source.startswith("# ASSIGNMENT CONFIG"):
            cell.source += f"\nname: {policy.assignment.name}"
        if cell.cell_type == "raw" and cell.source.startswith("# BEGIN QUESTION"):
            config = yaml.safe_load(cell.source)
            question = str(config["name"])
            seen.append(question)
            if question not in policy.questions:
                raise BuildError(f"{layout.master}: question {question} is not in {layout.policy.name}")
            if bool(config.get("manual")) != (question in policy.written):
                raise BuildError(
                    f"{layout.master}: {question} is written in one of the two files and code in the other"
                )
            if question in policy.written:
                cell.source += f"\npoints: {policy.questions[question].points:g}"
        if cell.cell_type == "raw" and cell.source.startswith("# END TESTS") and question in policy.code:
            cells += [new_code_cell(source) for source in hidden_tests(question, policy.code[question])]
        cells.append(cell)
    missing = sorted(set(policy.questions) - set(seen))
    if missing or len(seen) != len(set(seen)):
        raise BuildError(f"{layout.master}: each question once, please; missing: {', '.join(missing) or 'none'}")
    notebook.cells = [*cells]
    notebook.metadata.pop("jupytext", None)
    return notebook


def hidden_tests(id: str, question: CodeQuestion) -> Iterator[str]:
    """The hidden test cells of a question, in the order they are shown."""
    if question.reports is not None:
        for name, points in question.reports.items():
            yield _test(name, f"report(env, {id!r}, {name!r})", points)
    elif question.layers is not None:
        even = share(question.points, len(question.layers))
        for index, layer in enumerate(question.layers):
            yield _test(f"layer_{index + 1}", f"layer(env, {id!r}, {index})", layer.points or even[index])
    elif question.accuracy is not None:
        yield from _accuracy_tests(id, question.points, question.accuracy)
    else:
        for part, points in zip(("optimizer", "loss"), share(question.points, 2), strict=True):
            yield _test(part, f"compile_{part}(env, {id!r})", points)


def _accuracy_tests(id: str, points: float, rule: AccuracyRule) -> Iterator[str]:
    """What explains a low accuracy stands before it."""
    if rule.scaled is not None:
        yield _test("scaled_pixels", f"scaled(env, {id!r})", rule.scaled)
    before = 0.0
    for level, reached in enumerate([*(points for _, points in rule.bands), points - rule.other_points]):
        yield _test(f"accuracy_level_{level + 1}", f"accuracy(env, {id!r}, {level})", round(reached - before, 6))
        before = reached
    for name, worth in (rule.measured or {}).items():
        yield _test(name, f"measured(env, {id!r}, {name!r})", worth)


def _test(name: str, call: str, points: float) -> str:
    return (
        f'""" # BEGIN TEST CONFIG\nhidden: true\npoints: {points:g}\n""" # END TEST CONFIG\n'
        f"def test_{name}(env):\n    from autograder.judge import checks\n    checks.{call}"
    )


def _assign(path: Path, out: Path) -> None:
    """Otter Assign, with what it says kept for the error message."""
    from otter.assign import main as otter_assign

    said = io.StringIO()
    logger = logging.getLogger("otter")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            otter_assign(str(path), str(out), no_pdfs=True, no_run_tests=True)
    except Exception as error:  # Otter raises many kinds, all of them about the master
        raise BuildError(f"otter assign refuses the master: {error}\n{said.getvalue()[-2000:]}") from error
    finally:
        logger.setLevel(before)


def _settle(solution: NotebookNode) -> None:
    """Take Otter's authoring marks out of the solution, so that it reads as a student's notebook would."""
    model_answers = [cell for cell in solution.cells if SOLUTION_TAG in cell.metadata.get("tags", [])]
    written = [cell for cell in model_answers if cell.cell_type == "markdown"]
    solution.cells = [cell for cell in solution.cells if not (written and cell.source == PLACEHOLDER)]
    for cell in model_answers:
        cell.metadata["tags"] = [ANSWER_TAG]
        cell.source = PROMPT_BLOCK.sub("", cell.source)
        lines = [SOLUTION_MARK.sub("", line) for line in cell.source.splitlines() if not SOLUTION_LINE.match(line)]
        cell.source = "\n".join(lines).strip()


def _first_cell(layout: Layout) -> str:
    try:
        return layout.first_cell.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BuildError(f"{layout.first_cell} is missing") from None


def _open(notebook: NotebookNode, source: str) -> None:
    """Begin with the kit's own first cell in the place of Otter's."""
    (first,) = [cell for cell in notebook.cells if cell.source.startswith("# Initialize Otter")]
    first.source, first.metadata = source, nbformat.from_dict(METADATA)


def _tidy(notebook: NotebookNode, policy: Policy) -> None:
    """Cell ids that say what a cell is, and nothing that differs from build to build."""
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
                role, cell.metadata["tags"] = "answer", [ANSWER_TAG, answer_tag(owner)]
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


def _repack(archive: Path, layout: Layout, policy: Policy) -> tuple[bytes, dict[str, str]]:
    """Otter's zip with a manifest, the same bytes for the same input."""
    out = io.BytesIO()
    tests: dict[str, str] = {}
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        entries = {name: source.read(name) for name in sorted(source.namelist())}
        entries |= {name: (CONTAINER / name).read_bytes() for name in (*EXECUTABLE, "requirements.txt")}
        entries |= {f"{FILES}/{name}": content for name, content in _kit(layout, policy).items()}
        for name, content in entries.items():
            info = zipfile.ZipInfo(name, EPOCH)
            executable = name in EXECUTABLE
            info.external_attr = (0o755 if executable else 0o644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, content)
            if name.startswith("tests/"):
                tests[Path(name).stem] = content.decode()
    missing = set(policy.code) - set(tests)
    if missing:
        raise BuildError(f"otter assign made no tests for {', '.join(sorted(missing))}")
    return out.getvalue(), tests


def _kit(layout: Layout, policy: Policy) -> dict[str, bytes]:
    """What a container needs to grade: package, policy, images and calibration; neither master nor solution."""
    manifest = json.dumps(_manifest(layout, policy), indent=1).encode()
    shipped = _shipped(layout, policy).items()
    return {**{name: path.read_bytes() for name, path in shipped}, layout.manifest.name: manifest}


def _shipped(layout: Layout, policy: Policy) -> dict[str, Path]:
    """The files that go into the zip as they are, by the name they have below FILES."""
    package = {path.relative_to(PACKAGE.parent): path for path in sorted(PACKAGE.rglob("*")) if path.is_file()}
    files = {name.as_posix(): path for name, path in package.items() if not NOT_SHIPPED & set(name.parts)}
    calibration = [layout.calibration] if layout.calibration.exists() else []
    own = (layout.policy, layout.data(policy.assignment.dataset), layout.images / "README.md", *calibration)
    return files | {path.relative_to(layout.root).as_posix(): path for path in own}


def _manifest(layout: Layout, policy: Policy) -> dict[str, str]:
    """SHA-256 of everything the zip was made from, by name. Raises OSError where some of it is missing."""
    files = {**_shipped(layout, policy), "master": layout.master, "first cell": layout.first_cell}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


def _text(notebook: NotebookNode) -> str:
    return str(nbformat.writes(notebook)) + "\n"
