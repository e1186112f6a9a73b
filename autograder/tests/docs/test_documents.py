"""The documents: every link has a target, every command and file exists, and every example runs.

The language of a block of code is `sh`, `yaml`, `diff` or `text`. The `sh` blocks run in a copy of the repository, in
the order of the documents, as a reader would type them; the copy holds files called `SUBMISSIONS`, `CLASS.csv` and so
on. A block after a comment such as `<!-- needs Docker -->` does not run here: ELSEWHERE names the test that runs it.
A `yaml` block is a part of grading.yml: a question in it replaces the one of that name, everything else is added.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
import typer
import yaml

from autograder.authoring.bundled_class import LOAD, PROSE, Member
from autograder.cli.app import app
from autograder.data.dataset import DATASETS
from autograder.layout import HOME, Layout
from autograder.policy import grading_file
from autograder.policy.policy import Policy

ROOT, BIN = HOME.root, Path(sys.executable).parent
PACKAGE = ROOT / "autograder"
TESTS = PACKAGE / "tests"

ORDER = ("README.md", "autograder/docs/instructors.md", "autograder/docs/reviewers.md")
"""The documents to run first: they make files that the others use."""

APART = frozenset({"dist", "out", "mutants", "node_modules"})
DOCUMENTS = tuple(
    sorted(
        (
            path
            for path in ROOT.rglob("*.md")
            if path != HOME.master
            and not any(part.startswith(".") or part in APART for part in path.relative_to(ROOT).parts)
        ),
        key=lambda path: (path.relative_to(ROOT).as_posix() not in ORDER, path),
    )
)
STUDENTS = ROOT / "assignment" / "handout" / "README.md"

CHANGES = PACKAGE / "docs" / "changing-the-assignment.md"
"""Its edits and commands make another assignment; test_changing_the_assignment.py runs all of them."""

BY_PEOPLE = "by people, at a release"
ELSEWHERE: Mapping[str, str] = {
    "make demo": ".ci/run",
    "make test": ".ci/run",
    "make lock": BY_PEOPLE,
    "make setup": ".ci/run",
    "make bench": BY_PEOPLE,
    "make pictures": "test_pictures.py",
    "make build": "test_build.py",
    ".ci/run": BY_PEOPLE,
    "mnist-kit new-term": "test_new_term.py",
    "mnist-kit calibrate": "test_calibrate.py",
    "mnist-kit grade --regrade": "test_app.py",
    "mnist-kit grade --docker": "test_containers.py",
    "mnist-kit grade --dask": "test_cluster.py",
    "mnist-kit review --database": "test_database.py",
    "otter grade": "test_containers.py",
    "otter run": "test_stock_otter.py",
    "pytest --submission": "test_app.py",
    "ssh -N": BY_PEOPLE,
}
"""The test file or the script that runs an example that does not run here, by words of the example."""

FENCE = re.compile(
    r"(?:^ *<!-- *(?P<mark>[^\n]*?) *-->\n)?^ *```(?P<kind>[^\n]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
KINDS = frozenset({"diff", "sh", "yaml", "text"})
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"")
FILE = re.compile(r"[\w./*-]+\.(py|md|yml|json|sh|html|csv|db|ipynb|zip|npz|js|css|svg|png|lock|toml|sqlite)")
PLACEHOLDER = re.compile(r"\b[A-Z]{2,}\b")
WRITTEN = frozenset({"final_grades.csv", "results.json", "gradebook.db", "grades.csv"})
"""Names of files that the kit, Otter and Gradescope write."""

IMAGES = frozenset(f"{name}.npz" for name in DATASETS)
"""Files of images: one is shipped, and `mnist-kit data` makes the others."""

EMPTY_CHECK = re.compile(r"said by (?P<question>q\d+) of an empty notebook")


@dataclass(frozen=True)
class Block:
    """A block of code in a document. `mark` is the comment before it, or empty."""

    document: Path
    line: int
    kind: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """The words of each line, without comments and without the folder of the environment."""
        lines = self.text.replace("\\\n", " ").splitlines()
        words = [shlex.split(line.replace(".venv/bin/mnist-kit", "mnist-kit"), comments=True) for line in lines]
        return tuple(tuple(line) for line in words if line)


def blocks(path: Path) -> Iterator[Block]:
    content = path.read_text(encoding="utf-8")
    for found in FENCE.finditer(content):
        line = content.count("\n", 0, found.start("kind")) + 1
        yield Block(path, line, found["kind"].strip(), found["mark"] or "", textwrap.dedent(found["text"]))


BLOCKS = tuple(block for path in DOCUMENTS for block in blocks(path))
SHELL = tuple(block for block in BLOCKS if block.kind == "sh")
RUN = tuple(block for block in SHELL if not block.mark and block.document != CHANGES)
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def prose(path: Path) -> str:
    """Return a document without its blocks of code."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub makes of the headings of a document."""
    heads = re.findall(r"^#+ +(.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def links(path: Path) -> set[str]:
    return {first or second for first, second in LINK.findall(prose(path))}


@cache
def options(program: str) -> Mapping[str, frozenset[str]]:
    """Return the commands of a program, each with its options."""
    if program == "mnist-kit":
        verbs: Mapping[str, Any] = vars(typer.main.get_command(app))["commands"]
    else:
        from otter.cli import cli

        verbs = cli.commands
    return {
        name: frozenset(option for each in verb.params for option in (*each.opts, *each.secondary_opts))
        for name, verb in verbs.items()
    }


def mistake(words: tuple[str, ...]) -> str:
    """Return the mistake in a command; empty if the command exists and has these options."""
    program, *rest = words
    if program in ("mnist-kit", "otter"):
        verb = rest[0] if rest else "--help"
        known = options(program)
        if verb not in known:
            return "" if verb == "--help" else f"{program} has no {verb}"
        given = [word.partition("=")[0] for word in rest[1:] if re.match("--?[a-z]", word)]
        return ", ".join(f"{program} {verb} has no {each}" for each in given if each not in known[verb] | {"--help"})
    if program == "make":
        verbs = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        return ", ".join(f"no verb {word}" for word in rest if "=" not in word and word not in verbs)
    return ""


def exists(name: str, path: Path) -> bool:
    """Whether a word in the document `path` names no file, or one beside it, in the repository or in the package."""
    if not FILE.fullmatch(name) or name.startswith(("out/", "dist/")) or PLACEHOLDER.search(name):
        return True
    if (
        name in WRITTEN
        or Path(name).name in IMAGES
        or ("/" not in name and next(PACKAGE.rglob(name), None) is not None)
    ):
        return True
    return any(next(folder.glob(name), None) is not None for folder in (path.parent, ROOT, PACKAGE))


def test_every_document_can_be_reached_from_the_readme() -> None:
    found, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path.suffix == ".md" and path not in found and path.exists():
            found.add(path)
            waiting += [(path.parent / link.partition("#")[0]).resolve() for link in links(path) if "://" not in link]
    assert found == set(DOCUMENTS)


@each_document
def test_every_link_and_every_picture_has_a_target(path: Path) -> None:
    for link in links(path):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_page_for_students_needs_no_repository(layout: Layout) -> None:
    text = (layout.dist / "handout" / "README.md").read_text(encoding="utf-8")
    assert text == STUDENTS.read_text(encoding="utf-8")
    assert all("://" in link for link in links(STUDENTS)), "there is no repository beside it"
    assert "mnist-kit" not in text
    named = [name for name in INLINE.findall(text) if FILE.fullmatch(name) and name != ".ipynb"]
    assert named
    assert all((layout.dist / "handout" / name).exists() for name in named), named


@each_document
def test_everything_that_a_sentence_names_exists(path: Path) -> None:
    sections = Policy.model_fields
    for words in INLINE.findall(prose(path)):
        assert not mistake(tuple(words.replace(".venv/bin/", "").split())), words
        assert exists(words, path), words
        section, _, key = words.partition(".")
        if section in ("assignment", "execution", "attempts", "feedback", "review") and re.fullmatch("[a-z_]+", key):
            known: Any = sections[section].annotation
            assert key in known.model_fields or (PACKAGE / section / f"{key}.py").exists(), words


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_names_its_language(block: Block) -> None:
    assert block.kind in KINDS


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_every_command_exists_and_its_files_too(block: Block) -> None:
    written = re.findall(r"> (\S+)", block.text)
    for words in block.commands:
        assert not mistake(words), words
        for word in set(words[1:]).difference(written):
            assert exists(word, block.document), word


@pytest.mark.parametrize("block", [block for block in SHELL if block.mark], ids=str)
def test_an_example_that_does_not_run_here_runs_elsewhere(block: Block) -> None:
    for words in block.commands:
        keys = [key for key in ELSEWHERE if set(key.split()) <= set(words)]
        assert keys, f"{shlex.join(words)}: name in ELSEWHERE what runs it"
        for runner in {ELSEWHERE[key] for key in keys} - {BY_PEOPLE}:
            assert (ROOT / runner).exists() or any(TESTS.rglob(runner)), runner


def test_every_example_that_runs_elsewhere_is_in_a_document() -> None:
    shown = [set(words) for block in SHELL if block.mark for words in block.commands]
    assert not [key for key in ELSEWHERE if not any(set(key.split()) <= words for words in shown)]


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.kind == "yaml"], ids=str)
def test_every_part_of_grading_yml_can_be_read(block: Block) -> None:
    content = yaml.safe_load(HOME.policy.read_text(encoding="utf-8"))
    for section, values in yaml.safe_load(block.text).items():
        content[section] = {**content.get(section, {}), **values}
    grading_file.parse(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), HOME.policy)


