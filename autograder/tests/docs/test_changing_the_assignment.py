"""The page about changing the assignment, followed from top to bottom on a copy of the repository."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from autograder.layout import HOME, Layout
from autograder.tests.docs.documents import BLOCKS, CHANGES
from autograder.tests.images import needs_fashion

pytestmark = [pytest.mark.slow, needs_fashion]

HUNK = re.compile(r"((?:^-.*\n)+)((?:^\+.*\n)+)", re.MULTILINE)
MARK = re.compile("^[-+]", re.MULTILINE)
TOO_LONG = "calibrate"  # the command that does not run here, because it trains 30 times


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A copy of the repository after all steps of the page."""
    copy = Layout(tmp_path_factory.mktemp("kit"))
    shutil.copy(HOME.policy, copy.policy)
    for folder in ("assignment", "solutions", "autograder"):
        left_out = shutil.ignore_patterns("fashion_mnist.npz", "tests", "__pycache__")
        shutil.copytree(HOME.root / folder, copy.root / folder, ignore=left_out)
    (copy.root / ".venv").symlink_to(sys.prefix)
    for block in BLOCKS:
        if block.document == CHANGES and block.kind == "diff":
            edit(copy, block.text)
        elif block.document == CHANGES and block.kind == "sh" and TOO_LONG not in block.text:
            run(copy, block.text)
    return copy


def edit(copy: Layout, block: str) -> None:
    """Replace lines of a file; the old lines must occur exactly once."""
    name, _, hunks = block.partition("\n")
    path = copy.root / name.removeprefix("--- ")
    text = path.read_text(encoding="utf-8")
    found = HUNK.findall(hunks)
    assert "".join(old + new for old, new in found).split() == hunks.split(), "every line must be part of a change"
    for old, new in ((MARK.sub("", lines) for lines in hunk) for hunk in found):
        assert text.count(old) == 1, f"{path.name} has {text.count(old)} times: {old}"
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def run(copy: Layout, block: str) -> None:
    """Run commands as a reader would, with the code of the copy."""
    environment = {**os.environ, "PYTHONPATH": str(copy.root)}
    command = ["bash", "-euo", "pipefail", "-c", block]
    done = subprocess.run(command, cwd=copy.root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"


def points(changed: Layout) -> dict[str, dict[str, str]]:
    rows = csv.DictReader((changed.root / "out" / "grades.csv").read_text(encoding="utf-8").splitlines())
    return {row["submission"]: row for row in rows}


def messages(changed: Layout, name: str) -> str:
    """Return everything that the student of a notebook reads."""
    document = json.loads((changed.root / "out" / "submissions" / name / "results.json").read_text(encoding="utf-8"))
    return "\n".join([document["output"], *(test["output"] for test in document["tests"])])


def test_the_solution_of_the_changed_assignment_has_full_marks(changed: Layout) -> None:
    row = points(changed)["solution"]
    assert [row[id] for id in ("q4", "q5", "q6", "q7", "automatic", "out_of")] == ["6", "8", "4", "8", "26", "26"]
    assert 0.8 < float(row["accuracy"]) < 0.9, "as for clothes, not for digits"
    assert not row["remark"]


def test_a_notebook_that_loads_digits_is_graded_on_clothes_with_a_message(changed: Layout) -> None:
    row = points(changed)["digits"]
    assert [row[id] for id in ("q4", "q5", "q6", "q7")] == ["0", "8", "4", "8"]
    text = messages(changed, "digits")
    assert "Found: keras.datasets.mnist, the images of MNIST" in text
    assert "Expected: the images of Fashion MNIST" in text
    assert "It was given the images of Fashion MNIST instead" in text


def test_the_network_of_the_old_assignment_is_a_mistake(changed: Layout) -> None:
    row = points(changed)["wide"]
    assert [row[id] for id in ("q4", "q5", "q6", "q7")] == ["6", "5", "4", "8"]
    assert re.search(r"Found: layer 2 has 128 neurons\s+Expected: 64\s", messages(changed, "wide"))


def test_students_get_the_changed_notebook(changed: Layout) -> None:
    text = (changed.dist / "handout" / changed.template.name).read_text(encoding="utf-8")
    assert "_Points:_ 5" in text
    assert "fashion-first-steps" in text
    assert "two to four sentences" in text
    assert "with 64 neurons" in text
    assert not re.search(r"digit|datasets[./]mnist", text)
