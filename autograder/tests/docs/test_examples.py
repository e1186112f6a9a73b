"""The examples: every `sh` block runs in a copy of the repository, in the order of the documents, as a reader types it.

The copy holds files called `SUBMISSIONS`, `CLASS.csv` and so on.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest

from autograder.authoring.bundled_class import LOAD, PROSE, Member
from autograder.layout import HOME, Layout
from autograder.policy import grading_file
from autograder.tests.docs.documents import APART, BIN, DOCUMENTS, FILE, INLINE, ROOT, RUN, Block, prose

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