@pytest.mark.parametrize("block", [block for block in BLOCKS if EMPTY_CHECK.fullmatch(block.mark)], ids=str)
def test_the_quoted_message_of_a_check_is_its_real_message(block: Block, layout: Layout) -> None:
    mark = EMPTY_CHECK.fullmatch(block.mark)
    assert mark is not None
    file = layout.dist / "handout" / "tests" / f"{mark['question']}.py"
    names: dict[str, Any] = {}
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), names)
    (check,) = (value for name, value in names.items() if name.startswith("test_public"))
    with pytest.raises(AssertionError) as raised:
        check.call_func({})
    assert str(raised.value) == block.text.strip()


CLASS = "name,id,email\nAnn Smith,17,ann@x.edu\nBo Li,18,bo@x.edu\n"
REQUESTS = "submission,question,text\nann_17,q1,I did say that the test images are new.\n"
GRADES = (
    "file,q4,q5,q6,q7,total_points_earned,percent_correct,grading_status\nann_17.ipynb,6,0,0,0,6,0.2308,Completed\n"
)
EXPORT = """\
Student,ID,SIS User ID,SIS Login ID,Section,"{title} (41)"
    Points Possible,,,,,40
"Smith, Ann",7001,17,ann,A,
"""
"""A roster, requests, grades of `otter grade`, and Canvas's gradebook."""


@pytest.fixture(scope="module")
def kit(layout: Layout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, set up, with the submissions of a class."""
    copy = tmp_path_factory.mktemp("documents") / "kit"
    ignored = shutil.ignore_patterns(".[!c]*", *APART, "__pycache__", "*.egg-info")
    shutil.copytree(ROOT, copy, ignore=ignored)
    shutil.copytree(layout.dist, copy / "dist")
    (copy / ".venv").symlink_to(BIN.parent)
    template = nbformat.read(layout.template, as_version=4)
    (copy / "SUBMISSIONS").mkdir()
    for name, answers in (("ann_17", {**PROSE, "q4": LOAD}), ("bo_18", {})):
        notebook = Member(name, "", {}, answers).make(template)
        (copy / "SUBMISSIONS" / f"{name}.ipynb").write_bytes(notebook)
    title = grading_file.load(HOME.policy).assignment.title
    files = {"CLASS.csv": CLASS, "REQUESTS.csv": REQUESTS, "GRADES.csv": GRADES, "EXPORT.csv": EXPORT}
    for name, text in files.items():
        (copy / name).write_text(text.replace("{title}", title), encoding="utf-8")
    return copy


@pytest.fixture(scope="module")
def ran(kit: Path) -> Mapping[str, subprocess.CompletedProcess[str]]:
    """Run every example; results by their commands. The class and the solution are graded together, at one start."""
    first = "mnist-kit grade SUBMISSIONS solutions/solution.ipynb -o out"
    done = {"": run(first, kit)}
    for block in RUN:
        key = script(block)
        if key not in done:
            done[key] = (serve if "mnist-kit review" in key else run)(key, kit)
    return done


def script(block: Block) -> str:
    return "\n".join(shlex.join(words) for words in block.commands)


def environment(kit: Path) -> dict[str, str]:
    """Return the variables of a reader's terminal, in which `make` only prints its commands."""
    own = {
        "PATH": f"{kit}/.venv/bin{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(kit),
        "MAKEFLAGS": "n",
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }
    return {**{name: value for name, value in os.environ.items() if name != "MNIST_KIT_DATABASE"}, **own}


def run(commands: str, kit: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-e", "-c", commands], capture_output=True, text=True, check=False, cwd=kit, env=environment(kit),
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def serve(commands: str, kit: Path) -> subprocess.CompletedProcess[str]:
    """Start the review, open the first link, and stop it."""
    started = subprocess.Popen(
        ["bash", "-e", "-c", commands], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=kit,
        env=environment(kit), start_new_session=True,
    )  # fmt: skip
    assert started.stdout is not None
    output = started.stdout.readline()
    try:
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(output.strip().partition(": ")[2], timeout=30) as page:
            output += page.read().decode()
    finally:
        os.killpg(started.pid, signal.SIGTERM)
        rest, errors = started.communicate(timeout=60)
    return subprocess.CompletedProcess(commands, 0, output + rest, errors)


@pytest.mark.slow
@pytest.mark.parametrize("block", RUN, ids=str)
def test_every_example_runs(block: Block, ran: Mapping[str, subprocess.CompletedProcess[str]]) -> None:
    first, done = ran[""], ran[script(block)]
    assert first.returncode == 0, first.stdout + first.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    if "mnist-kit review" in script(block):
        assert "Written answers of 3 submissions" in " ".join(done.stdout.split())


@pytest.mark.slow
def test_the_examples_write_the_files_that_the_documents_name(
    kit: Path, ran: Mapping[str, subprocess.CompletedProcess[str]]
) -> None:
    assert ran
    named = {words for path in DOCUMENTS for words in INLINE.findall(prose(path)) if FILE.fullmatch(words)}
    written = sorted(words for words in named if words.startswith(("out/", "dist/")))
    assert len(written) > 8
    assert not [name for name in written if next(kit.glob(name.replace("NAME", "*")), None) is None]


@pytest.mark.slow
def test_the_exported_grades_are_those_of_the_class(
    kit: Path, ran: Mapping[str, subprocess.CompletedProcess[str]]
) -> None:
    assert "q1" in ran["mnist-kit export out --canvas EXPORT.csv"].stderr, (
        "it names the students who are not marked yet"
    )
    assert "ann_17" in ran["mnist-kit join GRADES.csv -o out"].stdout
    assert "I did say" in (kit / "out" / "export" / "requests.csv").read_text(encoding="utf-8")
    results = json.loads((kit / "out" / "submissions" / "ann_17" / "results.json").read_text(encoding="utf-8"))
    assert results["score"] == 6
